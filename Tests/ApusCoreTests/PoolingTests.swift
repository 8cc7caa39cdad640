import ApusCore
import TestSupport
import Testing

/// Pooling over one, two or three axes, whichever `axes` says.
enum Pooling {
  static func max(
    _ x: Tensor, _ axes: Int, _ kernel: some PerAxis, _ stride: (any PerAxis)? = nil, _ padding: some PerAxis = 0,
    _ dilation: some PerAxis = 1, _ ceil: Bool = false
  ) -> (output: Tensor, indices: Tensor) {
    switch axes {
    case 1:
      maxPool1dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    case 2:
      maxPool2dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    default:
      maxPool3dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    }
  }

  static func values(
    _ x: Tensor, _ axes: Int, _ kernel: some PerAxis, _ stride: (any PerAxis)? = nil, _ padding: some PerAxis = 0,
    _ dilation: some PerAxis = 1, _ ceil: Bool = false
  ) -> Tensor {
    switch axes {
    case 1: maxPool1d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    case 2: maxPool2d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    default: maxPool3d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
    }
  }

  static func avg(
    _ x: Tensor, _ axes: Int, _ kernel: some PerAxis, _ stride: (any PerAxis)? = nil, _ padding: some PerAxis = 0,
    _ ceil: Bool = false, _ counts: Bool = true, _ divisor: Int? = nil
  ) -> Tensor {
    switch axes {
    case 1:
      avgPool1d(x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts)
    case 2:
      avgPool2d(
        x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts, divisorOverride: divisor
      )
    default:
      avgPool3d(
        x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts, divisorOverride: divisor
      )
    }
  }
}

extension Tensor {
  /// The same numbers with the channels, `axes` axes before the end, last in memory.
  func channelsLast(_ axes: Int) -> Tensor { movedim(rank - axes - 1, rank - 1).contiguous().movedim(rank - 1, rank - axes - 1) }
}

@Suite("pooling")
struct PoolingTests {
  @Test("agrees with PyTorch")
  func golden() throws {
    for golden in try ["maxPooling", "avgPooling"].flatMap({ try Golden<SpatialCase>.load($0) }) {
      let axes = golden.function.contains("1d") ? 1 : golden.function.contains("2d") ? 2 : 3
      func setting(_ name: String) -> [Int]? {
        golden.integers(name).map { $0.count == axes ? $0 : [Int](repeating: $0[0], count: axes) }
      }
      let (kernel, stride, padding) = (setting("kernel_size")!, setting("stride"), setting("padding"))
      func run(_ x: Tensor) -> [Tensor] {
        let (ceil, zeros) = (golden.flag("ceil_mode"), [Int](repeating: 0, count: axes))
        if golden.function.hasPrefix("max") {
          let ones = [Int](repeating: 1, count: axes)
          let (y, indices) = Pooling.max(x, axes, kernel, stride, padding ?? zeros, setting("dilation") ?? ones, ceil)
          return [y, indices]
        }
        let (counts, divisor) = (golden.flag("count_include_pad", otherwise: true), golden.integers("divisor_override")?[0])
        return [Pooling.avg(x, axes, kernel, stride, padding ?? zeros, ceil, counts, divisor)]
      }
      golden.check { run($0[0]) }
      golden.check { run($0[0].channelsLast(axes)) }
    }
  }

  /// Windows of every kind: axes, shape, kernel, stride, padding, dilation.
  static let windows: [(axes: Int, shape: Shape, kernel: [Int], stride: [Int], padding: [Int], dilation: [Int])] = [
    (1, [2, 3, 41], [2], [2], [0], [1]), (1, [2, 17], [3], [2], [1], [1]), (1, [1, 2, 40], [3], [1], [1], [1]),
    (1, [1, 2, 23], [4], [3], [2], [2]),
    (2, [2, 3, 6, 70], [2, 2], [2, 2], [0, 0], [1, 1]), (2, [2, 5, 9, 45], [3, 3], [2, 2], [1, 1], [1, 1]),
    (2, [1, 3, 5, 38], [3, 3], [1, 1], [1, 1], [1, 1]), (2, [2, 21, 6, 7], [2, 3], [2, 1], [1, 0], [1, 1]),
    (2, [1, 37, 8, 9], [2, 2], [2, 2], [0, 0], [1, 1]), (2, [1, 2, 9, 11], [2, 3], [1, 2], [1, 1], [2, 2]),
    (2, [3, 8, 8], [5, 5], [1, 1], [2, 2], [1, 1]), (2, [1, 6, 11, 11], [5, 4], [4, 5], [0, 2], [1, 1]),
    (2, [1, 1, 1, 1], [1, 1], [1, 1], [0, 0], [1, 1]), (2, [0, 2, 4, 4], [2, 2], [2, 2], [0, 0], [1, 1]),
    (3, [2, 3, 4, 5, 20], [2, 2, 2], [2, 2, 2], [0, 0, 0], [1, 1, 1]),
    (3, [1, 5, 5, 4, 19], [3, 2, 3], [1, 2, 2], [1, 1, 1], [1, 1, 1]),
    (3, [2, 6, 5, 6], [2, 2, 2], [2, 1, 2], [1, 0, 1], [2, 3, 1]),
  ]

