import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("Encoder and decoder")
struct Seq2SeqTransformerTests {
  private func small(dropout: Double = 0, padding: Int? = nil) -> Seq2SeqTransformer {
    Seq2SeqTransformer(
      sourceVocabulary: 9, targetVocabulary: 10, width: 16, heads: 2, layers: 2, hidden: 32, dropout: dropout, padding: padding,
      generator: Generator(seed: 1))
  }

  private let source = Tensor([[1, 5, 2, 7], [3, 3, 8, 6]])
  private let target = Tensor([[9, 2, 4], [9, 1, 1]])

  @Test("no position sees what comes later in the target, and all see the source")
  func causality() {
    let model = small()
    let y = model(source, target)
    #expect(y.shape == [2, 3, 10])
    var (otherTarget, otherSource) = (target, source)
    otherTarget[0, 2] = 7
    let z = model(source, otherTarget)
    expectClose(z[0..., ..<2], y[0..., ..<2], relative: 0, absolute: 0)
    #expect((z[0, 2] - y[0, 2]).abs().amax().item() > 0)
    otherSource[0, 3] = 0
    let w = model(otherSource, target)
    #expect((w[0, 0] - y[0, 0]).abs().amax().item() > 0)
    expectClose(w[1], y[1], absolute: 1e-6)
  }

  @Test("padding changes nothing")
  func padding() {
    let model = small(padding: 0)
    let padded = cat([source, Tensor.zeros([2, 3], dtype: .int64)], dim: 1)
    expectClose(model(padded, target), model(source, target), relative: 1e-5, absolute: 1e-6)
  }

  @Test("token by token with caches it gives what the whole gives")
  func decoding() {
    let model = small(dropout: 0.3)
    model.eval()
    noGrad {
      let memory = model.encode(source)
      let caches = model.transformer.decoder.layers.map { _ in KeyValueCache() }
      let whole = model(source, target)
      for i in 0..<3 {
        let step = model.decode(target[0..., i..<(i + 1)], memory, caches: caches)
        expectClose(step, whole[0..., i..<(i + 1)], relative: 1e-5, absolute: 1e-5)
      }
    }
  }

  @Test("every parameter gets a gradient, and a few steps of descent learn to turn sequences around")
  func training() {
    let model = small()
    // Start 8, end 9.
    let (sources, answers) = (
      [[1, 2, 3], [3, 1, 2], [5, 7, 1], [4, 4, 6]], [[3, 2, 1], [2, 1, 3], [1, 7, 5], [6, 4, 4]]
    )
    let x = Tensor(sources)
    let (input, output) = (Tensor(answers.map { [8] + $0 }), Tensor(answers.map { $0 + [9] }))
    func loss() -> Tensor { crossEntropy(model(x, input).flatten(endDim: 1), output.flatten()) }
    loss().backward()
    expectGradients(model)
    let cells = model.parameters()
    for _ in 0..<200 { descend(loss(), cells, rate: 0.1) }
    #expect(model.translate(x, start: 8, end: 9, count: 10) == answers)
    #expect(model.translate(x, start: 8, end: 9, count: 2) == answers.map { Array($0.prefix(2)) })
    expectMistake("Seq2SeqTransformer: ids of shape [3] are not [batch, tokens]") { _ = model(Tensor([1, 2, 3]), input) }
  }
}
