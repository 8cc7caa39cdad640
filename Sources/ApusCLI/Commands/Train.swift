import Apus
import Foundation

extension Command {
  static let train = Command(
    name: "train", summary: "Train a network and save it",
    discussion: """
      The folder for the results gets report.html (the run on one page), metrics.jsonl (one line per epoch and split), \
      config.json, model.safetensors (the parameters under PyTorch's names), loss.svg, pictures and \
      checkpoints (the last three and the best). Ctrl-C finishes the batch, saves and exits with code 130; a second \
      one stops at once. After either, a kill or a power cut, --resume goes on.
      """,
    operands: [
      Operand(
        name: "recipe", plural: "recipes", help: "What to train", choices: Recipe.all.map { ($0.name, $0.summary) })
    ],
    options: TrainOptions.all,
    examples: [
      Example(line: "apus train digits", help: "No download needed"),
      Example(line: "apus train mnist-cnn --epochs 10 --lr 3e-4", help: "Longer, in smaller steps"),
      Example(line: "apus train mnist-cnn --resume", help: "Go on where it was interrupted"),
      Example(line: "apus train mnist-mlp --data ~/data --limit 5000", help: "A quick try on your own copy"),
      Example(line: "apus train char-gpt --data book.txt", help: "A language model of your own text"),
    ],
    run: { arguments in try TrainRun.run(arguments, recipe: Recipe.named(arguments.operands[0])!) })
}

/// One run of `apus train`.
struct TrainRun {
  private let settings: TrainSettings
  private let checkpoints: CheckpointFolder
  /// Where it goes on from.
  private let checkpoint: Checkpoint?
  private let output: Terminal
  private let progress: Terminal

  /// - Returns: the exit code.
  static func run(_ arguments: Arguments, recipe: Recipe) throws -> Int32 {
    StopSignal.install()
    let checkpoints = CheckpointFolder(TrainSettings.folder(arguments, recipe).checkpoints)
    let checkpoint = try arguments.has(TrainOptions.resume) ? newest(checkpoints) : nil
    let saved = try checkpoint.map { try SavedConfig(of: $0, at: checkpoints.lastGood ?? "") }
    let settings = try TrainSettings(arguments, recipe: recipe, resuming: saved)
    return try TrainRun(settings, checkpoints, checkpoint).run()
  }

  private static func newest(_ checkpoints: CheckpointFolder) throws -> Checkpoint? {
    try checkpoints.newest { Terminal.standardError.line("apus: warning: \($0); trying the checkpoint before") }
  }

  private init(_ settings: TrainSettings, _ checkpoints: CheckpointFolder, _ checkpoint: Checkpoint?) {
    (self.settings, self.checkpoints, self.checkpoint) = (settings, checkpoints, checkpoint)
    output = settings.isQuiet ? .none : .standardOutput
    progress = settings.isQuiet ? .none : .standardError
  }

  private func run() throws -> Int32 {
    let data = try loadData()
    manualSeed(settings.seed)
    let facts = settings.facts(data)
    let model = try catching { try settings.recipe.task.makeModel(facts) }
    let train = trainLoader(data)
    let test = DataLoader(data.test, batchSize: data.testBatchSize)
    let config = settings.config(origin: data.origin, facts)
    let report = ProgressReport(on: progress)
    let records = TrainRecords(settings.folder, name: settings.recipe.name, classNames: settings.recipe.task.classNames)
    let trainer = makeTrainer(model, [report] + records.callbacks, config)
    settings.method.apply(to: trainer, batches: train.count * settings.epochs, epochs: settings.epochs)
    if let checkpoint { try trainer.load(checkpoint) }
    printPlan(data, model, batches: train.count)

    try settings.folder.create()
    try AtomicFile.write(config.indented + "\n", to: settings.folder.config)
    try records.startLogs(
      trainer, csv: settings.writesCSV, tensorBoard: settings.writesTensorBoard, sample: settings.recipe.task.sampleInput(facts),
      config: config)

    let start = Date.now
    defer { report.clear() }
    let (isFinished, profile) = try profiled { try trainer.fit(train, test: test, epochs: settings.epochs) }
    report.clear()
    if isFinished { try records.complete(trainer, test) }
    try save(trainer, records, data)
    if !isFinished, let signal = StopSignal.received { return reportStop(signal, trainer) }
    printSummary(trainer, records.losses, seconds: Date.now.timeIntervalSince(start))
    if let profile { output.line("\n\(profile.table(limit: 20))") }
    return 0
  }

