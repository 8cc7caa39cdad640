import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("transformers")
struct TransformerTests {
  @Test("PyTorch's keys, in its order")
  func keys() {
    let attention = { (name: String) in
      ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"].map { "\(name).\($0)" }
    }
    let rest = ["linear1", "linear2", "norm1", "norm2"].flatMap { ["\($0).weight", "\($0).bias"] }
    let encoder = attention("self_attn") + rest
    let decoder = attention("self_attn") + attention("multihead_attn") + rest + ["norm3.weight", "norm3.bias"]
    let model = Transformer(4, 2, numEncoderLayers: 2, numDecoderLayers: 1, dimFeedforward: 3)
    let norm = ["norm.weight", "norm.bias"]
    let expected =
      (0..<2).flatMap { i in encoder.map { "encoder.layers.\(i).\($0)" } } + norm.map { "encoder.\($0)" }
      + decoder.map { "decoder.layers.0.\($0)" } + norm.map { "decoder.\($0)" }
    #expect(model.stateDict().names == expected)
    #expect(
      TransformerEncoderLayer(4, 2, dimFeedforward: 3).description.hasPrefix(
        "TransformerEncoderLayer(\n  dModel: 4, nhead: 2, dimFeedforward: 3, dropout: 0.1, activation: relu, "
          + "batchFirst: false, normFirst: false\n  (self_attn): MultiheadAttention("))
  }

  @Test("matrices of a transformer start by Glorot's rule, each layer by itself")
  func start() {
    let model = Transformer(
      32, 4, numEncoderLayers: 2, numDecoderLayers: 1, dimFeedforward: 64, generator: Generator(seed: 1))
    for (name, cell) in model.namedParameters() where cell.shape.rank == 2 {
      let bound = (6 / Double(cell.shape[0] + cell.shape[1])).squareRoot()
      let largest = cell.value.abs().max().item()
      #expect(largest <= bound && largest > 0.97 * bound, "\(name)")
    }
    let layers = model.encoder.layers
    #expect((layers[0].linear1.weight .!= layers[1].linear1.weight).any().item() == 1)
  }

  @Test("every parameter gets a finite, non-zero gradient")
  func gradients() {
    for normFirst in [false, true] {
      let model = Transformer(
        4, 2, numEncoderLayers: 2, numDecoderLayers: 2, dimFeedforward: 5, activation: .gelu, batchFirst: true,
        normFirst: normFirst, dtype: .float64, generator: Generator(seed: 1))
      let y = model(samples([2, 3, 4], seed: 1), samples([2, 5, 4], seed: 2), tgtIsCausal: true)
      (y * samples(y.shape, seed: 3)).sum().backward()
      for (name, cell) in model.namedParameters() {
        #expect(cell.grad.map { $0.isFinite().all().item() == 1 && $0.abs().sum().item() > 0 } == true, "\(name)")
      }
    }
  }

  @Test("first and second order gradients of the layers")
  func secondOrder() throws {
    let encoder = TransformerEncoderLayer(
      4, 2, dimFeedforward: 3, dropout: 0, activation: .custom { $0.tanh() }, dtype: .float64, generator: Generator(seed: 1))
    let decoder = TransformerDecoderLayer(
      4, 2, dimFeedforward: 3, dropout: 0, activation: .gelu, normFirst: true, dtype: .float64, generator: Generator(seed: 2))
    let (x, y) = (samples([2, 1, 4], seed: 1), samples([3, 1, 4], seed: 2))
    try gradientCheck([x], order: 2, absolute: 1e-4) { encoder($0[0], isCausal: true) }
    try gradientCheck([y, x], order: 2, absolute: 1e-4) { decoder($0[0], $0[1], tgtIsCausal: true) }
  }

  @Test("a causal flag is the mask of a causal sequence")
  func causal() {
    let model = Transformer(
      4, 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 5, batchFirst: true, dtype: .float64)
    model.eval()
    let (src, tgt) = (samples([2, 3, 4], seed: 1), samples([2, 5, 4], seed: 2))
    let mask = Transformer.generateSquareSubsequentMask(5, dtype: .float64)
    let row = [0] + [Double](repeating: -.infinity, count: 4)
    #expect(mask[0].scalars(as: Double.self) == row)
    expectClose(model(src, tgt, tgtIsCausal: true), model(src, tgt, tgtMask: mask), relative: 1e-12)
    expectClose(model(src[0], tgt[0]), model(src, tgt)[0], relative: 1e-12)
    let square = model(src, tgt, srcMask: Transformer.generateSquareSubsequentMask(3, dtype: .float64))
    expectClose(model(src, tgt, srcIsCausal: true), square, relative: 1e-12)
  }

  @Test("a language model of encoder layers decodes with caches as it reads at once")
  func decoding() {
    let model = TransformerEncoder(numLayers: 2, norm: LayerNorm(4, dtype: .float64)) {
      TransformerEncoderLayer(4, 2, dimFeedforward: 8, batchFirst: true, normFirst: true, dtype: .float64)
    }
    model.eval()
    let x = samples([2, 7, 4], seed: 1)
    noGrad {
      let full = model(x, isCausal: true)
      let caches = [KeyValueCache(), KeyValueCache()]
      let parts = (0..<7).map { model(x.narrow(dim: 1, start: $0, count: 1), isCausal: true, caches: caches) }
      expectClose(cat(parts, dim: 1), full, relative: 1e-10)
    }
    expectClose(model.forward(x), model(x), relative: 0)
    expectMistake("TransformerEncoder: 1 caches for 2 layers") { _ = noGrad { model(x, caches: [KeyValueCache()]) } }
    expectMistake("TransformerEncoder: numLayers = -1 is negative") {
      _ = TransformerEncoder(numLayers: -1) { TransformerEncoderLayer(4, 2) }
    }
    expectMistake("TransformerDecoder: numLayers = -1 is negative") {
      _ = TransformerDecoder(numLayers: -1) { TransformerDecoderLayer(4, 2) }
    }
  }
}
