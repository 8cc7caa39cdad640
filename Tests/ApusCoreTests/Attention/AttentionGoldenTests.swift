import ApusCore
import TestSupport
import Testing

/// Attention against PyTorch's, as `Tests/Golden/make_attention_golden.py` wrote it: the blocked op and its twin.
@Suite("golden values of attention")
struct AttentionGoldenTests {
  struct Case: Decodable {
    let name: String
    let options: Options
    let inputs: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]

    struct Options: Decodable {
      var isCausal: Bool?
      var isGrouped: Bool?
      var scale: Double?

      private enum CodingKeys: String, CodingKey {
        case isCausal = "is_causal"
        case isGrouped = "enable_gqa"
        case scale
      }
    }
  }

  @Test("values and gradients")
  func values() throws {
    for golden in try Golden<Case>.load("attention", file: #filePath.replacing("/Attention/", with: "/")) {
      let (causal, grouped) = (golden.options.isCausal ?? false, golden.options.isGrouped ?? false)
      let scale = golden.options.scale
      let functions = [
        { (q: Tensor, k: Tensor, v: Tensor, m: Tensor?) in
          scaledDotProductAttention(q, k, v, mask: m, isCausal: causal, scale: scale, enableGQA: grouped)
        },
        { (q: Tensor, k: Tensor, v: Tensor, m: Tensor?) in
          attentionTwin(q, k, v, mask: m, isCausal: causal, scale: scale, enableGQA: grouped)
        },
      ]
      for function in functions { check(golden, function) }
    }
  }

  private func check(_ golden: Case, _ function: (Tensor, Tensor, Tensor, Tensor?) -> Tensor) {
    var x = golden.inputs.mapValues(\.tensor)
    // The shape without a gradient goes another way where there are few queries.
    expectGolden(function(x["query"]!, x["key"]!, x["value"]!, x["mask"]), golden.output, golden.name)
    let names = ["query", "key", "value", "mask"].prefix(golden.gradients.count)
    for name in names { x[name]!.requiresGrad = true }
    let y = function(x["query"]!, x["key"]!, x["value"]!, x["mask"])
    expectGolden(y, golden.output, golden.name)
    expectGoldenGradients(of: y, by: names.map { x[$0]! }, golden.gradients, golden.name)
  }
}
