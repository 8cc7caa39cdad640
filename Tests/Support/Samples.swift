import ApusCore

/// float64 numbers in −2 ..< 2.
public func samples(_ shape: Shape, seed: UInt64) -> Tensor {
  Tensor.rand(shape, dtype: .float64, generator: Generator(seed: seed)) * 4 - 2
}
