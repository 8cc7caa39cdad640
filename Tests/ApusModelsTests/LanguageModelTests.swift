import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("Language models")
struct LanguageModelTests {
  static let names = ["rnn", "lstm", "gru", "tied gru", "gpt", "llama"]

  private func model(_ name: String) -> any LanguageModel {
    let generator = Generator(seed: 3)
    return switch name {
    case "gpt": GPT(vocabulary: 11, context: 12, layers: 2, heads: 2, width: 8, dropout: 0.5, generator: generator)
    case "llama": Llama(vocabulary: 11, context: 12, layers: 2, heads: 4, keyValueHeads: 2, width: 16, generator: generator)
    case "tied gru": RecurrentLanguageModel(.gru, vocabulary: 11, hidden: 8, tiesWeights: true, generator: generator)
    case let cell:
      RecurrentLanguageModel(
        .init(rawValue: cell)!, vocabulary: 11, width: 6, hidden: 8, layers: 2, dropout: 0.5, generator: generator)
    }
  }

  private let ids = Tensor([[1, 5, 2, 9, 4, 4], [3, 3, 0, 10, 8, 1]])

  @Test("no position sees what comes later", arguments: names)
  func causality(name: String) {
    let model = model(name)
    model.eval()
    var other = ids
    other[0, 4] = 7
    let (y, z) = noGrad { (model(ids), model(other)) }
    #expect(y.shape == [2, 6, 11])
    expectClose(y[0..., ..<4], z[0..., ..<4], relative: 0, absolute: 0)
    #expect((y[0..., 4...] - z[0..., 4...]).abs().amax().item() > 0)
  }

  @Test("reading with a memory gives what the whole gives", arguments: names)
  func memory(name: String) {
    let model = model(name)
    model.eval()
    func expectSteps<Model: LanguageModel>(_ model: Model) {
      let whole = model(ids)
      var memory = model.makeMemory()
      // Three tokens, then two, then one.
      expectClose(model.next(ids[0..., ..<3], memory: &memory), whole[0..., 2], absolute: 1e-6)
      expectClose(model.next(ids[0..., 3..<5], memory: &memory), whole[0..., 4], absolute: 1e-6)
      expectClose(model.next(ids[0..., 5...], memory: &memory), whole[0..., 5], absolute: 1e-6)
    }
    noGrad { expectSteps(model) }
  }

  @Test(
    "every parameter gets a gradient, and a few steps of descent learn a line, which the model then writes", arguments: names)
  func training(name: String) {
    let model = model(name)
    crossEntropy(model(ids).flatten(endDim: 1), ids.flatten()).backward()
    expectGradients(model)
    model.eval()
    let line = [1, 5, 2, 9, 4, 7, 0, 3]
    let (x, target) = (Tensor([Array(line.dropLast())]), Tensor(Array(line.dropFirst())))
    let cells = model.parameters()
    var losses: [Double] = []
    for _ in 0..<300 { losses.append(descend(crossEntropy(model(x).flatten(endDim: 1), target), cells, rate: 0.5)) }
    #expect(losses.last! < 0.1 * losses[0], "\(losses[0]), then \(losses.last!)")
    #expect(model.generate(after: [1, 5], count: 6, sampling: .greedy) == [2, 9, 4, 7, 0, 3])
  }

  @Test("generating depends on the seed, stops when told to, goes on past the context, and leaves the mode as it was")
  func generating() {
    for name in Self.names {
      let model = model(name)
      let sampling = TokenSampling(temperature: 1.5)
      let text = model.generate(after: [1, 2], count: 40, sampling: sampling, generator: Generator(seed: 7))
      #expect(text.count == 40 && text.allSatisfy { (0..<11).contains($0) })
      #expect(model.generate(after: [1, 2], count: 40, sampling: sampling, generator: Generator(seed: 7)) == text)
      #expect(model.generate(after: [1, 2], count: 40, sampling: sampling, generator: Generator(seed: 8)) != text)
      var seen: [Int] = []
      let short = model.generate(after: [1, 2], count: 40, sampling: sampling, generator: Generator(seed: 7)) {
        seen.append($0)
        return seen.count < 3
      }
      #expect(short == seen && seen == Array(text.prefix(3)))
      // A prompt that is longer than the context.
      #expect(model.generate(after: Array(0..<11) + Array(0..<11), count: 2).count == 2)
      #expect(model.isTraining)
      expectMistake("\(type(of: model)): no token to go on from") { model.generate(after: [], count: 1) }
    }
  }

  @Test("a recurrent model has the names of PyTorch's example; its state can be passed on")
  func recurrent() {
    let model = RecurrentLanguageModel(.lstm, vocabulary: 11, width: 6, hidden: 8, layers: 2, generator: Generator(seed: 4))
    #expect(
      model.stateDict().names == [
        "encoder.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "rnn.weight_ih_l1",
        "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1", "decoder.weight", "decoder.bias",
      ])
    let (first, state) = model(ids[0..., ..<3], nil)
    let (second, _) = model(ids[0..., 3...], state)
    expectClose(cat([first, second], dim: 1), model(ids), absolute: 1e-6)
    #expect(state.h.shape == [2, 2, 8] && state.c?.shape == [2, 2, 8])
    #expect(state.h.requiresGrad && !state.detached().h.requiresGrad && state.detached().c?.requiresGrad == false)
    let tied = RecurrentLanguageModel(.rnn, vocabulary: 11, hidden: 8, tiesWeights: true)
    #expect(tied.decoder.$weight === tied.encoder.$weight)
    expectMistake("RecurrentLanguageModel: tied weights need as many features (6) as units (8)") {
      _ = RecurrentLanguageModel(.rnn, vocabulary: 11, width: 6, hidden: 8, tiesWeights: true)
    }
    expectMistake("RecurrentLanguageModel: ids of shape [3] are not [batch, tokens]") { _ = model(Tensor([1, 2, 3])) }
  }

  @Test("Llama has the names of Meta's files and as many parameters as its paper says")
  func llama() {
    let names = Llama(vocabulary: 11, context: 12, layers: 1, heads: 4, keyValueHeads: 2, width: 16).stateDict().names
    #expect(
      names == [
        "tok_embeddings.weight", "layers.0.attention.wq.weight", "layers.0.attention.wk.weight", "layers.0.attention.wv.weight",
        "layers.0.attention.wo.weight", "layers.0.feed_forward.w1.weight", "layers.0.feed_forward.w2.weight",
        "layers.0.feed_forward.w3.weight", "layers.0.attention_norm.weight", "layers.0.ffn_norm.weight", "norm.weight",
        "output.weight",
      ])
    // A thirty-second of the 7B model's layers: 32 of them, embedding, head and last norm make 6,738,415,616.
    let layer = Llama(vocabulary: 1, context: 1, layers: 1, heads: 32, width: 4096, hidden: 11008).parameterCount - 3 * 4096
    #expect(32 * layer + 2 * 32000 * 4096 + 4096 == 6_738_415_616)
    expectMistake("Llama: 13 tokens are more than the context of 12") {
      _ = Llama(vocabulary: 11, context: 12, layers: 1, heads: 1, width: 4)(Tensor.zeros([1, 13], dtype: .int64))
    }
    expectMistake(
      "Llama: 4 heads of width 16 with 3 keys: heads take an even number of features each, and share keys evenly"
    ) { _ = Llama(vocabulary: 11, context: 12, layers: 1, heads: 4, keyValueHeads: 3, width: 16) }
  }
}
