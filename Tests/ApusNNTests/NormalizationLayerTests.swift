import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("normalization layers")
struct NormalizationLayerTests {
  struct Case: Decodable {
    let name: String
    let options: Options
    let inputs: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]
    let buffers: [String: GoldenTensor]?

    struct Options: Decodable {
      var eps: Double?
      var shape: [Int]?
      var groups: Int?
      var size: Int?
      var momentum: Double??
      var affine: Bool?
      var trackRunningStats: Bool?

      private enum CodingKeys: String, CodingKey {
        case eps, shape, groups, size, momentum, affine
        case trackRunningStats = "track_running_stats"
      }

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        eps = try values.decodeIfPresent(Double.self, forKey: .eps)
        shape = try values.decodeIfPresent([Int].self, forKey: .shape)
        groups = try values.decodeIfPresent(Int.self, forKey: .groups)
        size = try values.decodeIfPresent(Int.self, forKey: .size)
        // null is a choice of its own.
        if values.contains(.momentum) { momentum = .some(try values.decodeIfPresent(Double.self, forKey: .momentum)) }
        affine = try values.decodeIfPresent(Bool.self, forKey: .affine)
        trackRunningStats = try values.decodeIfPresent(Bool.self, forKey: .trackRunningStats)
      }
    }

    /// Compares output and gradients of `function`, whose inputs `names` (as far as they are there) are differentiated by.
    func check(_ names: [String] = ["x", "weight", "bias"], _ function: ([String: Tensor]) -> Tensor) {
      var x = inputs.mapValues(\.tensor)
      let present = names.filter { x[$0] != nil }
      for name in present { x[name]!.requiresGrad = true }
      compare(function(x), present.map { x[$0]! })
    }

    func compare(_ y: Tensor, _ leaves: [Tensor]) {
      expectGolden(y, output, "\(name) \(options)")
      // Sums of numbers around 10 that nearly cancel.
      expectGoldenGradients(of: y, by: leaves, gradients, "\(name) \(options)", slack: 10)
    }
  }

  @Test("layer and RMS normalization are PyTorch's")
  func rows() throws {
    for golden in try Golden<Case>.load("rowNormalization") {
      let (shape, eps) = (golden.options.shape!, golden.options.eps)
      golden.check { x in
        golden.name == "rmsNorm"
          ? rmsNorm(x["x"]!, normalizedShape: shape, weight: x["weight"], eps: eps)
          : layerNorm(x["x"]!, normalizedShape: shape, weight: x["weight"], bias: x["bias"], eps: eps!)
      }
    }
  }

  @Test("batch, group and instance normalization are PyTorch's")
  func channels() throws {
    for golden in try Golden<Case>.load("channelNormalization") {
      let eps = golden.options.eps!
      golden.check { inputs in
        let (x, w, b) = (inputs["x"]!, inputs["weight"], inputs["bias"])
        switch golden.name {
        case "batchNorm": return batchNorm(x, weight: w, bias: b, eps: eps)
        case "fixed batchNorm":
          return batchNorm(x, mean: inputs["mean"]!, variance: inputs["variance"]!, weight: w, bias: b, eps: eps)
        case "groupNorm": return groupNorm(x, numGroups: golden.options.groups!, weight: w, bias: b, eps: eps)
        default: return instanceNorm(x, weight: w, bias: b, eps: eps)
        }
      }
    }
  }

  @Test("local response normalization is PyTorch's")
  func localResponse() throws {
    for golden in try Golden<Case>.load("localResponseNorm") {
      golden.check { LocalResponseNorm(golden.options.size!, alpha: 0.5, beta: 0.6, k: 1.5)($0["x"]!) }
    }
  }

  /// The layer that a golden case is about, with PyTorch's defaults where it says nothing.
  private func makeLayer(_ golden: Case) -> (any Layer)? {
    let (o, dtype) = (golden.options, golden.output.tensor.dtype)
    let (eps, momentum) = (o.eps ?? 1e-5, o.momentum ?? .some(0.1))
    let (affine, track) = (o.affine, o.trackRunningStats)
    return switch golden.name {
    case "BatchNorm1d":
      BatchNorm1d(4, eps: eps, momentum: momentum, affine: affine ?? true, trackRunningStats: track ?? true, dtype: dtype)
    case "BatchNorm2d":
      BatchNorm2d(4, eps: eps, momentum: momentum, affine: affine ?? true, trackRunningStats: track ?? true, dtype: dtype)
    case "BatchNorm3d":
      BatchNorm3d(4, eps: eps, momentum: momentum, affine: affine ?? true, trackRunningStats: track ?? true, dtype: dtype)
    case "InstanceNorm1d":
      InstanceNorm1d(4, eps: eps, momentum: momentum!, affine: affine ?? false, trackRunningStats: track ?? false, dtype: dtype)
    case "InstanceNorm2d":
      InstanceNorm2d(4, eps: eps, momentum: momentum!, affine: affine ?? false, trackRunningStats: track ?? false, dtype: dtype)
    case "InstanceNorm3d":
      InstanceNorm3d(4, eps: eps, momentum: momentum!, affine: affine ?? false, trackRunningStats: track ?? false, dtype: dtype)
    default: nil
    }
  }

  @Test("layers are PyTorch's: two batches in training, one in evaluation, and the buffers after them")
  func layers() throws {
    for golden in try Golden<Case>.load("normalizationLayers") {
      let layer = try #require(makeLayer(golden))
      for (name, cell) in layer.namedParameters() { cell.value = try #require(golden.inputs[name]).tensor }
      var batches = (0..<3).map { golden.inputs["x\($0)"]!.tensor }
      for i in 0..<3 { batches[i].requiresGrad = true }
      var outputs = [layer(batches[0]), layer(batches[1])]
      layer.eval()
      outputs.append(layer(batches[2]))
      golden.compare(stack(outputs), batches + layer.parameters().map(\.value))
      let buffers = Dictionary(uniqueKeysWithValues: layer.namedBuffers())
      #expect(Set(buffers.keys) == Set(golden.buffers!.keys))
      for (name, expected) in golden.buffers! { expectGolden(try #require(buffers[name]), expected, "\(golden.name) \(name)") }
    }
  }

  /// One of each kind, with an input that it takes and what it prints.
  static func all() -> [(layer: any Layer, input: Tensor, text: String)] {
    let (rows, images) = (samples([3, 4], seed: 1), samples([2, 4, 3, 2], seed: 2))
    let volume = images.reshape(2, 4, 3, 1, 2)
    let batch = "eps: 1e-05, momentum: 0.1, affine: true, trackRunningStats: true"
    let instance = "eps: 1e-05, momentum: 0.1, affine: true, trackRunningStats: false"
    return [
      (BatchNorm1d(4, dtype: .float64), rows, "BatchNorm1d(4, \(batch))"),
      (BatchNorm2d(4, dtype: .float64), images, "BatchNorm2d(4, \(batch))"),
      (BatchNorm3d(4, dtype: .float64), volume, "BatchNorm3d(4, \(batch))"),
      (
        BatchNorm2d(4, eps: 0.5, momentum: nil, trackRunningStats: false, dtype: .float64), images,
        "BatchNorm2d(4, eps: 0.5, momentum: nil, affine: true, trackRunningStats: false)"
      ),
      (InstanceNorm1d(4, affine: true, dtype: .float64), images.flatten(startDim: 2), "InstanceNorm1d(4, \(instance))"),
      (InstanceNorm2d(4, affine: true, dtype: .float64), images, "InstanceNorm2d(4, \(instance))"),
      (InstanceNorm3d(4, affine: true, dtype: .float64), volume, "InstanceNorm3d(4, \(instance))"),
      (LayerNorm(4, dtype: .float64), rows, "LayerNorm([4], eps: 1e-05, elementwiseAffine: true, bias: true)"),
      (
        LayerNorm([3, 2], bias: false, dtype: .float64), images,
        "LayerNorm([3, 2], eps: 1e-05, elementwiseAffine: true, bias: false)"
      ),
      (RMSNorm(4, dtype: .float64), rows, "RMSNorm([4], eps: nil, elementwiseAffine: true)"),
      (RMSNorm([3, 2], eps: 0.1, dtype: .float64), images, "RMSNorm([3, 2], eps: 0.1, elementwiseAffine: true)"),
      (GroupNorm(2, 4, dtype: .float64), images, "GroupNorm(2, 4, eps: 1e-05, affine: true)"),
      (LocalResponseNorm(3), images, "LocalResponseNorm(3, alpha: 0.0001, beta: 0.75, k: 1.0)"),
    ]
  }

  @Test("every parameter and the input get a finite, non-zero gradient, in training and evaluation")
  func gradients() {
    for isTraining in [true, false] {
      for (layer, input, text) in Self.all() {
        layer.train(isTraining)
        var x = input
        x.requiresGrad = true
        let y = layer(x)
        #expect(y.dtype == .float64)
        (y * samples(y.shape, seed: 9)).sum().backward()
        for gradient in [x.grad] + layer.parameters().map(\.grad) {
          #expect(gradient.map { $0.isFinite().all().item() == 1 && $0.abs().sum().item() > 0 } == true, "\(text)")
        }
      }
    }
  }

  @Test("a state dictionary has PyTorch's keys and brings running statistics back")
  func stateDictionary() throws {
    let layer = BatchNorm2d(3)
    _ = layer(Tensor.rand([2, 3, 4, 4], generator: Generator(seed: 1)))
    let state = layer.stateDict()
    #expect(state.names == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
    let other = BatchNorm2d(3)
    try other.loadStateDict(state)
    expectClose(other.runningVar!, layer.runningVar!, relative: 0, absolute: 0)
    #expect(other.numBatchesTracked?.item() == 1)
    layer.resetRunningStats()
    #expect(layer.numBatchesTracked?.item() == 0 && layer.runningMean!.abs().sum().item() == 0)
    #expect(LayerNorm(3, bias: false).stateDict().names == ["weight"])
    #expect(InstanceNorm2d(3).stateDict().names == [])
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("BatchNorm1d: input [2, 3, 4, 4] is not [N, C] or [N, C, L]") {
      _ = BatchNorm1d(3)(Tensor.zeros([2, 3, 4, 4]))
    }
    expectMistake("BatchNorm2d: input [2, 3, 4, 4] has 3 channels, not 4") { _ = BatchNorm2d(4)(Tensor.zeros([2, 3, 4, 4])) }
    expectMistake("BatchNorm2d: -1 features") { _ = BatchNorm2d(-1) }
    expectMistake("InstanceNorm2d: input [3] is not [C, H, W] or [N, C, H, W]") { _ = InstanceNorm2d(3)(Tensor.zeros([3])) }
    expectMistake("batchNorm: one value for each channel in [1, 4] has no variance; training takes more") {
      _ = BatchNorm1d(4)(Tensor.zeros([1, 4]))
    }
    expectMistake("GroupNorm: 4 channels do not make 3 groups") { _ = GroupNorm(3, 4) }
    expectMistake("groupNorm: weight of shape [4] where [6] is needed") { _ = GroupNorm(2, 4)(Tensor.zeros([2, 6])) }
  }
}
