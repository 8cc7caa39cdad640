import Apus
import Foundation

/// A model that a run has left: what `eval` and `predict` work with.
struct TrainedModel {
  let recipe: Recipe
  let model: Module
  /// What the network depends on beside its recipe.
  let facts: ModelFacts
  /// The run's `--data`, where the file says.
  let data: String?

  static let operand = Command.Operand(
    name: "checkpoint", plural: "checkpoints",
    help: "A checkpoint or model.safetensors of a run, the folder of a run, or with --recipe a file of PyTorch weights")
  static let recipe = Option.choice(
    "recipe", "NAME", of: Recipe.all.map(\.name), "The recipe whose network it is, where the file doesn't say")
  static let dataFolder = Option.text(
    "data", "DIR", accepts: "a folder, or synthetic", "Folder to look for the data set in first [default: that of the run]")

  /// - Throws: `UsageError` where nobody says what network it is; what reading throws; `FormatError` where the parameters don't fit.
  init(_ path: String, _ arguments: Arguments, for command: String) throws {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let run = isFolder.boolValue ? RunFolder(path) : nil
    let path = run?.model ?? path
    let contents = try TensorFile.read(path)
    var state = StateDict(contents.tensors.map { ($0.name, $0.tensor) })
    var name = contents.metadata["apus.recipe"]
    var data = run.flatMap { SavedConfig.data(of: $0) }
    var averages: OptimizerState?
    var facts = ModelFacts(contents.metadata)
    if contents.metadata[Checkpoint.versionKey] != nil {
      let checkpoint = try Checkpoint(path)
      let config = try SavedConfig(of: checkpoint, at: path)
      (state, name, data, facts) = (checkpoint.model, config.recipe, config.data, config.network)
      averages = checkpoint.parts["average"]
    }
    guard let name = arguments[Self.recipe] ?? name else {
      throw UsageError("\(command): \(printable(path)) doesn't say which network it is of; --recipe NAME does")
    }
    guard let recipe = Recipe.named(name) else {
      throw FormatError(
        .value, file: path, at: .file, "of a recipe '\(printable(name, limit: 80))', which this apus doesn't have")
    }
    (self.recipe, self.data) = (recipe, arguments[Self.dataFolder] ?? data)
    let known = facts ?? recipe.task.facts
    self.facts = known
    model = try catching { try recipe.task.makeModel(known) }
    do throws(StateDictError) {
      try model.loadStateDict(state)
    } catch {
      let lines = "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      throw FormatError(.value, file: path, at: .file, printable(lines.joined(separator: " "), limit: 400))
    }
    if let averages { try Self.putIn(averages, model, path) }
    model.eval()
  }

  /// Puts averages of the parameters in their place: the run was judged by them.
  private static func putIn(_ averages: OptimizerState, _ model: Module, _ path: String) throws {
    let average = ExponentialMovingAverage(model.parameters())
    do throws(OptimizerStateError) {
      try average.loadStateDict(averages)
    } catch {
      throw FormatError(.value, file: path, at: .key("average"), printable("\(error)", limit: 400))
    }
    average.swap()
  }

  /// The data that it is judged by.
  func load() throws -> Splits {
    let report = DownloadReport(on: .standardError)
    defer { report.clear() }
    // Of the training data nothing is needed.
    return try recipe.task.load(
      DataRequest(option: data, limit: 1, batchSize: recipe.batchSize, progress: { report.show($0) }))
  }
}
