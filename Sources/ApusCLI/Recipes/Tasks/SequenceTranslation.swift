import Apus

/// Rows of digits turned round or put in order, as the first word asks, by an encoder and a decoder: judged by the share of answers without a
/// mistake.
///
/// A batch's input is the source with the target, moved on by one, behind it: `[batch, sourceLength + targetLength]`. Under teacher forcing
/// an answer is right in all places exactly if the decoder by itself, always taking the most likely token, writes it.
struct SequenceTranslation: RecipeTask {
  private static let lengths = 3...12
  private static let padding = 0, start = 1, end = 2, reverse = 3, sort = 4
  private static let firstDigit = 5
  private static let vocabulary = firstDigit + 10
  static let sourceLength = 1 + lengths.upperBound
  static let targetLength = lengths.upperBound + 1

  func load(_ request: DataRequest) throws -> Splits {
    guard request.option == nil || request.option == RecipeData.syntheticName else {
      throw UsageError("train: this recipe makes up its own rows: --data takes synthetic only")
    }
    let count = 30_000
    var seen: Set<[Int]> = []
    let train = Self.pairs(min(request.limit ?? count, count), seed: 1, &seen)
    // None of those that it has learned from.
    let test = Self.pairs(2000, seed: 2, &seen)
    return Splits(
      train: train, test: test, available: count, origin: "rows of digits to turn round or put in order (built in)",
      testBatchSize: 500)
  }

  private static func pairs(_ count: Int, seed: UInt64, _ seen: inout Set<[Int]>) -> TensorDataset {
    let generator = Generator(seed: seed)
    var (inputs, targets) = ([Int](), [Int]())
    var made = 0
    while made < count {
      let length = lengths.lowerBound + Int(generator.uniform() * Double(lengths.count))
      let digits = (0..<length).map { _ in Int(generator.uniform() * 10) }
      let task = generator.uniform() < 0.5 ? reverse : sort
      guard seen.insert([task] + digits).inserted else { continue }
      let answer = (task == reverse ? digits.reversed() : digits.sorted()).map { $0 + firstDigit }
      inputs += source(task, digits) + padded([start] + answer, targetLength)
      targets += padded(answer + [end], targetLength)
      made += 1
    }
    return TensorDataset(
      input: Tensor(scalars: inputs, shape: [count, sourceLength + targetLength]),
      target: Tensor(scalars: targets, shape: [count, targetLength]))
  }

  private static func source(_ task: Int, _ digits: [Int]) -> [Int] {
    padded([task] + digits.map { $0 + firstDigit }, sourceLength)
  }

  private static func padded(_ tokens: [Int], _ length: Int) -> [Int] {
    tokens + [Int](repeating: padding, count: length - tokens.count)
  }

  // MARK: Model and trainer

  func makeModel(_ facts: ModelFacts) -> Module {
    Seq2SeqTransformer(
      sourceVocabulary: Self.vocabulary, targetVocabulary: Self.vocabulary, width: 64, heads: 4, layers: 2, dropout: 0,
      padding: Self.padding)
  }

  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer {
    let objective = Objective(makeOptimizer(model.parameters())) { batch in
      guard let model = model as? Seq2SeqTransformer else { return Outcome(loss: .invalid) }
      let source = batch.input.narrow(dim: 1, start: 0, count: Self.sourceLength)
      let logits = model(source, batch.input.narrow(dim: 1, start: Self.sourceLength, count: Self.targetLength))
      guard logits.isValid else { return Outcome(loss: .invalid) }
      let loss = crossEntropy(
        logits.flatten(startDim: 0, endDim: 1), batch.target.flatten(), ignoreIndex: Self.padding)
      return Outcome(loss: loss, output: logits)
    }
    let exact = Accuracy(name: "exact") { logits, target in
      let mistakes = (logits.argmax(dim: 2) .!= target).to(.int64) * (target .!= Self.padding).to(.int64)
      return (mistakes.sum(dim: 1) .== 0).to(.int64).sum().item(as: Int.self)
    }
    let trainer = Trainer(model, [objective], metrics: [exact])
    trainer.goal = .highest("exact")
    return trainer
  }

  /// What the model answers to `reverse 3 1 4` or `sort 3 1 4`.
  static func answer(_ prompt: String, _ model: Seq2SeqTransformer) throws -> String {
    let words = prompt.split(separator: " ").map(String.init)
    let digits = words.dropFirst().compactMap { Int($0) }.filter { (0...9).contains($0) }
    guard let task = ["reverse": reverse, "sort": sort][words.first ?? ""], digits.count == words.count - 1,
      lengths.contains(digits.count)
    else {
      throw UsageError(
        "generate: this model answers 'reverse' or 'sort' and \(lengths.lowerBound) to \(lengths.upperBound) digits, as in 'sort 3 1 4', "
          + "not '\(printable(prompt, limit: 80))'")
    }
    let input = Tensor(source(task, digits)).reshape(1, sourceLength)
    let tokens = try catching { model.translate(input, start: start, end: end, count: targetLength) }[0]
    return tokens.map { "\($0 - firstDigit)" }.joined(separator: " ")
  }
}