  @Test("of maxima agrees with its twin in value, place and gradient, whatever dtype and layout", arguments: [false, true])
  func maximumTwin(ceil: Bool) {
    for (axes, shape, kernel, stride, padding, dilation) in Self.windows {
      // Few different numbers: many ties.
      let values = (samples(shape, seed: 3) * 4).round()
      for dtype in [DType.float32, .float64, .float16, .bfloat16] {
        let twin = run(values.to(dtype), as: dtype.twinType) {
          maxPoolTwin(
            $0, axes: axes, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)
        }
        for x in [values.to(dtype), values.to(dtype).channelsLast(axes), values.flip(0).to(dtype).flip(0)] {
          let pooled = run(x, as: dtype) { Pooling.max($0, axes, kernel, stride, padding, dilation, ceil) }
          let comment = "\(shape) \(kernel) \(stride) \(padding) \(dilation) \(dtype) \(x.strides)"
          expectClose(pooled.y, twin.y, relative: 0, absolute: 0, comment)
          expectClose(pooled.indices, twin.indices, relative: 0, absolute: 0, comment)
          let tolerance = dtype.tolerance
          expectClose(pooled.gradient, twin.gradient, relative: tolerance, absolute: 4 * tolerance, comment)
          expectClose(Pooling.values(x, axes, kernel, stride, padding, dilation, ceil), twin.y, relative: 0, absolute: 0, comment)
          #expect(pooled.y.isContiguous == x.isContiguous || x.strides[0] < 0 || pooled.y.count == 0, "\(comment)")
        }
      }
    }
  }

  /// Computes in `dtype` and gives everything in the dtype of `x`.
  private func run(_ x: Tensor, as dtype: DType, _ function: (Tensor) -> (output: Tensor, indices: Tensor)) -> (
    y: Tensor, indices: Tensor, gradient: Tensor
  ) {
    var leaf = x.dtype == dtype ? x : x.to(dtype)
    leaf.requiresGrad = true
    let (y, indices) = function(leaf)
    let gradient = grad(of: y, withRespectTo: [leaf], gradient: samples(y.shape, seed: 8).to(x.dtype).to(dtype))[0]
    return (y.detach().to(x.dtype), indices, gradient.to(x.dtype))
  }

  @Test("of means agrees with its twin in value and gradient, whatever dtype and layout", arguments: [false, true])
  func averageTwin(ceil: Bool) {
    for (axes, shape, kernel, stride, padding, dilation) in Self.windows {
      guard dilation.allSatisfy({ $0 == 1 }) else { continue }
      for (i, dtype) in [DType.float32, .float64, .float16, .bfloat16].enumerated() {
        let values = samples(shape, seed: 4).to(dtype)
        let (counts, divisor) = (i % 2 == 0, i == 1 && axes > 1 ? 3 : nil as Int?)
        let twin = run(values, as: dtype.twinType) {
          let y = avgPoolTwin(
            $0, axes: axes, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts,
            divisorOverride: divisor)
          return (y, y)
        }
        for x in [values, values.channelsLast(axes), values.flip(0).contiguous().flip(0)] {
          let pooled = run(x, as: dtype) {
            let y = Pooling.avg($0, axes, kernel, stride, padding, ceil, counts, divisor)
            return (y, y)
          }
          let tolerance = dtype.tolerance
          let comment = "\(shape) \(kernel) \(stride) \(padding) \(dtype) \(x.strides)"
          expectClose(pooled.y, twin.y, relative: tolerance, absolute: 4 * tolerance, comment)
          expectClose(pooled.gradient, twin.gradient, relative: tolerance, absolute: 4 * tolerance, comment)
        }
      }
    }
  }

