import Apus

/// The options of `apus train`.
enum TrainOptions {
  static let data = Option.text(
    "data", "DIR", accepts: "a folder, or synthetic",
    """
    Folder to look for the data set in first, then come those in APUS_DATA and the user's cache; 'synthetic' takes \
    generated samples of the same shape instead; for language models a text file
    """)
  static let epochs = Option.integer(
    "epochs", in: 1...1_000_000_000, "Times to go through the training data, in all [default: the recipe's, 5 for most]")
  static let batchSize = Option.integer(
    "batch-size", in: 1...1_000_000_000, "Samples per step [default: the recipe's, 128 for most]")
  static let learningRate = Option.positiveNumber("lr", "Learning rate [default: the recipe's, 0.001 for most]")
  static let seed = Option.seed("seed", "Seed of everything random; the same seed gives the same result [default: 42]")
  static let limit = Option.integer("limit", in: 1...1_000_000_000, "Use only the first N training samples")
  static let saveDir = Option.text(
    "save-dir", "DIR", accepts: "a folder", "Folder for the results [default: runs/<recipe>]")
  static let augment = Option.flag("augment", "Shift and mirror the training pictures at random (cifar10 recipes)")
  static let cell = Option.choice(
    "cell", "NAME", of: RecurrentLanguageModel.Cell.allCases.map(\.rawValue),
    "Recurrent layer of sine-rnn and char-rnn: rnn, lstm, gru [default: rnn]")
  static let latent = Option.integer(
    "latent", in: 1...10_000, "Numbers that stand for a generated picture [default: vae 2, cvae 10, the others 100]")
  static let resume = Option.flag(
    "resume",
    """
    Go on from the newest checkpoint in the results, with the options of that run; the result is that of a run \
    without the break. Where there is no checkpoint yet, begin
    """)
  static let checkpointEvery = Option.integer(
    "checkpoint-every", in: 1...1_000_000_000, "Write a checkpoint after every N steps, too, not only after each epoch")
  static let csv = Option.flag("csv", "Write the metrics as a table, too: metrics.csv")
  static let tensorBoard = Option.flag(
    "tensorboard", "Write event files for TensorBoard, too: curves, histograms, pictures, the graph (tensorboard --logdir runs)")
  static let profile = Option.flag(
    "profile",
    """
    Measure each op: a table at the end and in profile.txt, and every call in trace.json, for chrome://tracing or \
    ui.perfetto.dev
    """)
  static let device = Option.choice(
    "device", "NAME", of: Device.Kind.allCases.map(\.rawValue), "Where to compute: cpu [default: cpu]")
  static let quiet = Option.flag("quiet", letter: "q", "Print nothing but warnings and errors")

  static let all: [any AnyOption] =
    [data, epochs, batchSize, learningRate] + TrainMethod.options + [
      seed, limit, augment, cell, latent, saveDir, resume, checkpointEvery, csv, tensorBoard, profile, device, quiet,
    ]
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
  let isAugmented: Bool
  /// What the options say of the network.
  private let facts: ModelFacts
  let method: TrainMethod
  let writesCSV: Bool
  let writesTensorBoard: Bool
  let isProfiled: Bool
  let folder: RunFolder
  let isResumed: Bool
  let checkpointEvery: Int?
  let device: String
  let isQuiet: Bool

  /// The folder that `arguments` ask for.
  static func folder(_ arguments: Arguments, _ recipe: Recipe) -> RunFolder {
    RunFolder(arguments[TrainOptions.saveDir] ?? "runs/\(recipe.name)")
  }

  /// - Parameter saved: the settings of the run that goes on: what the result depends on comes from there.
  /// - Throws: `UsageError` where an option contradicts them.
  init(_ arguments: Arguments, recipe: Recipe, resuming saved: SavedConfig? = nil) throws(UsageError) {
    try saved?.check(arguments, recipe)
    method = (saved?.method ?? TrainMethod(arguments, defaults: recipe.method)).with(patience: arguments[TrainMethod.earlyStop])
    try method.check()
    if arguments.has(TrainOptions.augment), recipe.task.augmentation == nil {
      let able = Recipe.all.filter { $0.task.augmentation != nil }.map(\.name).joined(separator: ", ")
      throw UsageError("train: --augment is for recipes with pictures that can be mirrored: \(able)")
    }
    try Self.check(TrainOptions.cell, arguments, recipe) { $0.facts.cell != nil }
    try Self.check(TrainOptions.latent, arguments, recipe) { $0.facts.latent != nil }
    self.recipe = recipe
    var facts = recipe.task.facts
    facts.cell = saved?.network?.cell ?? arguments[TrainOptions.cell] ?? facts.cell
    facts.latent = saved?.network?.latent ?? arguments[TrainOptions.latent] ?? facts.latent
    self.facts = facts
    data = saved.map(\.data) ?? arguments[TrainOptions.data]
    epochs = arguments[TrainOptions.epochs] ?? saved?.epochs ?? recipe.epochs
    batchSize = saved?.batchSize ?? arguments[TrainOptions.batchSize] ?? recipe.batchSize
    learningRate = saved?.lr ?? arguments[TrainOptions.learningRate] ?? recipe.learningRate
    seed = saved?.seed.value ?? arguments[TrainOptions.seed] ?? recipe.seed
    limit = saved.map(\.limit) ?? arguments[TrainOptions.limit]
    isAugmented = saved?.augment ?? arguments.has(TrainOptions.augment)
    writesCSV = arguments.has(TrainOptions.csv)
    writesTensorBoard = arguments.has(TrainOptions.tensorBoard)
    isProfiled = arguments.has(TrainOptions.profile)
    folder = Self.folder(arguments, recipe)
    isResumed = arguments.has(TrainOptions.resume)
    checkpointEvery = arguments[TrainOptions.checkpointEvery] ?? saved?.checkpointEvery
    device = arguments[TrainOptions.device] ?? "cpu"
    isQuiet = arguments.has(TrainOptions.quiet)
  }

  /// Objects to an option that the recipe has no use for.
  private static func check<Value>(
    _ option: Option<Value>, _ arguments: Arguments, _ recipe: Recipe, applies: (any RecipeTask) -> Bool
  ) throws(UsageError) {
    if arguments[option] == nil || applies(recipe.task) { return }
    let able = Recipe.all.filter { applies($0.task) }.map(\.name).joined(separator: ", ")
    throw UsageError("train: --\(option.name) is for \(able), not \(recipe.name)")
  }

  /// What the network depends on: the options, and the data's vocabulary.
  func facts(_ data: Splits) -> ModelFacts {
    var facts = facts
    facts.tokenizer = data.tokenizer
    return facts
  }

  /// What `config.json` holds: every option as used, and what else the result depends on.
  func config(origin: String, _ facts: ModelFacts) -> JSON {
    let pairs: KeyValuePairs<String, JSON> = [
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
      "augment": .bool(isAugmented),
      "network": facts.json,
      "save_dir": .string(folder.path),
      "resume": .bool(isResumed),
      "checkpoint_every": checkpointEvery.map(JSON.integer) ?? .null,
      "device": .string(device),
      "quiet": .bool(isQuiet),
      "csv": .bool(writesCSV),
      "tensorboard": .bool(writesTensorBoard),
      "profile": .bool(isProfiled),
      "threads": .integer(Runtime.threadCount),
      "instruction_set": .string(Runtime.instructionSet),
      "apus_version": .string(Runtime.version),
    ]
    return .object(pairs.map { (key: $0.key, value: $0.value) } + method.config)
  }
}
