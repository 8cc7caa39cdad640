import Apus
import Foundation

/// What a checkpoint says of the run that it belongs to: `config.json`'s keys.
struct SavedConfig: Decodable, Sendable {
  let recipe: String
  let data: String?
  let epochs: Int
  let batchSize: Int
  let lr: Double
  let seed: Seed
  let limit: Int?
  let augment: Bool
  let checkpointEvery: Int?
  let network: ModelFacts?
  /// Read by itself, from the same keys.
  private(set) var method: TrainMethod?

  private enum CodingKeys: String, CodingKey {
    case recipe, data, epochs, lr, seed, limit, augment, network
    case batchSize = "batch_size"
    case checkpointEvery = "checkpoint_every"
  }

  /// A number, or text where it is beyond `Int`.
  struct Seed: Decodable, Sendable {
    let value: UInt64

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(UInt64.self) {
        value = number
      } else if let number = UInt64(try container.decode(String.self)) {
        value = number
      } else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no seed")
      }
    }
  }

  /// Reads the settings in a checkpoint.
  ///
  /// - Throws: `FormatError` where `apus train` has not written it.
  init(of checkpoint: Checkpoint, at path: String) throws(FormatError) {
    guard let config = try? JSONDecoder().decode(Self.self, from: Data(checkpoint.config.utf8)) else {
      throw FormatError(.missingField, file: path, at: .file, "a checkpoint, but none of a run of 'apus train'")
    }
    self = config
    method = TrainMethod(of: checkpoint)
  }

  /// The `--data` of the run in a folder; nil where there was none, or nothing says so.
  static func data(of folder: RunFolder) -> String? {
    let text = FileManager.default.contents(atPath: folder.config)
    return text.flatMap { try? JSONDecoder().decode(Self.self, from: $0) }?.data
  }

  /// Finds the first option that contradicts the run that is to go on.
  func check(_ arguments: Arguments, _ recipe: Recipe) throws(UsageError) {
    func same<Value: Equatable>(_ option: Option<Value>, _ saved: Value?) throws(UsageError) {
      try Self.same(arguments, option, saved)
    }
    if self.recipe != recipe.name {
      throw UsageError("train: the run to resume has the recipe \(printable(self.recipe, limit: 80)), not \(recipe.name)")
    }
    try same(TrainOptions.data, data)
    try same(TrainOptions.batchSize, batchSize)
    try same(TrainOptions.learningRate, lr)
    try same(TrainOptions.seed, seed.value)
    try same(TrainOptions.limit, limit)
    try same(TrainOptions.cell, network?.cell)
    try same(TrainOptions.latent, network?.latent)
    if arguments.has(TrainOptions.augment), !augment { try same(TrainOptions.augment, nil) }
    try method?.check(arguments, epochs: epochs)
  }

  /// Objects where an option contradicts what the run had.
  static func same<Value: Equatable>(_ arguments: Arguments, _ option: Option<Value>, _ saved: Value?) throws(UsageError) {
    guard let given = arguments[option], given != saved else { return }
    throw UsageError(
      "train: --resume goes on with the options of the run, which had \(saved.map { "--\(option.name) \($0)" } ?? "no --\(option.name)"); "
        + "leave --\(option.name) out, or start anew without --resume")
  }
}
