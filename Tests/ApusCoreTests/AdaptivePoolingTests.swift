import ApusCore
import TestSupport
import Testing

@Suite("adaptive pooling and unpooling")
struct AdaptivePoolingTests {
  private func average(_ x: Tensor, _ size: [Int?]) -> Tensor {
    switch size.count {
    case 1: adaptiveAvgPool1d(x, size)
    case 2: adaptiveAvgPool2d(x, size)
    default: adaptiveAvgPool3d(x, size)
    }
  }

  private func maximum(_ x: Tensor, _ size: [Int?]) -> (output: Tensor, indices: Tensor) {
    switch size.count {
    case 1: adaptiveMaxPool1dWithIndices(x, size)
    case 2: adaptiveMaxPool2dWithIndices(x, size)
    default: adaptiveMaxPool3dWithIndices(x, size)
    }
  }

  private func unpool(_ x: [Tensor], _ kernel: [Int], _ stride: [Int]?, _ padding: [Int], _ size: [Int]?) -> Tensor {
    switch kernel.count {
    case 1: maxUnpool1d(x[0], x[1], kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
    case 2: maxUnpool2d(x[0], x[1], kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
    default: maxUnpool3d(x[0], x[1], kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
    }
  }

  @Test("agrees with PyTorch")
  func golden() throws {
    for golden in try Golden<SpatialCase>.load("adaptivePooling") {
      let axes = golden.function.contains("1d") ? 1 : golden.function.contains("2d") ? 2 : 3
      func setting(_ name: String) -> [Int?]? {
        golden.numbers(name).map { $0.map { $0.map { Int($0) } } }.map {
          $0.count == axes ? $0 : [Int?](repeating: $0[0], count: axes)
        }
      }
      func numbers(_ name: String) -> [Int]? { setting(name).map { $0.map { $0! } } }
      if golden.function.hasPrefix("maxUnpool") {
        let zeros = [Int](repeating: 0, count: axes)
        golden.check { [unpool($0, numbers("kernel_size")!, numbers("stride"), numbers("padding") ?? zeros, numbers("size"))] }
      } else {
        for layout in [{ $0 }, { $0.channelsLast(axes) }] as [(Tensor) -> Tensor] {
          golden.check {
            let (y, indices) = maximum(layout($0[0]), setting("size")!)
            return golden.function.contains("Max") ? [y, indices] : [average(layout($0[0]), setting("size")!)]
          }
        }
      }
    }
  }

  static let sizes: [(Shape, [Int])] = [
    ([2, 3, 7], [3]), ([2, 3, 8], [4]), ([2, 5], [7]), ([2, 3, 6, 5], [2, 5]), ([2, 3, 6, 5], [1, 1]), ([4, 7, 9], [3, 4]),
    ([1, 2, 4, 5, 6], [2, 3, 4]), ([2, 4, 4, 4], [2, 2, 2]), ([0, 2, 5, 5], [2, 2]),
  ]

  @Test("agrees with its twins, whatever dtype and layout")
  func twins() {
    for (shape, size) in Self.sizes {
      for (dtype, tolerance) in [(DType.float32, 1e-6), (.float64, 1e-14), (.float16, 2e-3), (.bfloat16, 1.6e-2)] {
        let values = samples(shape, seed: 2).to(dtype)
        let twinType: DType = dtype == .float64 ? .float64 : .float32
        let mean = adaptiveAvgPoolTwin(values.to(twinType), size).to(dtype)
        let (greatest, places) = adaptiveMaxPoolTwin(values, size)
        for x in [values, values.channelsLast(size.count)] {
          expectClose(average(x, size), mean, relative: tolerance, absolute: tolerance, "\(shape) \(size) \(dtype)")
          let (y, indices) = maximum(x, size)
          expectClose(y, greatest, relative: 0, absolute: 0, "\(shape) \(size) \(dtype)")
          expectClose(indices, places, relative: 0, absolute: 0, "\(shape) \(size) \(dtype)")
        }
      }
    }
  }

  @Test("has right gradients, first and second order")
  func gradients() throws {
    for (shape, size): (Shape, [Int]) in [
      ([2, 5], [3]), ([1, 2, 4], [2]), ([1, 2, 4, 3], [3, 2]), ([1, 3, 2, 4], [2, 1, 3]),
    ] {
      let x = samples(shape, in: -2...2)
      try gradientCheck([x], order: 2) { average($0[0] * $0[0], size) * 2 }
      try gradientCheck([x.channelsLast(size.count)], order: 2) { average($0[0] * $0[0], size) * 2 }
      try gradientCheck([x], order: 2) { maximum($0[0] * $0[0], size).output * 2 }
    }
    let (y, indices) = maxPool2dWithIndices(samples([1, 2, 4, 4], seed: 1), kernelSize: 2)
    try gradientCheck([y], order: 2) { maxUnpool2d($0[0] * $0[0], indices, kernelSize: 2) * 2 }
  }

  @Test("takes and makes empty axes as PyTorch does")
  func empty() {
    #expect(adaptiveAvgPool2d(Tensor.zeros([2, 3, 4, 5]), [0, nil]).shape == [2, 3, 0, 5])
    #expect(adaptiveMaxPool1dWithIndices(Tensor.zeros([3, 4]), 0).indices.shape == [3, 0])
    #expect(adaptiveMaxPool3d(Tensor.zeros([0, 3, 4, 5, 6]), 2).shape == [0, 3, 2, 2, 2])
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 3, 4, 5])
    expectMistake("adaptiveAvgPool2d: outputSize [1, 2, 3] is not one number or 2") { _ = adaptiveAvgPool2d(x, [1, 2, 3]) }
    expectMistake("adaptiveMaxPool2d: outputSize -1 is negative") { _ = adaptiveMaxPool2d(x, -1) }
    expectMistake("adaptiveMaxPool1d: input [2, 3, 4, 5] is neither [C, L] nor [N, C, L]") { _ = adaptiveMaxPool1d(x, 1) }
    expectMistake("adaptiveAvgPool2d: input [2, 3, 0, 5] has an empty axis") {
      _ = adaptiveAvgPool2d(Tensor.zeros([2, 3, 0, 5]), 1)
    }
    let indices = Tensor.zeros([2, 3, 4, 5], dtype: .int64)
    expectMistake("maxUnpool2d: indices are float32, not int64") { _ = maxUnpool2d(x, x, kernelSize: 2) }
    expectMistake("maxUnpool2d: indices of shape [3, 4, 5] for an input of shape [2, 3, 4, 5]") {
      _ = maxUnpool2d(x, indices[0], kernelSize: 2)
    }
    expectMistake("maxUnpool2d: outputSize [8, 12] is not positive and less than stride [2, 2] from [8, 10]") {
      _ = maxUnpool2d(x, indices, kernelSize: 2, outputSize: [8, 12])
    }
    expectMistake("maxUnpool2d: outputSize [8] has not 2 numbers") { _ = maxUnpool2d(x, indices, kernelSize: 2, outputSize: [8]) }
    expectMistake("scatter: index 80 is not in 0..<80") { _ = maxUnpool2d(x, indices + 80, kernelSize: 2) }
  }
}
