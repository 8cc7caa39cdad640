import Apus
import Foundation

extension Command {
  private static let count = Option.integer("count", in: 1...100_000, "How many pictures [default: 64; 1000 with --judge]")
  private static let label = Option.integer("class", in: 0...1_000_000, "Of which class, from 0 on [default: each in turn]")
  private static let output = Option.text(
    "output", letter: "o", "FILE", accepts: "a .png file", "The picture to write [default: samples.png, without --judge]")
  private static let seed = Option.seed("seed", "Seed of the noise; the same seed gives the same pictures [default: 42]")
  private static let manifold = Option<Bool>.flag(
    "manifold", "A map of all pictures instead, of a model with two numbers in a code (vae)")
  private static let judge = Option.text(
    "judge", "CLASSIFIER", accepts: "a checkpoint",
    """
    Have the pictures judged by a classifier, a run of mnist-cnn say: how many it takes for what was asked for, how many classes there \
    are, and how far they lie from the test pictures. Fewer than eight tenths of the classes: exit code 1
    """)

  static let sample = Command(
    name: "sample", summary: "Draw new pictures with a trained generator",
    discussion:
      "A grid of pictures becomes a PNG file. Of a generator that is told the class, each class comes in turn, or the one asked for.",
    operands: [TrainedModel.operand],
    options: [count, label, output, seed, manifold, judge, TrainedModel.dataFolder],
    examples: [
      Example(line: "apus sample runs/cgan --count 64 --class 7 -o sevens.png", help: "Sevens"),
      Example(line: "apus sample runs/vae --manifold -o map.png", help: "All digits on one map"),
      Example(line: "apus sample runs/cgan --judge runs/mnist-cnn", help: "Are they any good?"),
    ],
    run: { arguments in
      let trained = try TrainedModel(arguments.operands[0], arguments, for: "sample")
      guard let model = trained.model as? any GenerativeModel else {
        throw UsageError("sample: the network of \(trained.recipe.name) draws no pictures")
      }
      let wanted = arguments[label]
      if let wanted, wanted >= model.classes {
        throw UsageError(
          model.classes == 0
            ? "sample: the network of \(trained.recipe.name) cannot be asked for a class"
            : "sample: --class takes a whole number from 0 to \(model.classes - 1), not '\(wanted)'")
      }
      if arguments.has(manifold) { return try writeMap(model, trained.recipe, to: arguments[output] ?? "manifold.png") }
      let number = arguments[count] ?? (arguments[judge] == nil ? 64 : 1000)
      let pictures = try catching {
        model.sample(number, label: wanted, generator: Generator(seed: arguments[seed] ?? 42))
      }
      if let path = arguments[output] ?? (arguments[judge] == nil ? "samples.png" : nil) {
        try write(try catching { wanted == nil ? model.grid(pictures) : pictureGrid(pictures) }, to: path)
        Terminal.standardOutput.line("\(printable(path)): \(counted(number, "picture", "pictures"))")
      }
      guard let path = arguments[judge] else { return 0 }
      let judgement = try PictureJudge(path, arguments).judge(pictures, of: trained, label: wanted)
      return judgement.report()
    })

  private static func writeMap(_ model: any GenerativeModel, _ recipe: Recipe, to path: String) throws -> Int32 {
    guard let map = try catching({ model.manifold(side: 20) }) else {
      throw UsageError(
        "sample: --manifold is for a model with two numbers in a code and no classes; that of \(recipe.name) has \(model.latent)")
    }
    try write(try catching { pictureGrid(map, columns: 20, margin: 0) }, to: path)
    Terminal.standardOutput.line("\(printable(path)): 400 pictures")
    return 0
  }

  private static func write(_ picture: Tensor, to path: String) throws {
    guard path.lowercased().hasSuffix(".png") else {
      throw UsageError("sample: --output takes a .png file, not '\(printable(path, limit: 80))'")
    }
    try PNG.write(picture, to: path)
  }
}

/// A classifier that says how good generated pictures are.
struct PictureJudge {
  private let trained: TrainedModel
  private let format: PictureFormat

