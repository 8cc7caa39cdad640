import ApusCore
import ApusNN
import TestSupport
import Testing

/// Multi-head attention and transformers against PyTorch's, as `Tests/Golden/make_transformer_golden.py` wrote them; the state goes in by name.
@Suite("golden values of transformers")
struct TransformerGoldenTests {
  struct Case: Decodable {
    let name: String
    let options: Options
    let state: [String: GoldenTensor]
    let inputs: [String: GoldenTensor]
    let masks: [String: GoldenTensor]?
    let outputs: [GoldenTensor]
    let inputGradients: [GoldenTensor]
    let gradients: [String: GoldenTensor]

    private enum CodingKeys: String, CodingKey {
      case name, options, state, inputs, masks, outputs, gradients
      case inputGradients = "input_gradients"
    }

    struct Options: Decodable {
      var bias: Bool?
      var kdim: Int?
      var vdim: Int?
      var batchFirst: Bool?
      var addBiasKV: Bool?
      var addZeroAttn: Bool?
      var averageWeights: Bool?
      var needWeights: Bool?
      var normFirst: Bool?
      var activation: String?
      var layerNormEps: Double?

      private enum CodingKeys: String, CodingKey {
        case bias, kdim, vdim, activation
        case batchFirst = "batch_first"
        case addBiasKV = "add_bias_kv"
        case addZeroAttn = "add_zero_attn"
        case averageWeights = "average_attn_weights"
        case needWeights = "need_weights"
        case normFirst = "norm_first"
        case layerNormEps = "layer_norm_eps"
      }
    }

    var dtype: DType { outputs[0].tensor.dtype }

    /// Loads the state and compares outputs and all gradients, those of `names` first.
    func check(_ module: Module, _ names: [String], _ function: ([String: Tensor]) -> [Tensor]) throws {
      let saved = StateDict(state.map { ($0, $1.tensor) })
      try module.loadStateDict(saved)
      module.eval()
      var x = inputs.mapValues(\.tensor)
      for name in names { x[name]!.requiresGrad = true }
      let ys = function(x)
      for (y, expected) in zip(ys, outputs) { expectGolden(y.detach(), expected, name) }
      let terms = ys.map { y in
        (y * (Tensor.arange(1.0, Double(y.count) + 0.5, dtype: y.dtype) / 10).reshape(y.shape)).sum()
      }
      let parameters = module.namedParameters()
      let found = grad(
        of: terms.dropFirst().reduce(terms[0], +), withRespectTo: names.map { x[$0]! } + parameters.map(\.cell.value))
      for (i, expected) in inputGradients.enumerated() { expectGradient(found[i], expected, names[i]) }
      #expect(Set(parameters.map(\.name)) == Set(gradients.keys))
      for (i, parameter) in parameters.enumerated() {
        if let expected = gradients[parameter.name] { expectGradient(found[names.count + i], expected, parameter.name) }
      }
    }

    /// Sums over many terms of either sign: float32's last digits differ.
    private func expectGradient(_ x: Tensor, _ expected: GoldenTensor, _ name: String) {
      let relative: Double = x.dtype == .float64 ? 1e-10 : 1e-5
      let largest = expected.tensor.abs().max().item() + 1
      expectClose(x, expected.tensor, relative: relative, absolute: relative * largest, "gradient of \(name) in \(self.name)")
    }
  }

  @Test("multi-head attention")
  func multihead() throws {
    for golden in try cases("multihead") {
      let o = golden.options
      let attention = MultiheadAttention(
        4, 2, bias: o.bias ?? true, addBiasKV: o.addBiasKV ?? false, addZeroAttn: o.addZeroAttn ?? false, kdim: o.kdim,
        vdim: o.vdim, batchFirst: o.batchFirst ?? false, dtype: golden.dtype)
      let (padding, mask) = (golden.masks?["padding"]?.tensor, golden.masks?["mask"]?.tensor)
      let names = ["query", "key", "value"].filter { golden.inputs[$0] != nil }
      try golden.check(attention, names) { x in
        let (q, k, v) = (x["query"]!, x["key"] ?? x["query"]!, x["value"] ?? x["query"]!)
        let both = attention.withWeights(
          q, k, v, keyPaddingMask: padding, attnMask: mask, averageWeights: o.averageWeights ?? true)
        let fused = attention(q, k, v, keyPaddingMask: padding, attnMask: mask)
        expectClose(fused, both.output, relative: 1e-5, absolute: 1e-6)
        return o.needWeights == false ? [fused] : [both.output, both.weights]
      }
    }
  }

  @Test("transformer layers, and a whole transformer")
  func transformers() throws {
    let padding = Tensor([[false, false], [false, true]])
    for golden in try cases("transformerLayers") + cases("transformer") {
      let o = golden.options
      let (first, normFirst, bias) = (o.batchFirst ?? false, o.normFirst ?? false, o.bias ?? true)
      let (eps, activation) = (o.layerNormEps ?? 1e-5, o.activation == "gelu" ? TransformerActivation.gelu : .relu)
      switch golden.name {
      case "encoder layer":
        let layer = TransformerEncoderLayer(
          4, 2, dimFeedforward: 3, dropout: 0, activation: activation, layerNormEps: eps, batchFirst: first,
          normFirst: normFirst, bias: bias, dtype: golden.dtype)
        try golden.check(layer, ["src"]) { [layer($0["src"]!, srcKeyPaddingMask: padding)] }
      case "decoder layer":
        let layer = TransformerDecoderLayer(
          4, 2, dimFeedforward: 3, dropout: 0, activation: activation, layerNormEps: eps, batchFirst: first,
          normFirst: normFirst, bias: bias, dtype: golden.dtype)
        try golden.check(layer, ["tgt", "memory"]) {
          [layer($0["tgt"]!, $0["memory"]!, memoryKeyPaddingMask: padding, tgtIsCausal: true)]
        }
      default:
        let model = Transformer(
          4, 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 3, dropout: 0, dtype: golden.dtype)
        try golden.check(model, ["src", "tgt"]) {
          [
            model(
              $0["src"]!, $0["tgt"]!, tgtMask: Transformer.generateSquareSubsequentMask(3), srcKeyPaddingMask: padding,
              memoryKeyPaddingMask: padding)
          ]
        }
      }
    }
  }

  private func cases(_ name: String) throws -> [Case] {
    try Golden<Case>.load(name, file: #filePath.replacing("/Attention/", with: "/"))
  }
}
