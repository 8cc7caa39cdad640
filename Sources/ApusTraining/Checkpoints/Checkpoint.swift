import ApusCore
import ApusFormats
import ApusNN
import ApusOptim
import Foundation

/// A training run at one moment, complete: see `Trainer.checkpoint()`.
///
/// In a file it is one safetensors file, which any program that reads the format can look into: the model's tensors as `model.…` under PyTorch's
/// keys, those of the other parts as `optimizer.…` and so on, everything else as JSON among the metadata, and a digest of it all.
public struct Checkpoint: Sendable {
  /// Parameters and buffers.
  public var model: StateDict
  /// What optimizer, schedule, scaler, average and callbacks remember, by their names.
  public var parts: [String: OptimizerState] = [:]
  /// The random streams.
  public var generators: [Generator.State] = []
  /// The passes that are over.
  public var history: [PassResult] = []
  /// What the trainer was told to keep with it.
  public var config: String

  var progress = Progress()
  /// The training pass that isn't over.
  var pass: Meter.Saved?
  var earlyStopping: EarlyStopping?

  init(model: StateDict, config: String) { (self.model, self.config) = (model, config) }

  /// Updates so far.
  public var step: Int { progress.step }

  /// The epoch that was on or came next, from 1 on.
  public var epoch: Int { progress.epoch }

  /// Batches of that epoch's training that are done.
  public var batch: Int { pass?.batches ?? 0 }
}

// MARK: - In a file

extension Checkpoint {
  package static let versionKey = "apus.checkpoint"
  private static let stateKey = "apus.state"
  private static let configKey = "apus.config"
  private static let version = "1"

  /// What is neither tensor nor text.
  private struct State: Codable {
    var progress: Progress
    var pass: Meter.Saved?
    var earlyStopping: EarlyStopping?
    var generators: [Generator.State]
    var history: [PassResult]
    var numbers: [String: [String: Double]]
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FileError` where it cannot be written.
  public func write(to path: String) throws {
    var tensors = model.map { (name: "model." + $0.name, tensor: $0.tensor) }
    for (part, state) in parts.sorted(by: { $0.key < $1.key }) {
      tensors += state.tensors.map { (name: "\(part).\($0.name)", tensor: $0.tensor) }
    }
    let state = State(
      progress: progress, pass: pass, earlyStopping: earlyStopping, generators: generators, history: history,
      numbers: parts.mapValues(\.numbers))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let metadata = [
      "format": "pt", "apus.version": Runtime.version, Self.versionKey: Self.version, Self.configKey: config,
      Self.stateKey: String(decoding: try encoder.encode(state), as: UTF8.self),
    ]
    try Safetensors.write(tensors, metadata: metadata, to: path, digest: true)
  }

  /// Reads a file that `write` wrote. Every bit of it is verified.
  ///
  /// - Throws: `FileError` where it cannot be read, `FormatError` where it is damaged or no checkpoint, `TensorError` where memory ends.
  public init(_ path: String) throws {
    let contents = try Safetensors.read(path, requireDigest: true)
    let metadata = contents.metadata
    guard let version = metadata[Self.versionKey], let text = metadata[Self.stateKey] else {
      throw FormatError(.missingField, file: path, at: .file, "not a checkpoint: '\(Self.versionKey)' isn't in its metadata")
    }
    guard version == Self.version else {
      throw FormatError(
        .unsupported, file: path, at: .file, "a checkpoint of version \(printable(version, limit: 20)); this is \(Self.version)")
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let state = try? decoder.decode(State.self, from: Data(text.utf8)) else {
      throw FormatError(.syntax, file: path, at: .file, "'\(Self.stateKey)' in its metadata is not a checkpoint's")
    }
    self.init(model: [:], config: metadata[Self.configKey] ?? "")
    parts = state.numbers.mapValues { OptimizerState(numbers: $0) }
    for (name, tensor) in contents.tensors { try take(name, tensor, path) }
    (progress, pass, earlyStopping) = (state.progress, state.pass, state.earlyStopping)
    (generators, history) = (state.generators, state.history)
  }

  /// Puts a tensor where its name says.
  private mutating func take(_ name: String, _ tensor: Tensor, _ path: String) throws(FormatError) {
    let words = name.split(separator: ".", maxSplits: 1).map(String.init)
    if words.count == 2, words[0] == "model" {
      model[words[1]] = tensor
    } else if words.count == 2, parts[words[0]] != nil {
      parts[words[0]]?.tensors[words[1]] = tensor
    } else {
      throw FormatError(.value, file: path, at: .key(name), "belongs to no part of the checkpoint")
    }
  }
}
