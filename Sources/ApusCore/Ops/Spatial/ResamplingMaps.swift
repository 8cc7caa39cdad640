// What each output of `interpolate` is made of along one axis.

extension SparseMap {
  /// - Parameter scale: output / input as the user gave it; nil where it follows from the sizes.
  static func resampling(
    _ input: Int, _ output: Int, _ scale: Double?, _ mode: InterpolationMode, _ alignCorners: Bool
  ) -> SparseMap {
    let ratio = scale.map { 1 / $0 } ?? Double(input) / Double(output)
    let aligned: Double = output > 1 ? Double(input - 1) / Double(output - 1) : 0
    let rows = (0..<output).map { i -> [(column: Int, weight: Double)] in
      let place = alignCorners ? aligned * Double(i) : ratio * (Double(i) + 0.5) - 0.5
      return switch mode {
      case .nearest: [(nearest(Float(i) * Float(ratio), input), 1)]
      case .nearestExact: [(nearest((Float(i) + 0.5) * Float(ratio), input), 1)]
      case .linear, .bilinear, .trilinear: input == output ? [(i, 1)] : between(max(place, 0), input)
      case .bicubic: cubic(place, input)
      case .area: WindowTable.adaptive(input, output)[i].map { ($0, 1) }
      }
    }
    return SparseMap(input: input, rows: rows)
  }

  /// Which of two neighbours is the nearest hangs on a rounding: single precision, as in PyTorch whatever the dtype.
  private static func nearest(_ place: Float, _ input: Int) -> Int { min(Int(place.rounded(.down)), input - 1) }

  private static func between(_ place: Double, _ input: Int) -> [(column: Int, weight: Double)] {
    let first = min(Int(place), input - 1)
    let share = min(max(place - Double(first), 0), 1)
    return [(first, 1 - share), (min(first + 1, input - 1), share)]
  }

  /// Cubic convolution (Keys 1981) with a = −¾; beyond the edge stands the element at the edge.
  private static func cubic(_ place: Double, _ input: Int) -> [(column: Int, weight: Double)] {
    let first = place.rounded(.down)
    return zip(-1...2, cubicWeights(place - first)).map { step, weight in
      (min(max(Int(first) + step, 0), input - 1), weight)
    }
  }

  /// The weights of the four neighbours of a place `t` after the second.
  private static func cubicWeights(_ t: Double) -> [Double] {
    let a = -0.75
    let near = { (x: Double) in ((a + 2) * x - (a + 3)) * x * x + 1 }
    let far = { (x: Double) in ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
  }

  /// Whether every element stays as it is.
  var isIdentity: Bool {
    output == input && weights.allSatisfy { $0 == 1 } && columns.count == output
      && columns.indices.allSatisfy { columns[$0] == $0 }
  }

  /// The map as a matrix `[output, input]` (float64).
  var matrix: Tensor {
    var entries = [Double](repeating: 0, count: output * input)
    for row in 0..<output {
      for entry in Int(starts[row])..<Int(starts[row + 1]) { entries[row * input + Int(columns[entry])] += weights[entry] }
    }
    return Tensor(entries, dtype: .float64).reshape(output, input)
  }
}
