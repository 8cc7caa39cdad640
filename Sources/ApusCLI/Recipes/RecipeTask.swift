import Apus
import Foundation

/// What a recipe learns, from its data to its losses. There is one for each kind of learning; recipes are its values.
///
/// The run around it (`TrainRun`), `eval` and the other commands know no kinds: they ask for data, for a model and for a trainer.
protocol RecipeTask: Sendable {
  /// Loads the data that `--data` asks for.
  ///
  /// - Throws: `DataError`; `UsageError` where there can be no such data.
  func load(_ request: DataRequest) throws -> Splits

  /// A fresh network; its parameters come from the default generator.
  ///
  /// - Throws: `UsageError` where `facts` lack something.
  func makeModel(_ facts: ModelFacts) throws -> Module

  /// What judges a network and, with an optimizer of its own for each objective, trains it.
  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer

  /// What else happens in a run: pictures, say.
  func callbacks(_ model: Module, in folder: RunFolder, seed: UInt64) -> [any TrainingCallback]

  /// What `--augment` does to each training batch; nil where there is nothing that would help.
  var augmentation: (any Transform)? { get }

  /// What pictures a classifier has learned from; nil where the input is no picture.
  var pictures: PictureFormat? { get }

  /// Of a classifier; empty for other models.
  var classNames: [String] { get }

  /// The facts that options may change, with their defaults.
  var facts: ModelFacts { get }

  /// An input as the network takes it, for a drawing; nil where it takes more than one tensor.
  func sampleInput(_ facts: ModelFacts) -> Tensor?
}

/// Makes an optimizer of a run's kind for some parameters.
typealias MakeOptimizer = (_ parameters: [ParameterCell]) -> Optimizer

extension RecipeTask {
  var augmentation: (any Transform)? { nil }
  var pictures: PictureFormat? { nil }
  var classNames: [String] { [] }
  var facts: ModelFacts { ModelFacts() }

  func callbacks(_ model: Module, in folder: RunFolder, seed: UInt64) -> [any TrainingCallback] { [] }
  func sampleInput(_ facts: ModelFacts) -> Tensor? { nil }
}

/// What data a run asks for.
struct DataRequest {
  /// `--data`
  var option: String?
  /// How many training samples to keep.
  var limit: Int?
  var batchSize: Int
  var seed: UInt64 = 42
  var progress: DownloadProgress.Handler = { _ in }
}

/// What a network depends on beside its recipe: kept in `config.json`, in checkpoints and in the metadata of `model.safetensors`.
struct ModelFacts: Codable, Hashable, Sendable {
  /// The kind of recurrent layer: `--cell`.
  var cell: String?
  /// Numbers that stand for a picture: `--latent`.
  var latent: Int?
  /// What a language model's tokens are.
  var tokenizer: SavedTokenizer?

  /// Its key in the metadata of a file.
  static let key = "apus.network"

  init(cell: String? = nil, latent: Int? = nil) { (self.cell, self.latent) = (cell, latent) }

  /// What a file says; nil where it says nothing.
  init?(_ metadata: [String: String]) {
    guard let text = metadata[Self.key], let facts = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
      return nil
    }
    self = facts
  }

  var json: JSON {
    var pairs: [(key: String, value: JSON)] = []
    if let cell { pairs.append(("cell", .string(cell))) }
    if let latent { pairs.append(("latent", .integer(latent))) }
    if let tokenizer { pairs.append(("tokenizer", tokenizer.json)) }
    return .object(pairs)
  }
}

/// A tokenizer as it is kept with a model.
struct SavedTokenizer: Codable, Hashable, Sendable {
  enum Kind: String, Codable, Sendable { case characters, words }

  let kind: Kind
  /// By token.
  let tokens: [String]

  init(_ tokenizer: CharacterTokenizer) { (kind, tokens) = (.characters, tokenizer.characters.map { String($0) }) }
  init(_ tokenizer: WordTokenizer) { (kind, tokens) = (.words, tokenizer.words) }

  var tokenizer: any Tokenizer {
    switch kind {
    case .characters: CharacterTokenizer(tokens.joined())
    case .words: WordTokenizer(words: tokens)
    }
  }

  var json: JSON { ["kind": .string(kind.rawValue), "tokens": .array(tokens.map(JSON.string))] }
}
