import Apus
import Foundation

/// How a run learns beside its learning rate: optimizer, schedule, precision and so on, as the options say.
struct TrainMethod: Codable, Hashable, Sendable {
  var optimizer = "adam"
  var momentum: Double?
  var weightDecay: Double?
  var schedule = "constant"
  var warmup: Int?
  var accumulate: Int?
  var clip: Double?
  var amp: String?
  var ema: Double?
  var earlyStop: Int?
  /// Decay of Adam's two averages, where it isn't 0.9 and 0.999.
  var betas: [Double]?

  private enum CodingKeys: String, CodingKey {
    case optimizer, momentum, betas, schedule, warmup, accumulate, clip, amp, ema
    case weightDecay = "weight_decay"
    case earlyStop = "early_stop"
  }

  /// As it is where nobody says otherwise.
  init() {}

  /// - Parameter defaults: the recipe's, where an option isn't given.
  init(_ arguments: Arguments, defaults: TrainMethod) {
    self = defaults
    if let other = arguments[Self.optimizer], other != defaults.optimizer {
      // What suits one optimizer doesn't suit another.
      (optimizer, momentum, weightDecay, betas) = (other, nil, nil, nil)
    }
    momentum = arguments[Self.momentum] ?? momentum
    weightDecay = arguments[Self.weightDecay] ?? weightDecay
    if let other = arguments[Self.schedule], other != schedule { (schedule, warmup) = (other, nil) }
    warmup = arguments[Self.warmup] ?? warmup
    accumulate = arguments[Self.accumulate] ?? accumulate
    clip = arguments[Self.clip] ?? clip
    amp = arguments[Self.amp] ?? amp
    ema = arguments[Self.ema] ?? ema
    earlyStop = arguments[Self.earlyStop] ?? earlyStop
  }

  /// That of the run that a checkpoint belongs to.
  init?(of checkpoint: Checkpoint) {
    guard let saved = try? JSONDecoder().decode(Self.self, from: Data(checkpoint.config.utf8)) else { return nil }
    self = saved
  }

  /// The same, ended after another number of epochs without progress where one is given.
  func with(patience: Int?) -> TrainMethod {
    var copy = self
    copy.earlyStop = patience ?? earlyStop
    return copy
  }

  /// In words, without what is as usual: `SGD, cosine schedule, bfloat16`.
  var summary: String {
    var parts = [optimizer == "sgd" ? "SGD" : optimizer == "adam" ? "Adam" : optimizer]
    if let momentum { parts.append("momentum \(momentum)") }
    if let weightDecay { parts.append("weight decay \(weightDecay)") }
    if schedule != "constant" { parts.append("\(schedule) schedule") }
    if let warmup { parts.append("\(counted(warmup, "step", "steps")) of warm-up") }
    if let accumulate, accumulate > 1 { parts.append("\(accumulate) batches to an update") }
    if let clip { parts.append("gradients clipped to \(clip)") }
    if let amp { parts.append(amp) }
    if let ema { parts.append("averaged by \(ema)") }
    if let earlyStop { parts.append("patience of \(counted(earlyStop, "epoch", "epochs"))") }
    return parts.joined(separator: ", ")
  }

  /// For `config.json`.
  var config: [(key: String, value: JSON)] {
    [
      ("optimizer", .string(optimizer)), ("momentum", momentum.map(JSON.number) ?? .null),
      ("weight_decay", weightDecay.map(JSON.number) ?? .null), ("schedule", .string(schedule)),
      ("warmup", warmup.map(JSON.integer) ?? .null), ("accumulate", accumulate.map(JSON.integer) ?? .null),
      ("clip", clip.map(JSON.number) ?? .null), ("amp", amp.map(JSON.string) ?? .null), ("ema", ema.map(JSON.number) ?? .null),
      ("early_stop", earlyStop.map(JSON.integer) ?? .null),
      ("betas", betas.map { .array($0.map(JSON.number)) } ?? .null),
    ]
  }
}

// MARK: - Options

extension TrainMethod {
  private static let optimizers = ["adam", "adamw", "nadam", "radam", "sgd", "rmsprop", "adagrad", "lion", "lamb"]
  private static let schedules = ["constant", "cosine", "linear", "step", "one-cycle", "plateau"]

  static let optimizer = Option.choice(
    "optimizer", "NAME", of: optimizers, "\(optimizers.joined(separator: ", ")) [default: adam]")
  static let momentum = Option.positiveNumber("momentum", "Momentum of sgd and rmsprop [default: 0]")
  static let weightDecay = Option.positiveNumber(
    "weight-decay", "Pull of the weights to 0 [default: 0; adamw and lamb 0.01]")
  static let schedule = Option.choice(
    "schedule", "NAME", of: schedules,
    """
    How the learning rate goes: constant; cosine or linear to 0 over all epochs; step, a tenth after half and again after \
    three quarters; one-cycle, up and down; plateau, a tenth after 3 epochs without progress [default: constant]
    """)
  static let warmup = Option.integer(
    "warmup", in: 1...1_000_000_000, "Raise the learning rate from 0 over the first N updates (not with one-cycle or plateau)")
  static let accumulate = Option.integer(
    "accumulate", in: 1...1_000_000, "Add up the gradients of N batches for each update [default: 1]")
  static let clip = Option.positiveNumber("clip", "Scale gradients down to this norm, all taken together")
  static let amp = Option.choice(
    "amp", "DTYPE", of: ["bfloat16", "float16"],
    "Mixed precision: bfloat16, or float16 with a scaled loss; parameters stay float32")
  static let ema = Option.share("ema", "Judge and save moving averages of the parameters with this decay, as in 0.999")
  static let earlyStop = Option.integer(
    "early-stop", in: 1...1_000_000, "End the run after N epochs in a row without a better result")

