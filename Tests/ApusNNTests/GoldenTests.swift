import ApusCore
import ApusNN
import TestSupport
import Testing

/// Values and gradients against PyTorch's.
@Suite("golden values")
struct GoldenTests {
  /// A function's inputs, its output, and the gradients of Σ output · (1, 2, 3, …)/10 with respect to some inputs.
  struct Case: Decodable {
    let name: String
    let options: Options
    let inputs: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]

    struct Options: Decodable {
      var reduction: String?
      var labelSmoothing: Double?
      var ignoreIndex: Int?

      private enum CodingKeys: String, CodingKey {
        case reduction
        case labelSmoothing = "label_smoothing"
        case ignoreIndex = "ignore_index"
      }
    }

    var reduction: Reduction { Reduction(rawValue: options.reduction ?? "mean")! }

    /// Compares output and gradients of `function`, whose inputs `names` (as far as they are there) are differentiated by.
    func check(_ names: [String], _ function: ([String: Tensor]) -> Tensor) {
      var x = inputs.mapValues(\.tensor)
      let present = names.filter { x[$0] != nil }
      for name in present { x[name]!.requiresGrad = true }
      let y = function(x)
      let comment = "\(name) \(options)"
      expectGolden(y, output, comment)
      expectGoldenGradients(of: y, by: present.map { x[$0]! }, gradients, comment)
    }
  }

  @Test("linear")
  func linearValues() throws {
    for golden in try Golden<Case>.load("linear") {
      golden.check(["x", "weight", "bias"]) { linear($0["x"]!, $0["weight"]!, $0["bias"]) }
      golden.check(["x", "weight", "bias"]) { linearTwin($0["x"]!, $0["weight"]!, $0["bias"]) }
    }
  }

  @Test("mean squared error")
  func mse() throws {
    for golden in try Golden<Case>.load("mse") {
      golden.check(["x", "target"]) { mseLoss($0["x"]!, $0["target"]!, reduction: golden.reduction) }
      golden.check(["x", "target"]) { MSELoss(reduction: golden.reduction)($0["x"]!, $0["target"]!) }
    }
  }

  @Test("cross-entropy")
  func crossEntropyValues() throws {
    for golden in try Golden<Case>.load("crossEntropy") {
      let names = golden.gradients.count == 2 ? ["x", "target"] : ["x"]
      let (ignored, smoothing) = (golden.options.ignoreIndex ?? -100, golden.options.labelSmoothing!)
      golden.check(names) {
        crossEntropy(
          $0["x"]!, $0["target"]!, weight: $0["weight"], ignoreIndex: ignored, labelSmoothing: smoothing,
          reduction: golden.reduction)
      }
      golden.check(names) {
        CrossEntropyLoss(weight: $0["weight"], ignoreIndex: ignored, labelSmoothing: smoothing, reduction: golden.reduction)(
          $0["x"]!, $0["target"]!)
      }
    }
  }

  @Test("negative log likelihood")
  func nll() throws {
    for golden in try Golden<Case>.load("nll") {
      let ignored = golden.options.ignoreIndex!
      golden.check(["x"]) {
        nllLoss($0["x"]!, $0["target"]!, weight: $0["weight"], ignoreIndex: ignored, reduction: golden.reduction)
      }
      golden.check(["x"]) {
        NLLLoss(weight: $0["weight"], ignoreIndex: ignored, reduction: golden.reduction)($0["x"]!, $0["target"]!)
      }
    }
  }
}
