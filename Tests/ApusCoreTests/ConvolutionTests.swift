import ApusCore
import TestSupport
import Testing

/// Sizes and settings of one convolution, the same along every axis but for the sizes.
private struct Setting: CustomTestStringConvertible {
  var batch = 2
  var inChannels = 3
  var outChannels = 4
  var size: [Int]
  var kernel: [Int]
  var stride = 1
  var padding = 0
  var dilation = 1
  var groups = 1

  var testDescription: String {
    "\(batch)×\(inChannels)→\(outChannels) size \(size) kernel \(kernel) s\(stride) p\(padding) d\(dilation) g\(groups)"
  }
  var axes: Int { size.count }
  func each(_ value: Int) -> [Int] { size.map { _ in value } }

  var input: Shape { Shape([batch, inChannels] + size) }
  var weight: Shape { Shape([outChannels, inChannels / groups] + kernel) }
  var transposedWeight: Shape { Shape([inChannels, outChannels / groups] + kernel) }

  func convolution(_ x: Tensor, _ w: Tensor, _ b: Tensor?) -> Tensor {
    switch axes {
    case 1: conv1d(x, w, b, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case 2: conv2d(x, w, b, stride: each(stride), padding: padding, dilation: dilation, groups: groups)
    default: conv3d(x, w, b, stride: stride, padding: each(padding), dilation: each(dilation), groups: groups)
    }
  }
  func twin(_ x: Tensor, _ w: Tensor, _ b: Tensor?) -> Tensor {
    convolutionTwin(x, w, b, stride: each(stride), padding: each(padding), dilation: each(dilation), groups: groups)
  }

  var outputPadding: Int { max(stride, dilation) - 1 }
  func transposed(_ x: Tensor, _ w: Tensor, _ b: Tensor?) -> Tensor {
    let extra = outputPadding
    return switch axes {
    case 1: convTranspose1d(x, w, b, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    case 2: convTranspose2d(x, w, b, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    default: convTranspose3d(x, w, b, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    }
  }
  func transposedTwin(_ x: Tensor, _ w: Tensor, _ b: Tensor?) -> Tensor {
    convolutionTransposeTwin(
      x, w, b, stride: each(stride), padding: each(padding), outputPadding: each(outputPadding), dilation: each(dilation),
      groups: groups)
  }

  /// Every combination of stride, padding and dilation over every rank, with channels that meet all forms of the kernels.
  static let all: [Setting] = {
    var result: [Setting] = []
    let sizes: [([Int], [Int])] = [([11], [3]), ([7, 9], [3, 2]), ([5, 6, 7], [2, 3, 1])]
    for (size, kernel) in sizes {
      for (stride, padding, dilation) in [(1, 0, 1), (1, 1, 1), (2, 1, 1), (1, 2, 2), (3, 0, 2), (2, 2, 1), (3, 4, 1)] {
        for (ins, outs, groups) in [(3, 4, 1), (1, 2, 1), (4, 6, 2), (4, 4, 4), (17, 35, 1)] {
          result.append(
            Setting(
              inChannels: ins, outChannels: outs, size: size, kernel: kernel, stride: stride, padding: padding,
              dilation: dilation,
              groups: groups))
        }
      }
    }
    return result
  }()

  /// Sizes that reach every path of the backend: many pixels, wide and uneven channels, one pixel, one by one.
  static let large: [Setting] = [
    Setting(batch: 3, inChannels: 40, outChannels: 70, size: [13, 12], kernel: [3, 3], padding: 1),
    Setting(batch: 1, inChannels: 100, outChannels: 33, size: [6, 5], kernel: [3, 3], padding: 1),
    Setting(batch: 9, inChannels: 64, outChannels: 32, size: [16, 16], kernel: [4, 4], stride: 2, padding: 1),
    Setting(batch: 20, inChannels: 3, outChannels: 16, size: [20, 20], kernel: [5, 5], stride: 2, padding: 2),
    Setting(batch: 20, inChannels: 1, outChannels: 6, size: [24, 24], kernel: [5, 5], padding: 2),
    Setting(batch: 8, inChannels: 33, outChannels: 65, size: [12, 12], kernel: [1, 1]),
    Setting(batch: 8, inChannels: 48, outChannels: 48, size: [12, 12], kernel: [1, 1], stride: 2),
    Setting(batch: 16, inChannels: 83, outChannels: 83, size: [14, 14], kernel: [3, 3], padding: 1, groups: 83),
    Setting(batch: 7, inChannels: 20, outChannels: 20, size: [15, 15], kernel: [3, 3], stride: 2, padding: 1, groups: 20),
    Setting(batch: 4, inChannels: 32, outChannels: 64, size: [14, 14], kernel: [3, 3], padding: 1, groups: 4),
    Setting(batch: 3, inChannels: 64, outChannels: 64, size: [9, 9], kernel: [3, 3], padding: 1, groups: 16),
    Setting(batch: 3, inChannels: 6, outChannels: 24, size: [9, 9], kernel: [3, 3], stride: 2, padding: 1, groups: 6),
    Setting(batch: 3, inChannels: 40, outChannels: 3, size: [9, 8], kernel: [4, 4], stride: 2, padding: 1),
    Setting(batch: 2, inChannels: 33, outChannels: 1, size: [9, 8], kernel: [3, 3], padding: 1),
    Setting(batch: 2, inChannels: 4, outChannels: 36, size: [5, 6], kernel: [3, 3], stride: 2, padding: 1),
    Setting(batch: 2, inChannels: 2, outChannels: 50, size: [5, 6], kernel: [2, 2], padding: 1),
    Setting(batch: 5, inChannels: 200, outChannels: 96, size: [1, 1], kernel: [1, 1]),
    Setting(batch: 5, inChannels: 16, outChannels: 8, size: [4, 4], kernel: [4, 4]),
    Setting(batch: 2, inChannels: 2, outChannels: 3, size: [6, 6], kernel: [3, 3], stride: 5, padding: 7, dilation: 3),
    Setting(batch: 4, inChannels: 24, outChannels: 40, size: [700], kernel: [9], padding: 4),
    Setting(batch: 2, inChannels: 12, outChannels: 20, size: [8, 9, 10], kernel: [3, 3, 3], padding: 1),
    // Winograd's method: tiles that stick out, no padding and much of it, groups of tiles, more weights than the caches hold.
    Setting(batch: 3, inChannels: 32, outChannels: 48, size: [13, 18], kernel: [3, 3], padding: 1),
    Setting(batch: 2, inChannels: 16, outChannels: 16, size: [20, 17], kernel: [3, 3]),
    Setting(batch: 1, inChannels: 48, outChannels: 16, size: [23, 24], kernel: [3, 3], padding: 2),
    Setting(batch: 4, inChannels: 32, outChannels: 64, size: [36, 36], kernel: [3, 3], padding: 1),
    Setting(batch: 4, inChannels: 256, outChannels: 256, size: [8, 8], kernel: [3, 3], padding: 1),
    // Few pixels and many weights, directly and by Winograd's method.
    Setting(batch: 1, inChannels: 256, outChannels: 160, size: [7, 7], kernel: [3, 3], padding: 1),
    Setting(batch: 5, inChannels: 160, outChannels: 200, size: [9, 5], kernel: [3, 3], stride: 2),
    Setting(batch: 1, inChannels: 128, outChannels: 160, size: [14, 14], kernel: [3, 3], padding: 1),
    // Folded strides: odd sizes, kernels of every size, no padding, more weights than the caches hold.
    Setting(batch: 16, inChannels: 32, outChannels: 48, size: [17, 16], kernel: [4, 4], stride: 2, padding: 1),
    Setting(batch: 16, inChannels: 16, outChannels: 32, size: [16, 15], kernel: [5, 6], stride: 2, padding: 2),
    Setting(batch: 16, inChannels: 16, outChannels: 16, size: [18, 18], kernel: [4, 4], stride: 2),
    Setting(batch: 16, inChannels: 32, outChannels: 16, size: [16, 16], kernel: [3, 3], stride: 2, padding: 1),
    Setting(batch: 64, inChannels: 128, outChannels: 256, size: [8, 8], kernel: [4, 4], stride: 2, padding: 1),
  ]
}

/// Layouts of an image that convolutions have to take as they come.
private enum ImageLayout: CaseIterable {
  case rowMajor, channelsLast, reversed, everySecond, channelSlice

  func tensor(_ x: Tensor) -> Tensor {
    switch self {
    case .rowMajor: return x.contiguous()
    case .channelsLast: return x.movedim(1, -1).contiguous().movedim(-1, 1)
    case .reversed: return x.flip(0, 2).contiguous().flip(0, 2)
    case .everySecond:
      let wide = stack([x, x + 1], dim: -1).flatten(startDim: -2)
      return wide.move(.slice(axis: x.rank - 1, start: 0, step: 2, count: x.shape[-1]))
    case .channelSlice:
      let channels = x.shape[1]
      return cat([x - 1, x, x + 1], dim: 1).movedim(1, -1).contiguous().movedim(-1, 1).narrow(
        dim: 1, start: channels, count: channels)
    }
  }
}

@Suite("convolution")
struct ConvolutionTests {
  /// Values and first-order gradients of two functions of (x, w, b).
  private func expectSame(
    _ inputs: [Tensor], _ tolerance: Double, _ comment: String, _ fast: ([Tensor]) -> Tensor, _ plain: ([Tensor]) -> Tensor
  ) {
    let leaves = inputs.map { input in
      var leaf = input
      leaf.requiresGrad = true
      return leaf
    }
    let ys = [fast(leaves), plain(leaves)]
    // The error of Winograd's method is one of its tile, not of an output.
    let size = max(1, ys[1].abs().max().item() / 4)
    expectClose(ys[0], ys[1].to(ys[0].dtype), relative: tolerance, absolute: tolerance * size, comment)
    guard ys[0].shape == ys[1].shape else { return }
    let weights = (samples(ys[0].shape, seed: 77) * 0.25).to(ys[0].dtype)
    let gradients = ys.map { grad(of: $0, withRespectTo: leaves, gradient: weights.to($0.dtype)) }
    for (i, (a, b)) in zip(gradients[0], gradients[1]).enumerated() {
      let scale = max(1, b.abs().max().item())
      expectClose(a, b, relative: tolerance, absolute: 4 * tolerance * scale, "\(comment), gradient \(i)")
    }
  }

  private func inputs(_ setting: Setting, _ weight: Shape, _ dtype: DType, _ layout: ImageLayout = .rowMajor) -> [Tensor] {
    [
      layout.tensor(samples(setting.input, seed: 1).to(dtype)), (samples(weight, seed: 2) * 0.25).to(dtype),
      samples([setting.outChannels], seed: 3).to(dtype),
    ]
  }

  @Test("every rank, stride, padding, dilation and grouping agrees with the twin in value and gradient", arguments: Setting.all)
  private func twins(setting: Setting) {
    let (x, t) = (inputs(setting, setting.weight, .float64), inputs(setting, setting.transposedWeight, .float64))
    expectSame(x, 1e-12, "\(setting.testDescription)", { setting.convolution($0[0], $0[1], $0[2]) }) {
      setting.twin($0[0], $0[1], $0[2])
    }
    let name = setting.axes == 1 && setting.padding > 2 ? nil : "transposed \(setting.testDescription)"
    guard let name else { return }
    expectSame(t, 1e-12, name, { setting.transposed($0[0], $0[1], $0[2]) }) { setting.transposedTwin($0[0], $0[1], $0[2]) }
  }

  @Test("large and uneven sizes agree with the twin, in both precisions", arguments: Setting.large)
  private func large(setting: Setting) {
    for dtype in [DType.float32, .float64] {
      let tolerance = dtype == .float64 ? 1e-12 : 2e-5
      let x = inputs(setting, setting.weight, dtype)
      expectSame(x, tolerance, "\(dtype)", { setting.convolution($0[0], $0[1], $0[2]) }) { setting.twin($0[0], $0[1], $0[2]) }
      if setting.padding > 4 { continue }
      let t = inputs(setting, setting.transposedWeight, dtype)
      expectSame(t, tolerance, "transposed \(dtype)", { setting.transposed($0[0], $0[1], $0[2]) }) {
        setting.transposedTwin($0[0], $0[1], $0[2])
      }
    }
  }

  @Test("the input may lie in any layout, and so may the weight", arguments: ImageLayout.allCases)
  private func layouts(layout: ImageLayout) {
    for (ins, outs, groups) in [(3, 4, 1), (16, 24, 1), (12, 12, 12), (1, 9, 1), (8, 8, 2)] {
      let setting = Setting(
        inChannels: ins, outChannels: outs, size: [6, 10], kernel: [3, 3], stride: 2, padding: 1, groups: groups)
      var x = inputs(setting, setting.weight, .float64, layout)
      expectSame(x, 1e-12, "\(ins)→\(outs)", { setting.convolution($0[0], $0[1], $0[2]) }) { setting.twin($0[0], $0[1], $0[2]) }
      x[1] = layout.tensor(x[1])
      x[2] = x[2].flip(0)
      expectSame(x, 1e-12, "weight \(ins)→\(outs)", { setting.convolution($0[0], $0[1], $0[2]) }) {
        setting.twin($0[0], $0[1], $0[2])
      }
    }
    let expanded = samples([1, 1, 1, 5], seed: 4).expand(2, 3, 4, 5)
    let w = samples([2, 3, 3, 3], seed: 5)
    expectClose(
      conv2d(expanded, w), convolutionTwin(expanded, w, stride: [1, 1], padding: [0, 0], dilation: [1, 1]), relative: 1e-12)
  }

  @Test("float16 and bfloat16 are computed in float32 and rounded once", arguments: [DType.float16, .bfloat16])
  func halves(dtype: DType) {
    var (x, w, b) = (
      samples([2, 5, 6, 6], seed: 1).to(dtype), samples([7, 5, 3, 3], seed: 2).to(dtype), samples([7], seed: 3).to(dtype)
    )
    let wide = conv2d(x.to(.float32), w.to(.float32), b.to(.float32), padding: 1)
    expectClose(conv2d(x, w, b, padding: 1), wide.to(dtype), relative: 0, absolute: 0)
    (x.requiresGrad, w.requiresGrad, b.requiresGrad) = (true, true, true)
    let gradients = grad(of: conv2d(x, w, b, padding: 1).sum(), withRespectTo: [x, w, b])
    #expect(gradients.map(\.dtype) == [dtype, dtype, dtype])
    #expect(conv2d(x, w.to(.float32)).dtype == .float32)
  }

  @Test("gradients of first and second order against central differences, for x, w and b")
  func gradients() throws {
    let settings = [
      Setting(batch: 2, inChannels: 2, outChannels: 3, size: [5], kernel: [3], stride: 2, padding: 1),
      Setting(batch: 1, inChannels: 2, outChannels: 2, size: [4, 3], kernel: [3, 2], padding: 1),
      Setting(batch: 1, inChannels: 2, outChannels: 4, size: [4, 4], kernel: [2, 2], stride: 2, dilation: 2, groups: 2),
      Setting(batch: 2, inChannels: 2, outChannels: 2, size: [3, 4], kernel: [2, 2], stride: 2, padding: 1, groups: 2),
      Setting(batch: 1, inChannels: 1, outChannels: 2, size: [2, 3, 2], kernel: [2, 2, 2], padding: 1),
    ]
    for setting in settings {
      let x = inputs(setting, setting.weight, .float64)
      try gradientCheck(x, order: 2) { setting.convolution($0[0], $0[1], $0[2]) }
      try gradientCheck(Array(x.prefix(2)), order: 2) { setting.convolution($0[0], $0[1], nil).square() }
      let t = inputs(setting, setting.transposedWeight, .float64)
      try gradientCheck(t, order: 2) { setting.transposed($0[0], $0[1], $0[2]) }
    }
    // The same tensor as image and as kernel.
    try gradientCheck([samples([2, 2, 3, 3], seed: 8)], order: 2) { conv2d($0[0], $0[0], padding: 1) }
  }

  @Test("a third derivative is right too")
  func thirdOrder() {
    let (x, w) = (samples([1, 1, 4], seed: 1), samples([1, 1, 2], seed: 2))
    let derivatives = [
      { (x: Tensor, w: Tensor) in conv1d(x, w) }, { convolutionTwin($0, $1, stride: [1], padding: [0], dilation: [1]) },
    ]
    .map { function -> Tensor in
      var (x, w) = (x, w)
      (x.requiresGrad, w.requiresGrad) = (true, true)
      let y = function(x, w)
      let first = grad(of: (y * y * y * y).sum(), withRespectTo: [x], createGraph: true)[0]
      let second = grad(of: (first * first).sum(), withRespectTo: [w], createGraph: true)[0]
      return grad(of: second.sum(), withRespectTo: [x])[0]
    }
    expectClose(derivatives[0], derivatives[1], relative: 1e-10)
    #expect(derivatives[0].abs().sum().item() > 0)
  }

  @Test("padding: same, valid, numbers; asymmetric where the kernel is even")
  func paddings() {
    let (x, w) = (samples([2, 3, 7, 8], seed: 1), samples([4, 3, 4, 3], seed: 2))
    let same = conv2d(x, w, padding: .same)
    #expect(same.shape == [2, 4, 7, 8])
    // One row of zeros before, two after.
    let wide = x.move(.embed(axis: 2, start: 1, step: 1, size: 10)).move(.embed(axis: 3, start: 1, step: 1, size: 10))
    expectClose(same, conv2d(wide, w), relative: 1e-12)
    expectClose(conv2d(x, w, padding: .valid), conv2d(x, w), relative: 0)
    expectClose(conv2d(x, w, padding: [2, 1]), conv2d(x, w, padding: [2, 1], dilation: [1, 1]), relative: 0)
    #expect(conv2d(x, w, padding: .same, dilation: 2).shape == [2, 4, 7, 8])
  }

  @Test("one image without a batch, and no image at all")
  func batches() throws {
    let (x, w, b) = (samples([3, 5, 6], seed: 1), samples([4, 3, 3, 3], seed: 2), samples([4], seed: 3))
    expectClose(conv2d(x, w, b), conv2d(x.unsqueeze(dim: 0), w, b)[0], relative: 0)
    let t = samples([3, 4, 3, 3], seed: 4)
    expectClose(convTranspose2d(x, t, b, stride: 2), convTranspose2d(x.unsqueeze(dim: 0), t, b, stride: 2)[0], relative: 0)
    var (empty, weight) = (Tensor.zeros([0, 3, 5, 6], dtype: .float64), w)
    (empty.requiresGrad, weight.requiresGrad) = (true, true)
    let y = conv2d(empty, weight, b)
    #expect(y.shape == [0, 4, 3, 4])
    let gradients = grad(of: y.sum(), withRespectTo: [empty, weight])
    #expect(gradients[0].shape == [0, 3, 5, 6])
    expectClose(gradients[1], Tensor.zerosLike(w), relative: 0)
    #expect(convTranspose2d(empty, t).shape == [0, 4, 7, 8])
  }

  @Test("what is not finite in one group of channels stays in it")
  func infiniteGroups() {
    var (x, w) = (samples([1, 8, 4, 4], seed: 1), samples([8, 2, 3, 3], seed: 2))
    let y = conv2d(x, w, padding: 1, groups: 4)
    x[0, 2, 1, 1] = Tensor(Double.infinity)
    let z = conv2d(x, w, padding: 1, groups: 4)
    for channel in [0, 1, 4, 5, 6, 7] { expectClose(z[0, channel], y[0, channel], relative: 1e-12) }
    #expect(z[0, 2].isFinite().all().item() == 0)
    w[7] = Tensor(Double.nan)
    #expect(conv2d(x, w, padding: 1, groups: 4)[0, 0].isFinite().all().item() == 1)
  }

  @Test("results with 8 channels or more are channels last, others row-major; the weight's gradient is row-major")
  func resultLayout() {
    var (x, w) = (samples([2, 3, 6, 6], seed: 1), samples([8, 3, 3, 3], seed: 2))
    (x.requiresGrad, w.requiresGrad) = (true, true)
    let y = conv2d(x, w, padding: 1)
    #expect(y.strides == [288, 1, 48, 8])
    let gradients = grad(of: y.sum(), withRespectTo: [x, w])
    #expect(gradients[0].isContiguous)
    #expect(gradients[1].isContiguous)
    #expect(conv2d(x, w.narrow(dim: 0, start: 0, count: 7)).isContiguous)
  }

  @Test("the same bits with one thread as with many")
  func threads() async {
    for setting in Setting.large {
      let x = inputs(setting, setting.weight, .float32)
      let run = {
        var leaves = x
        for i in leaves.indices { leaves[i].requiresGrad = true }
        let y = setting.convolution(leaves[0], leaves[1], leaves[2])
        return [y] + grad(of: y.square().sum(), withRespectTo: leaves)
      }
      let many = run()
      // Inside a chunk of the pool every op runs on its thread alone.
      let results = Locked<[Tensor]>([])
      ThreadPool.shared.run(chunks: 2) { chunk in
        if chunk == 0 { results.withLock { $0 = run() } }
      }
      let single = results.withLock { $0 }
      for (a, b) in zip(many, single) {
        #expect((a .== b).all().item() == 1, "\(setting.testDescription)")
      }
    }
  }
}
