import Apus

/// The options of `apus train`.
enum TrainOptions {
  static let data = Option.text(
    "data", "DIR", accepts: "a folder, or synthetic",
    """
    Folder to look for the data set in first, then come those in APUS_DATA and the user's cache; 'synthetic' takes \
    built-in digits instead
    """)
  static let epochs = Option.integer("epochs", in: 1...1_000_000_000, "Times to go through the training data [default: 5]")
  static let batchSize = Option.integer("batch-size", in: 1...1_000_000_000, "Samples per step [default: 128]")
  static let learningRate = Option.positiveNumber("lr", "Learning rate of Adam [default: 0.001]")
  static let seed = Option.seed("seed", "Seed of everything random; the same seed gives the same result [default: 42]")
  static let limit = Option.integer("limit", in: 1...1_000_000_000, "Use only the first N training samples")
  static let saveDir = Option.text(
    "save-dir", "DIR", accepts: "a folder", "Folder for the results [default: runs/<recipe>]")
  static let device = Option.choice(
    "device", "NAME", of: Device.Kind.allCases.map(\.rawValue), "Where to compute: cpu [default: cpu]")
  static let quiet = Option.flag("quiet", letter: "q", "Print nothing but warnings and errors")

  static let all: [any AnyOption] = [data, epochs, batchSize, learningRate, seed, limit, saveDir, device, quiet]
}

/// A training run as it was asked for, defaults filled in.
struct TrainSettings: Sendable {
  let recipe: Recipe
  let data: String?
  let epochs: Int
  let batchSize: Int
  let learningRate: Double
  let seed: UInt64
  let limit: Int?
  let folder: RunFolder
  let device: String
  let isQuiet: Bool

  init(_ arguments: Arguments, recipe: Recipe) {
    self.recipe = recipe
    data = arguments[TrainOptions.data]
    epochs = arguments[TrainOptions.epochs] ?? recipe.epochs
    batchSize = arguments[TrainOptions.batchSize] ?? recipe.batchSize
    learningRate = arguments[TrainOptions.learningRate] ?? recipe.learningRate
    seed = arguments[TrainOptions.seed] ?? recipe.seed
    limit = arguments[TrainOptions.limit]
    folder = RunFolder(arguments[TrainOptions.saveDir] ?? "runs/\(recipe.name)")
    device = arguments[TrainOptions.device] ?? "cpu"
    isQuiet = arguments.has(TrainOptions.quiet)
  }

  /// What `config.json` holds: every option as used, and what else the result depends on.
  func config(origin: String) -> JSON {
    [
      "command": "train",
      "recipe": .string(recipe.name),
      "data": data.map(JSON.string) ?? .null,
      "data_used": .string(origin),
      "epochs": .integer(epochs),
      "batch_size": .integer(batchSize),
      "lr": .number(learningRate),
      // Beyond Int only as text: many readers of JSON would round it.
      "seed": Int(exactly: seed).map(JSON.integer) ?? .string("\(seed)"),
      "limit": limit.map(JSON.integer) ?? .null,
      "save_dir": .string(folder.path),
      "device": .string(device),
      "quiet": .bool(isQuiet),
      "threads": .integer(Runtime.threadCount),
      "instruction_set": .string(Runtime.instructionSet),
      "apus_version": .string(Runtime.version),
    ]
  }
}
