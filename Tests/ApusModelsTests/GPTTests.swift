import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("GPT")
struct GPTTests {
  private func small(dropout: Double = 0) -> GPT {
    GPT(vocabulary: 11, context: 12, layers: 2, heads: 2, width: 8, dropout: dropout, generator: Generator(seed: 3))
  }

  @Test("GPT-2's size, nanoGPT's names, the head tied to the embedding")
  func names() {
    let model = small()
    let names = model.stateDict().names
    #expect(
      names.prefix(4) == [
        "transformer.wte.weight", "transformer.wpe.weight", "transformer.h.0.ln_1.weight", "transformer.h.0.ln_1.bias",
      ])
    #expect(names.contains("transformer.h.1.attn.c_attn.weight") && names.contains("transformer.h.1.mlp.c_fc.bias"))
    #expect(names.suffix(3) == ["transformer.ln_f.weight", "transformer.ln_f.bias", "lm_head.weight"])
    #expect(model.lmHead.$weight === model.transformer.wte.$weight)
    let large = GPT(vocabulary: 50257, context: 1024, layers: 12, heads: 12, width: 768)
    #expect(large.parameters().reduce(0) { $0 + $1.count } == 124_439_808)
  }

  @Test("no position sees what comes later")
  func causality() {
    let model = small()
    let ids = Tensor([[1, 5, 2, 9, 4, 4]])
    var other = ids
    other[0, 4] = 7
    let (y, z) = noGrad { (model(ids), model(other)) }
    expectClose(y[0..., ..<4], z[0..., ..<4], relative: 0, absolute: 0)
    #expect((y[0..., 4...] - z[0..., 4...]).abs().amax().item() > 0)
  }

  @Test("decoding with caches gives what the whole gives")
  func decoding() {
    let model = small(dropout: 0.5)
    model.eval()
    let ids = Tensor([[1, 5, 2, 9, 4, 4], [3, 3, 0, 10, 8, 1]])
    noGrad {
      let whole = model(ids)
      let caches = model.makeCaches()
      // Three tokens, then two, then one.
      expectClose(model.next(ids[0..., ..<3], caches: caches), whole[0..., 2], absolute: 1e-6)
      expectClose(model.next(ids[0..., 3..<5], caches: caches), whole[0..., 4], absolute: 1e-6)
      expectClose(model.next(ids[0..., 5...], caches: caches), whole[0..., 5], absolute: 1e-6)
    }
  }

  @Test("every parameter gets a gradient, and a few steps of descent memorise a line")
  func training() {
    let model = small()
    let ids = Tensor([[1, 5, 2, 9, 4, 7, 0, 3]])
    let (x, target) = (ids[0..., ..<7], ids[0..., 1...].flatten())
    var losses: [Double] = []
    for _ in 0..<60 {
      let loss = crossEntropy(model(x).reshape(-1, 11), target)
      losses.append(loss.item())
      for cell in model.parameters() { cell.grad = nil }
      loss.backward()
      for (name, cell) in model.namedParameters() {
        #expect(cell.grad.map { $0.abs().sum().item() > 0 && $0.isFinite().all().item(as: Bool.self) } == true, "\(name)")
        noGrad { cell.tensor! -= 0.5 * cell.grad! }
      }
    }
    #expect(losses.last! < 0.2 * losses[0])
  }

  @Test("what doesn't fit is an error")
  func errors() {
    expectMistake("GPT: 13 tokens are more than the context of 12") { _ = small()(Tensor.zeros([1, 13], dtype: .int64)) }
    expectMistake("GPT: ids of shape [3] are not [batch, tokens]") { _ = small()(Tensor([1, 2, 3])) }
    expectMistake("GPT: 1 caches for 2 layers") { _ = small().next(Tensor([[1]]), caches: [KeyValueCache()]) }
    expectMistake("GPT: 5 tokens, context 4, 1 layers, 3 heads of width 8: all above 0, the width a multiple of the heads") {
      _ = GPT(vocabulary: 5, context: 4, layers: 1, heads: 3, width: 8)
    }
  }
}