  @Test("has right gradients, first and second order")
  func gradients() throws {
    for (axes, shape, kernel, stride, padding): (Int, Shape, [Int], [Int], [Int]) in [
      (1, [2, 2, 5], [2], [2], [0]), (1, [2, 6], [3], [2], [1]), (2, [1, 2, 4, 4], [2, 2], [2, 2], [0, 0]),
      (2, [2, 4, 5], [3, 2], [1, 2], [1, 0]), (3, [1, 2, 2, 3], [2, 2, 2], [2, 1, 1], [1, 0, 1]),
    ] {
      for layout in [Layout.contiguous, .transposed, .everySecond] {
        let x = layout.tensor(samples(shape, in: -2...2))
        try gradientCheck([x], order: 2) { Pooling.max($0[0] * $0[0], axes, kernel, stride, padding).output * 2 }
        try gradientCheck([x], order: 2) { Pooling.avg($0[0] * $0[0], axes, kernel, stride, padding, false, false) * 2 }
        try gradientCheck([x], order: 2) {
          let y = Pooling.max($0[0].channelsLast(axes), axes, kernel, stride, padding).output
          return y * y * Pooling.avg($0[0].channelsLast(axes), axes, kernel, stride, padding, false)
        }
      }
    }
  }

  @Test("gives the same bits as one image after the other")
  func images() {
    // Chunks of work are cut across images; the results must not show where.
    let x = samples([7, 5, 33, 35], seed: 6).to(.float32)
    for x in [x, x.channelsLast(2)] {
      let (y, indices) = maxPool2dWithIndices(x, kernelSize: 3, stride: 2, padding: 1)
      let mean = avgPool2d(x, kernelSize: 3, stride: 2, padding: 1)
      for n in 0..<7 {
        let (one, places) = maxPool2dWithIndices(x[n], kernelSize: 3, stride: 2, padding: 1)
        expectClose(one, y[n], relative: 0, absolute: 0)
        expectClose(places, indices[n], relative: 0, absolute: 0)
        expectClose(avgPool2d(x[n], kernelSize: 3, stride: 2, padding: 1), mean[n], relative: 0, absolute: 0)
      }
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 3, 4, 5])
    expectMistake("maxPool2d: input [3, 4] is neither [C, H, W] nor [N, C, H, W]") {
      _ = maxPool2d(Tensor.zeros([3, 4]), kernelSize: 2)
    }
    expectMistake("avgPool1d: input [2, 3, 4, 5] is neither [C, L] nor [N, C, L]") { _ = avgPool1d(x, kernelSize: 2) }
    expectMistake("maxPool2d: is not defined for int64") { _ = maxPool2d(x.to(.int64), kernelSize: 2) }
    expectMistake("maxPool2d: input [2, 0, 4, 5] has an empty axis") { _ = maxPool2d(Tensor.zeros([2, 0, 4, 5]), kernelSize: 2) }
    expectMistake("maxPool2d: kernelSize [2, 2, 2] is not one number or 2") { _ = maxPool2d(x, kernelSize: [2, 2, 2]) }
    expectMistake("maxPool2d: stride [0, 1] is less than 1 or too large") { _ = maxPool2d(x, kernelSize: 2, stride: [0, 1]) }
    expectMistake("maxPool2d: padding -1 is less than 0 or too large") { _ = maxPool2d(x, kernelSize: 2, padding: -1) }
    expectMistake("maxPool2d: padding 2 is more than half of kernel 3") {
      _ = maxPool2d(x, kernelSize: 3, padding: 2, dilation: 2)
    }
    expectMistake("avgPool2d: padding 2 is more than half of kernel 3") { _ = avgPool2d(x, kernelSize: 3, padding: [1, 2]) }
    expectMistake("maxPool2d: a kernel of 5 with dilation 1 and padding 0 does not fit input [2, 3, 4, 5]") {
      _ = maxPool2d(x, kernelSize: 5)
    }
    expectMistake("maxPool1d: a kernel of 2 with dilation 2 and padding 1 steps over all of input [1, 1]") {
      _ = maxPool1d(Tensor.zeros([1, 1]), kernelSize: 2, padding: 1, dilation: 2)
    }
    expectMistake("avgPool2d: divisorOverride is 0") { _ = avgPool2d(x, kernelSize: 2, divisorOverride: 0) }
  }
}

extension DType {
  /// What its twin computes in: the half types' kernels do in float32.
  fileprivate var twinType: DType { self == .float64 ? .float64 : .float32 }

  /// Few roundings of this dtype.
  fileprivate var tolerance: Double {
    switch self {
    case .float64: 1e-14
    case .float16: 1e-3
    case .bfloat16: 8e-3
    default: 1e-6
    }
  }
}
