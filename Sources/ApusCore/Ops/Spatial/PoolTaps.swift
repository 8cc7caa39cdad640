// The taps of every window as an axis of their own: what the readable twins of pooling are made of, and what pools windows of unequal
// sizes (adaptive pooling of sizes that do not divide).

/// The positions of the taps of each window along one axis. Windows may be of different lengths, but not empty.
struct WindowTable {
  /// For each window as many positions as the longest has: a shorter one has its last tap repeated.
  let positions: [[Int]]
  /// How many of the positions are the window's own.
  let counts: [Int]

  init(_ taps: [[Int]]) {
    let longest = taps.map(\.count).max() ?? 0
    positions = taps.map { $0 + [Int](repeating: $0.last!, count: longest - $0.count) }
    counts = taps.map(\.count)
  }

  /// The windows of adaptive pooling: window i of n begins at ⌊i · size / n⌋ and ends before ⌈(i + 1) · size / n⌉.
  static func adaptive(_ input: Int, _ output: Int) -> [[Int]] {
    (0..<output).map { i in Array(i * input / output..<((i + 1) * input + output - 1) / output) }
  }

  var output: Int { positions.count }
  var length: Int { positions.first?.count ?? 0 }

  /// `[output, length]`, int64
  var index: Tensor { Tensor(positions.flatMap { $0 }).reshape(output, length) }
  /// `[output, length]`, int64: 1 for a window's own taps, 0 for repetitions.
  var isOwn: Tensor { (Tensor.arange(length).reshape(1, length) .< Tensor(counts).reshape(output, 1)).to(.int64) }
}

extension Tensor {
  /// The taps of every window over the last axes: `[…, output₀, output₁, …, taps]`, the taps in row-major order.
  func taps(_ tables: [WindowTable]) -> Tensor {
    let first = rank - tables.count
    var x = self
    for (i, table) in tables.enumerated().reversed() {
      x = x.indexSelect(dim: first + i, index: table.index.flatten()).unflatten(dim: first + i, [table.output, table.length])
    }
    return x.windowsFirst(tables.count)
  }

  /// `[…, output₀, length₀, output₁, length₁, …]` as `[…, output₀, output₁, …, taps]`.
  fileprivate func windowsFirst(_ axes: Int) -> Tensor {
    let lead = rank - 2 * axes
    let order = Array(0..<lead) + (0..<axes).map { lead + 2 * $0 } + (0..<axes).map { lead + 2 * $0 + 1 }
    return permute(order).flatten(startDim: lead + axes)
  }
}

extension [WindowTable] {
  /// The place of each tap in its channel, row-major: `[output₀, output₁, …, taps]` (int64).
  func places(_ input: [Int]) -> Tensor {
    Tensor.arange(input.reduce(1, *)).reshape(Shape(input)).taps(self)
  }

  /// 1 for the windows' own taps, 0 for repetitions: `[output₀, output₁, …, taps]` (int64).
  var areOwn: Tensor {
    let grid = reduce(Tensor(1)) { product, table in
      product.unsqueeze(dim: -1).unsqueeze(dim: -1) * table.isOwn
    }
    return grid.windowsFirst(count)
  }
}

/// The maximum of every window over the last axes, and its place in the channel (int64): ordinary ops. Repeated taps change nothing,
/// since of equal ones the first is taken.
func maxOfTaps(_ x: Tensor, _ tables: [WindowTable]) -> (output: Tensor, indices: Tensor) {
  let taps = x.taps(tables)
  let first = taps.detach().argmax(dim: -1, keepDim: true)
  let places = tables.places(Array(x.data.shape.suffix(tables.count))).expand(taps.shape)
  return (taps.gather(dim: -1, index: first).squeeze(dim: -1), places.gather(dim: -1, index: first).squeeze(dim: -1))
}
