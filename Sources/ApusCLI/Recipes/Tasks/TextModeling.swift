import Apus
import Foundation

/// What comes next in a text, by a recurrent network or a transformer: cross entropy of each token, judged by the perplexity on the last tenth
/// of the text.
struct TextModeling: RecipeTask {
  enum Units: Sendable {
    case characters
    /// The most frequent words, so many.
    case words(Int)
  }

  enum Network: Sendable {
    /// Reads the text in parallel streams from its beginning to its end, and hands its state on: truncated back-propagation.
    case recurrent(hidden: Int, layers: Int, dropout: Double)
    /// Reads stretches from anywhere in the text, so many steps in an epoch.
    case transformer(layers: Int, heads: Int, width: Int, dropout: Double, stepsPerEpoch: Int)
  }

  let units: Units
  /// Tokens in a stretch.
  let context: Int
  let network: Network
  /// The recurrent layer where `--cell` has no say.
  var recurrence = RecurrentLanguageModel.Cell.rnn
  var facts = ModelFacts()

  func load(_ request: DataRequest) throws -> Splits {
    let (text, origin) = try Self.text(request)
    // A tenth to judge by, cut at a character.
    let cut = text.unicodeScalars.index(text.startIndex, offsetBy: text.unicodeScalars.count * 9 / 10)
    let saved =
      switch units {
      case .characters: SavedTokenizer(CharacterTokenizer(text))
      case .words(let count): SavedTokenizer(WordTokenizer(text, vocabularySize: count))
      }
    let (train, test) = (try saved.tokenizer.encode(String(text[..<cut])), try saved.tokenizer.encode(String(text[cut...])))
    guard train.count > context, test.count > context else {
      throw DataError(
        .size, path: origin, "\(train.count + test.count) tokens are too few for stretches of \(context)",
        advice: "name a longer text: a tenth of it is needed to judge by")
    }
    return try splits(train, test, request, origin: origin, saved)
  }

  private func splits(
    _ train: [Int], _ test: [Int], _ request: DataRequest, origin: String, _ tokenizer: SavedTokenizer
  ) throws -> Splits {
    var splits: Splits
    switch network {
    case .recurrent:
      let streams = TokenStreams(train, streams: Self.streams(request.batchSize, train.count, context), length: context)
      let judged = TokenStreams(test, streams: Self.streams(request.batchSize, test.count, context), length: context)
      // Whole steps only: each batch goes on where the one before ended.
      let limit = request.limit.map { max($0 / streams.streams, 1) * streams.streams }
      splits = Splits(
        train: streams.prefix(limit ?? .max), test: judged, available: streams.count, origin: origin, order: .inOrder,
        trainBatchSize: streams.streams, testBatchSize: judged.streams)
    case .transformer(_, _, _, _, let steps):
      let windows = TokenWindows(train, length: context)
      splits = Splits(
        train: windows.prefix(request.limit ?? .max), test: TokenWindows(test, length: context, step: context),
        available: windows.count, origin: origin, order: .drawn(steps: steps), testBatchSize: 64)
    }
    splits.tokenizer = tokenizer
    return splits
  }

  /// So many parallel streams, or as many as a short text has room for.
  private static func streams(_ wanted: Int, _ tokens: Int, _ length: Int) -> Int {
    max(min(wanted, (tokens - 1) / length), 1)
  }

  /// The text of a file, or Shakespeare's plays.
  private static func text(_ request: DataRequest) throws -> (text: String, origin: String) {
    if request.option == RecipeData.syntheticName {
      throw UsageError("train: this recipe reads a text: --data takes a text file, or a folder that Tiny Shakespeare is in")
    }
    var isFolder: ObjCBool = false
    guard let path = request.option, FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue
    else {
      let text = try TinyShakespeare.load(from: DataLocator(folder: request.option), progress: request.progress)
      return (text, "Tiny Shakespeare")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(.unreadable, path: path, "cannot be read", advice: "check the path and its permissions")
    }
    guard let text = String(data: data, encoding: .utf8), !text.isEmpty else {
      throw DataError(.format, path: path, data.isEmpty ? "empty" : "not a text in UTF-8", advice: "name a text file")
    }
    return (text, path)
  }

  // MARK: Model and trainer

  func makeModel(_ facts: ModelFacts) throws -> Module {
    guard let vocabulary = facts.tokenizer?.tokenizer.vocabularySize else {
      throw UsageError("a language model needs its vocabulary, which only a run's own files have")
    }
    switch network {
    case .recurrent(let hidden, let layers, let dropout):
      return RecurrentLanguageModel(
        try facts.recurrentCell() ?? recurrence, vocabulary: vocabulary, hidden: hidden, layers: layers, dropout: dropout)
    case .transformer(let layers, let heads, let width, let dropout, _):
      return GPT(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width, bias: false, dropout: dropout)
    }
  }

  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer {
    let state = CarriedState()
    let objective = Objective(makeOptimizer(model.parameters())) { batch in
      let logits = Self.logits(model, batch.input, state)
      guard logits.isValid else { return Outcome(loss: .invalid) }
      let loss = crossEntropy(logits.flatten(startDim: 0, endDim: 1), batch.target.flatten())
      return Outcome(loss: loss, output: loss)
    }
    let trainer = Trainer(model, [objective], metrics: [LossPerplexity()])
    if case .recurrent = network { trainer.callbacks.append(state) }
    return trainer
  }

  private static func logits(_ model: Module, _ ids: Tensor, _ state: CarriedState) -> Tensor {
    guard let recurrent = model as? RecurrentLanguageModel else { return model.output(ids) }
    let (logits, after) = recurrent(ids, RecurrentState(state.tensors(isTraining: model.isTraining)))
    state.carry(after.tensors, isTraining: model.isTraining)
    return logits
  }

  func sampleInput(_ facts: ModelFacts) -> Tensor? { Tensor.zeros([2, context], dtype: .int64) }
}

/// The perplexity of a language model whose output is its loss already, the mean over the tokens of a batch.
private struct LossPerplexity: Metric {
  let name = "perplexity"
  var sums = [0.0, 0.0]
  var value: Double { exp(sums[0] / max(sums[1], 1)) }

  mutating func update(_ output: Tensor, _ target: Tensor) {
    sums[0] += output.item() * Double(target.count)
    sums[1] += Double(target.count)
  }
}