  /// - Throws: `UsageError` where the model is no classifier of pictures; what reading it throws.
  init(_ path: String, _ arguments: Arguments) throws {
    trained = try TrainedModel(path, Arguments(), for: "sample")
    guard let format = trained.recipe.task.pictures, !trained.recipe.task.classNames.isEmpty else {
      throw UsageError("sample: --judge takes a classifier of pictures, as of mnist-cnn; that of \(trained.recipe.name) is none")
    }
    self.format = format
  }

  struct Judgement {
    let count: Int
    /// Taken for the class that was asked for; nil where none was.
    let recognized: Double?
    /// Pictures taken for each class.
    let perClass: [Int]
    /// Whether there ought to be all classes.
    let isVaried: Bool
    let distance: Double

    /// Classes that have at least a tenth of what would be theirs: a slip of the classifier makes no class.
    var classCount: Int { perClass.count { 10 * $0 * perClass.count >= count && $0 > 0 } }

    /// Prints it.
    ///
    /// - Returns: the exit code.
    func report() -> Int32 {
      let output = Terminal.standardOutput
      output.line("judged      \(grouped(count)) pictures")
      if let recognized { output.line("recognized  \(percent(recognized)) as the class asked for") }
      output.line("classes     \(classCount) of \(perClass.count): \(perClass.map(grouped).joined(separator: " "))")
      output.line("distance    \(short(distance)) from the test pictures (Fréchet, on the classifier's features)")
      if isVaried, 10 * classCount < 8 * perClass.count {
        Terminal.standardError.line(
          "apus: the generator has collapsed: \(classCount) of \(perClass.count) classes among \(grouped(count)) pictures")
        return 1
      }
      return 0
    }
  }

  /// - Parameters:
  ///   - pictures: `[count, C, H, W]`, brightness from 0 to 1.
  ///   - model: whose they are: it is measured against its test data.
  ///   - label: the class of all of them; nil for each class in turn.
  func judge(_ pictures: Tensor, of model: TrainedModel, label: Int?) throws -> Judgement {
    guard pictures.shape[1] == format.channels, pictures.shape[2] == format.size, pictures.shape[3] == format.size else {
      throw UsageError(
        "sample: the classifier of \(trained.recipe.name) sees pictures of \(format.channels)×\(format.size)×\(format.size), not of "
          + Array(pictures.shape.dropFirst()).map { "\($0)" }.joined(separator: "×"))
    }
    let test = try model.load().test
    let real = try test.batch(at: Array(0..<min(test.count, 10_000))).input
    let (made, true_) = (try look(pictures), try look(real))
    let classes = trained.recipe.task.classNames.count
    let answers = made.answers
    let asked = (model.model as? any GenerativeModel).flatMap { $0.classes > 0 ? $0.classes : nil }
    let hits = asked.map { classes in answers.enumerated().count { $1 == label ?? $0 % classes } }
    return Judgement(
      count: answers.count, recognized: hits.map { Double($0) / Double(answers.count) },
      perClass: (0..<classes).map { label in answers.count { $0 == label } }, isVaried: label == nil,
      distance: try catching { frechetDistance(made.features, true_.features) })
  }

  /// The answers to pictures, and what the last layer made them of.
  private func look(_ pictures: Tensor) throws -> (answers: [Int], features: Tensor) {
    let last = trained.model.modules().last { $0 is Linear }
    var features: [Tensor] = []
    let hook = last?.registerForwardPreHook { _, inputs in
      features.append(inputs[0].detach())
      return nil
    }
    defer { hook?.remove() }
    let perChannel = Shape([format.channels, 1, 1])
    let (mean, std) = (Tensor(scalars: format.mean, shape: perChannel), Tensor(scalars: format.std, shape: perChannel))
    let answers = try catching {
      noGrad {
        stride(from: 0, to: pictures.shape[0], by: 500).flatMap { start in
          let part = pictures[start..<min(start + 500, pictures.shape[0])]
          return trained.model.output((part - mean) / std).argmax(dim: 1).scalars(as: Int.self)
        }
      }
    }
    return (answers, try catching { cat(features, dim: 0) })
  }
}
