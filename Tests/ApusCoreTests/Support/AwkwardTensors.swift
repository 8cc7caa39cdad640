import ApusCore

/// Layouts that ops must not care about. Each makes a tensor of the same numbers whatever its memory looks like.
enum Layout: CaseIterable {
  case contiguous, transposed, reversed, everySecond, broadcast

  /// A tensor of `shape` with the elements of `values` (row-major), laid out in this way. `broadcast` repeats the first slice of the first
  /// axis instead.
  func tensor(_ values: Tensor) -> Tensor {
    switch self {
    case .contiguous: return values.contiguous()
    case .transposed: return values.rank < 2 ? values : values.transpose(0, -1).contiguous().transpose(0, -1)
    case .reversed: return values.rank == 0 ? values : values.flip(0).contiguous().flip(0)
    case .everySecond:
      guard values.rank > 0 else { return values }
      var wide = Tensor.zeros(Shape(values.shape.dropLast() + [values.shape[-1] * 2]), dtype: values.dtype)
      wide[.ellipsis, .slice(step: 2)] = values
      return wide[.ellipsis, .slice(step: 2)]
    case .broadcast:
      guard values.rank > 0, values.shape[0] > 0 else { return values }
      return values.narrow(dim: 0, start: 0, count: 1).expand(values.shape)
    }
  }
}

/// Shapes that break what was written with matrices in mind: no axes, one element, no elements, size 1, four axes, odd sizes.
let awkwardShapes: [Shape] = [[], [1], [0], [7], [3, 1], [2, 0, 3], [2, 3, 2], [2, 1, 3, 2]]

/// float64 numbers in `range`, different in every element, never on a multiple of 1/8 (where kinks and ties are).
func samples(_ shape: Shape, in range: ClosedRange<Double>, seed: UInt64 = 1) -> Tensor {
  let uniform = Tensor.rand(shape, dtype: .float64, generator: Generator(seed: seed))
  let x = range.lowerBound + uniform * (range.upperBound - range.lowerBound)
  return `where`(((x * 8) - (x * 8).round()).abs() .< 0.05, x + 0.013, x)
}
