/// A linear map of the lines along an axis in which each result depends on few elements: resampling, and means of windows of unequal
/// sizes.
package struct SparseMap: Sendable {
  /// Length of the lines that it takes.
  let input: Int
  /// Row r of the matrix has the entries `starts[r] ..< starts[r + 1]`.
  let starts: [Int32]
  let columns: [Int32]
  let weights: [Double]

  /// Length of the lines that it makes.
  var output: Int { starts.count - 1 }

  /// - Parameter rows: for each result the elements that it is made of, with their weights.
  init(input: Int, rows: [[(column: Int, weight: Double)]]) {
    self.input = input
    starts = rows.reduce(into: [0]) { starts, row in starts.append(starts.last! + Int32(row.count)) }
    columns = rows.flatMap { $0.map { Int32($0.column) } }
    weights = rows.flatMap { $0.map(\.weight) }
  }

  /// The adjoint, which is the gradient's map.
  var transposed: SparseMap {
    var rows = [[(column: Int, weight: Double)]](repeating: [], count: input)
    for row in 0..<output {
      for entry in Int(starts[row])..<Int(starts[row + 1]) { rows[Int(columns[entry])].append((row, weights[entry])) }
    }
    return SparseMap(input: output, rows: rows)
  }
}

extension Tensor {
  /// `map` applied to every line along `axis`.
  ///
  /// - Complexity: one pass over the result for each entry in a row of the map; keeps nothing for the gradient.
  func mapped(_ map: SparseMap, axis: Int) -> Tensor {
    guard isValid else { return self }
    return recorded(
      device.backend.sparseProduct(map, data, axis: axis), .named("sparseMap"),
      .linear { dy in [dy.mapped(map.transposed, axis: axis)] }, self)
  }
}