  /// Trains and, where asked to, measures each op.
  private func profiled(_ fit: () throws -> Bool) throws -> (isFinished: Bool, profile: Profile?) {
    guard settings.isProfiled else { return (try fit(), nil) }
    var isFinished = false
    let profile = try Profiler.record { isFinished = try fit() }
    try settings.folder.create()
    try AtomicFile.write("\(profile)\n", to: settings.folder.profile)
    try AtomicFile.write(profile.chromeTrace, to: settings.folder.trace)
    return (isFinished, profile)
  }

  private func trainLoader(_ data: Splits) -> DataLoader<Samples> {
    var transform: DataLoader<Samples>.BatchTransform?
    if settings.isAugmented, let augmentation = settings.recipe.task.augmentation {
      transform = { batch, generator in augmentation.apply(batch, generator) }
    }
    let batchSize = data.trainBatchSize ?? settings.batchSize
    let sampler = data.order.sampler(of: data.train.count, batchSize: batchSize, seed: settings.seed)
    return DataLoader(data.train, batchSize: batchSize, sampler: sampler, seed: settings.seed, transform: transform)
  }

  private func makeTrainer(_ model: Module, _ callbacks: [any TrainingCallback], _ config: JSON) -> Trainer {
    let task = settings.recipe.task
    let trainer = task.makeTrainer(model) { settings.method.makeOptimizer($0, lr: settings.learningRate) }
    trainer.callbacks += callbacks + task.callbacks(model, in: settings.folder, seed: settings.seed)
    trainer.shouldStop = { StopSignal.received != nil }
    trainer.config = config.description
    trainer.checkpoints = checkpoints
    trainer.checkpointInterval = settings.checkpointEvery
    return trainer
  }

  private func loadData() throws -> Splits {
    let report = DownloadReport(on: progress)
    defer { report.clear() }
    return try settings.recipe.task.load(
      DataRequest(
        option: settings.data, limit: settings.limit, batchSize: settings.batchSize, seed: settings.seed,
        progress: { report.show($0) }))
  }

  private func save(_ trainer: Trainer, _ records: TrainRecords, _ data: Splits) throws {
    // It may have been removed meanwhile; the model is worth a new one.
    try settings.folder.create()
    // Some programs that load PyTorch weights ask for the first entry.
    let metadata = [
      "format": "pt", "apus.version": Runtime.version, "apus.recipe": settings.recipe.name, "apus.seed": "\(settings.seed)",
      ModelFacts.key: settings.facts(data).json.description,
    ]
    func write() throws {
      let tensors = trainer.model.stateDict().map { (name: $0.name, tensor: $0.tensor) }
      try Safetensors.write(tensors, metadata: metadata, to: settings.folder.model, digest: true)
    }
    // What was judged is what is saved.
    try trainer.average.map { try $0.withAveraged(write) } ?? write()
    try records.save(trainer, facts: plan(data, batches: trainer.history.last { $0.pass.split == .train }?.pass.batchCount ?? 0))
  }
}

// MARK: - What it says

extension TrainRun {
  private static let files = "report.html, model.safetensors, metrics.jsonl, config.json, loss.svg, pictures, checkpoints"

  private func printPlan(_ data: Splits, _ model: Module, batches: Int) {
    for (name, text) in plan(data, batches: batches) { output.line(row(name, text)) }
    output.line("\n\(model.parameterTree())\n")
  }

