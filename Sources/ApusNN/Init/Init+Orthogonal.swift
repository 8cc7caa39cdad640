import ApusCore

extension Init {
  /// A random matrix with orthonormal rows or columns (whichever there are fewer of), times `gain` (Saxe et al. 2013).
  ///
  /// Axes after the first count as columns. All such matrices are equally likely: the Q of a normal matrix's QR with a positive diagonal.
  /// - Complexity: O(rows · columns · min(rows, columns)), in float64 whatever the dtype.
  public static func orthogonal(_ shape: Shape, gain: Double = 1, dtype: DType = .float32, generator: Generator = .default)
    -> Tensor
  {
    guard check(shape.rank >= 2, .shape, "Init.orthogonal", "\(shape) is not a matrix; it needs two axes or more"),
      check(dtype.isFloatingPoint, .dtype, "Init.orthogonal", "\(dtype) is not floating-point")
    else { return .invalid }
    let (rows, columns) = (shape[0], shape.dropFirst().reduce(1, *))
    guard rows > 0, columns > 0 else { return zeros(shape, dtype: dtype) }
    let (count, length) = (min(rows, columns), max(rows, columns))
    var vectors = Tensor.randn([count, length], dtype: .float64, generator: generator).scalars(as: Double.self)
    orthonormalize(&vectors, count: count, length: length)
    let q = Tensor(scalars: vectors, shape: [count, length], dtype: .float64) * gain
    return (rows <= columns ? q : q.T).reshape(shape).to(dtype).contiguous()
  }

  /// Gram and Schmidt, each vector twice: once leaves errors that grow with the condition of the matrix, twice is enough (Kahan).
  static func orthonormalize(_ vectors: inout [Double], count: Int, length: Int) {
    vectors.withUnsafeMutableBufferPointer { v in
      for i in 0..<count {
        let x = i * length
        for _ in 0..<2 {
          for y in stride(from: 0, to: x, by: length) {
            var dot = 0.0
            for k in 0..<length { dot += v[x + k] * v[y + k] }
            for k in 0..<length { v[x + k] -= dot * v[y + k] }
          }
        }
        var square = 0.0
        for k in 0..<length { square += v[x + k] * v[x + k] }
        let scale = 1 / square.squareRoot()
        for k in 0..<length { v[x + k] *= scale }
      }
    }
  }
}
