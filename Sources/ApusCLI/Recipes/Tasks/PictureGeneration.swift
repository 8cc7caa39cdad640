import Apus

/// New pictures of digits, by an adversarial network or a variational autoencoder. After each epoch a grid of them, always of the same noise, goes
/// into the run's folder.
struct PictureGeneration: RecipeTask {
  enum Kind: Sendable {
    /// A generator and a discriminator that learn in turns.
    case adversarial(@Sendable (_ latent: Int) -> any AdversarialNetwork, smoothing: Double)
    /// One loss of two parts.
    case variational(@Sendable (_ latent: Int) -> any VariationalAutoencoder)
  }

  let kind: Kind
  let latent: Int

  var facts: ModelFacts { ModelFacts(latent: latent) }

  func load(_ request: DataRequest) throws -> Splits {
    // Brightness from 0 to 1, not normalized: that is what is to be generated.
    try RecipeData.files(.digits).load(request.option, limit: request.limit, isNormalized: false, progress: request.progress)
  }

  func makeModel(_ facts: ModelFacts) -> Module {
    switch kind {
    case .adversarial(let make, _): make(facts.latent ?? latent)
    case .variational(let make): make(facts.latent ?? latent)
    }
  }

  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer {
    if let model = model as? any AdversarialNetwork { return Trainer(model, adversarial(model, makeOptimizer)) }
    let objective = Objective(makeOptimizer(model.parameters()), parts: ["reconstruction", "divergence"]) { batch in
      guard let model = model as? any VariationalAutoencoder else { return Outcome(loss: .invalid) }
      let loss = model.loss(batch.input, labels: model.labels(of: batch))
      return Outcome(
        loss: loss.total, parts: [("reconstruction", loss.reconstruction), ("divergence", loss.divergence)])
    }
    return Trainer(model, [objective])
  }

  private func adversarial(_ model: any AdversarialNetwork, _ makeOptimizer: MakeOptimizer) -> [Objective] {
    var smoothing = 0.0
    if case .adversarial(_, let value) = kind { smoothing = value }
    return [
      Objective("discriminator", makeOptimizer(model.discriminator.parameters())) { batch in
        Outcome(
          loss: model.discriminatorLoss(
            real: batch.input * 2 - 1, noise: model.noise(batch.count), labels: model.labels(of: batch),
            smoothing: model.isTraining ? smoothing : 0))
      },
      Objective("generator", makeOptimizer(model.generator.parameters())) { batch in
        Outcome(loss: model.generatorLoss(noise: model.noise(batch.count), labels: model.labels(of: batch)))
      },
    ]
  }

  func callbacks(_ model: Module, in folder: RunFolder, seed: UInt64) -> [any TrainingCallback] {
    (model as? any GenerativeModel).map { [SampleGrids($0, in: folder, seed: seed)] } ?? []
  }
}

extension GenerativeModel {
  /// The classes of a batch, for a model that is told them.
  func labels(of batch: Batch) -> Tensor? { classes > 0 ? batch.target : nil }

  /// Pictures side by side: as many in a row as there are classes, or as make a square.
  func grid(_ pictures: Tensor) -> Tensor {
    let columns = classes > 0 ? classes : max(Int(Double(pictures.shape[0]).squareRoot().rounded(.up)), 1)
    return pictureGrid(pictures, columns: columns)
  }
}

/// After each epoch: `samples/epoch-0001.png`, and of a model with two numbers in a code `samples/manifold.png`, a map of all of them.
final class SampleGrids: TrainingCallback {
  private let model: any GenerativeModel
  private let folder: RunFolder
  private let seed: UInt64

  init(_ model: any GenerativeModel, in folder: RunFolder, seed: UInt64) {
    (self.model, self.seed) = (model, seed)
    self.folder = RunFolder(folder.path + "/samples")
  }

  func passEnded(_ result: PassResult) {
    guard result.pass.split == .train, result.isComplete else { return }
    do {
      try folder.create()
      let digits = String(result.pass.epoch)
      let name = "epoch-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      let pictures = try catching { (samples(), map()) }
      try PNG.write(pictures.0, to: "\(folder.path)/\(name).png")
      if let map = pictures.1 { try PNG.write(map, to: "\(folder.path)/manifold.png") }
    } catch {
      // Pictures are no reason to end a run.
      Terminal.standardError.line("apus: warning: \(error); training goes on without this picture")
    }
  }

  /// What the model draws now, for the report.
  func drawings() -> [Drawing] {
    [PictureChart(title: "Samples", picture: samples()).drawing()]
      + (map().map { [PictureChart(title: "Map of all codes", picture: $0).drawing()] } ?? [])
  }

  /// Of the same noise in every epoch: so one sees the pictures develop.
  private func samples() -> Tensor {
    model.grid(model.sample(model.classes > 0 ? 10 * model.classes : 100, generator: Generator(seed: seed, stream: 1)))
  }

  private func map() -> Tensor? { model.manifold(side: 20).map { pictureGrid($0, columns: 20, margin: 0) } }
}

extension GenerativeModel {
  /// The pictures of all codes, row by row; nil where a code has more than two numbers, or there are classes to choose.
  func manifold(side: Int) -> Tensor? {
    guard latent == 2, classes == 0 else { return nil }
    let modes = modules().map { ($0, $0.isTraining) }
    eval()
    defer { for (module, isTraining) in modes { module.isTraining = isTraining } }
    return noGrad { pictures(latentMap(side), labels: nil) }
  }
}