  /// What the run is going to do.
  private func plan(_ data: Splits, batches: Int) -> [(name: String, value: String)] {
    let all = data.train.count == data.available ? "" : " of \(grouped(data.available))"
    var rows: [(name: String, value: String)] = [
      ("recipe", "\(settings.recipe.name): \(settings.recipe.summary)"),
      ("data", "\(printable(data.origin)): \(grouped(data.train.count))\(all) to train on, \(grouped(data.test.count)) to test"),
      (
        "training",
        "\(counted(settings.epochs, "epoch", "epochs")) of \(counted(batches, "batch", "batches")) of "
          + "\(grouped(data.trainBatchSize ?? settings.batchSize)), \(settings.method.summary), learning rate \(settings.learningRate), seed \(settings.seed)"
          + (settings.isAugmented ? ", augmented" : "")
      ),
      ("device", "\(settings.device), \(Runtime.instructionSet), \(counted(Runtime.threadCount, "thread", "threads"))"),
      ("results", printable(settings.folder.path)),
    ]
    if settings.isResumed { rows.append(("resumed", origin(batches))) }
    return rows
  }

  /// Where the run goes on.
  private func origin(_ batches: Int) -> String {
    guard let checkpoint else { return "no: there is no checkpoint yet" }
    let place = checkpoint.batch > 0 ? ", after batch \(grouped(checkpoint.batch)) of \(grouped(batches))" : ""
    let isOver = checkpoint.epoch > settings.epochs
    let epoch = isOver ? "at its end" : "in epoch \(grouped(checkpoint.epoch))\(place)"
    return "\(epoch), from \(printable(checkpoints.lastGood ?? ""))"
  }

  private func printSummary(_ trainer: Trainer, _ losses: LossRecorder, seconds: Double) {
    let last = trainer.history.last
    let goal = last?[trainer.goal.name].map { "\(last?.pass.split.rawValue ?? "") \(described(trainer.goal.name, $0))" } ?? ""
    let line = sparkline(losses.trainLosses)
    let ends = [losses.trainLosses.first, trainer.history.last { $0.pass.split == .train }?.loss].compactMap(\.self).map(short)
    output.line()
    output.line(row("loss", "\(line)  \(ends.joined(separator: " → "))"))
    output.line(row("result", "\(goal) after \(counted(trainer.epoch - 1, "epoch", "epochs")), \(duration(seconds))"))
    output.line(row("files", "\(printable(settings.folder.path)): \(Self.files)"))
  }

  private func reportStop(_ signal: Int32, _ trainer: Trainer) -> Int32 {
    let last = trainer.history.last { $0.pass.split == .train }
    let place = last.map { " in epoch \($0.pass.epoch), after batch \($0.batchCount) of \($0.pass.batchCount)" } ?? ""
    Terminal.standardError.line(
      "apus: stopped by \(StopSignal.name(signal))\(place); saved in \(printable(settings.folder.path)): \(Self.files); "
        + "--resume goes on")
    return StopSignal.exitCode(signal)
  }

  private func row(_ name: String, _ text: String) -> String {
    name + String(repeating: " ", count: max(1, 10 - name.count)) + text
  }
}

/// A bar per file that is downloaded.
final class DownloadReport {
  private let terminal: Terminal
  private var bar: ProgressBar?
  private var file: String?

  init(on terminal: Terminal) { self.terminal = terminal }

  func show(_ progress: DownloadProgress) {
    // There is nothing to save yet.
    if let signal = StopSignal.received { exit(StopSignal.exitCode(signal)) }
    if progress.file != file {
      bar = ProgressBar("downloading \(printable(progress.file))", total: progress.total, unit: .bytes, on: terminal)
      file = progress.file
    }
    bar?.update(progress.received)
    if progress.received == progress.total {
      bar?.finish()
      bar = nil
    }
  }

  func clear() { bar?.clear() }
}