  static let options: [any AnyOption] = [
    optimizer, momentum, weightDecay, schedule, warmup, accumulate, clip, amp, ema, earlyStop,
  ]

  /// Finds the first option that can have no effect.
  func check() throws(UsageError) {
    if momentum != nil, !["sgd", "rmsprop"].contains(optimizer) {
      throw UsageError("train: --momentum is for sgd and rmsprop, not \(optimizer)")
    }
    if let momentum, momentum >= 1 { throw UsageError("train: --momentum takes a number below 1, not \(momentum)") }
    if warmup != nil, ["one-cycle", "plateau"].contains(schedule) {
      throw UsageError("train: --warmup doesn't go with --schedule \(schedule)")
    }
  }

  /// Finds the first option that contradicts the run that goes on with this method.
  func check(_ arguments: Arguments, epochs: Int) throws(UsageError) {
    func same<Value: Equatable>(_ option: Option<Value>, _ saved: Value?) throws(UsageError) {
      try SavedConfig.same(arguments, option, saved)
    }
    try same(Self.optimizer, optimizer)
    try same(Self.momentum, momentum)
    try same(Self.weightDecay, weightDecay)
    try same(Self.schedule, schedule)
    try same(Self.warmup, warmup)
    try same(Self.accumulate, accumulate)
    try same(Self.clip, clip)
    try same(Self.amp, amp)
    try same(Self.ema, ema)
    // How long to wait may change; that the learning rate is at its end may not.
    if !["constant", "plateau"].contains(schedule) { try same(TrainOptions.epochs, epochs) }
  }
}

extension Option where Value == Double {
  fileprivate static func share(_ name: String, _ help: String) -> Option {
    Option(name: name, placeholder: "X", help: help, accepts: "a number between 0 and 1, as in 0.999") { text in
      Double(text).flatMap { $0 > 0 && $0 < 1 ? $0 : nil }
    }
  }
}

// MARK: - In force

extension TrainMethod {
  func makeOptimizer(_ parameters: [ParameterCell], lr: Double) -> Optimizer {
    let decay = weightDecay ?? 0
    let momenta = betas.flatMap { $0.count == 2 ? ($0[0], $0[1]) : nil } ?? (0.9, 0.999)
    return switch optimizer {
    case "adamw": AdamW(parameters, lr: lr, betas: momenta, weightDecay: weightDecay ?? 0.01)
    case "nadam": NAdam(parameters, lr: lr, weightDecay: decay)
    case "radam": RAdam(parameters, lr: lr, weightDecay: decay)
    case "sgd": SGD(parameters, lr: lr, momentum: momentum ?? 0, weightDecay: decay)
    case "rmsprop": RMSprop(parameters, lr: lr, weightDecay: decay, momentum: momentum ?? 0)
    case "adagrad": Adagrad(parameters, lr: lr, weightDecay: decay)
    case "lion": Lion(parameters, lr: lr, weightDecay: decay)
    case "lamb": LAMB(parameters, lr: lr, weightDecay: weightDecay ?? 0.01)
    default: Adam(parameters, lr: lr, betas: momenta, weightDecay: decay)
    }
  }

  /// Sets up everything but the optimizer.
  ///
  /// - Parameter batches: in all epochs together.
  func apply(to trainer: Trainer, batches: Int, epochs: Int) {
    trainer.accumulation = accumulate ?? 1
    trainer.clip = clip.map(GradientClip.norm)
    trainer.precision = amp.map { $0 == "float16" ? .float16 : .bfloat16 }
    trainer.scaler = amp == "float16" ? GradScaler() : nil
    trainer.average = ema.map { ExponentialMovingAverage(trainer.model.parameters(), decay: $0) }
    trainer.earlyStopping = earlyStop.map { EarlyStopping(patience: $0) }
    let perEpoch = batches / max(epochs, 1)
    let updates = (perEpoch + trainer.accumulation - 1) / trainer.accumulation * epochs
    let plans = trainer.objectives.compactMap { plan($0.optimizer, updates: max(updates, 1), goal: trainer.goal) }
    trainer.learningRates = plans.count > 1 ? .each(plans) : plans.first
  }

  private func plan(_ optimizer: Optimizer, updates: Int, goal: Goal) -> LearningRatePlan? {
    switch schedule {
    case "one-cycle":
      // Optimizers without a momentum have none to turn.
      let turns = ["adam", "adamw", "nadam", "radam", "lamb", "lion"].contains(self.optimizer) || (momentum ?? 0) > 0
      return .perStep(OneCycleLR(optimizer, maxLR: optimizer.lr, totalSteps: updates, cycleMomentum: turns))
    case "plateau":
      return .onPlateau(ReduceLROnPlateau(optimizer, mode: goal.isMaximum ? .max : .min, patience: 3))
    case "constant" where warmup == nil: return nil
    default: return .perStep(LambdaLR(optimizer, optimizer.groups.map { _ in { factor(at: $0, of: updates) } }))
    }
  }

  /// The share of the learning rate for update `t`, from 0 on, of `count`.
  private func factor(at t: Int, of count: Int) -> Double {
    let warmup = min(warmup ?? 0, count)
    if t < warmup { return Double(t + 1) / Double(warmup) }
    let share = min(Double(t - warmup) / Double(max(count - warmup, 1)), 1)
    switch schedule {
    case "cosine": return (1 + cos(.pi * share)) / 2
    case "linear": return 1 - share
    case "step": return share < 0.5 ? 1 : share < 0.75 ? 0.1 : 0.01
    default: return 1
    }
  }
}
