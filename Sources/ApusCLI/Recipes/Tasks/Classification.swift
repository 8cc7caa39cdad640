import Apus

/// Samples into classes: cross entropy, judged by the share of right answers.
struct Classification: RecipeTask {
  let data: RecipeData
  var augmentation: (any Transform)?
  let makeNetwork: @Sendable () -> any Layer

  var pictures: PictureFormat? { data.pictures }
  var classNames: [String] { data.classNames }

  func load(_ request: DataRequest) throws -> Splits {
    try data.load(request.option, limit: request.limit, progress: request.progress)
  }

  func makeModel(_ facts: ModelFacts) -> Module { makeNetwork() }

  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer {
    let objective = Objective(makeOptimizer(model.parameters())) { batch in
      let output = model.output(batch.input)
      return Outcome(loss: crossEntropy(output, batch.target), output: output)
    }
    let trainer = Trainer(model, [objective], metrics: [Accuracy(correctClasses)])
    trainer.goal = .highest("accuracy")
    return trainer
  }

  func sampleInput(_ facts: ModelFacts) -> Tensor? {
    pictures.map { Tensor.zeros([2, $0.channels, $0.size, $0.size]) } ?? Tensor.zeros([2, 2])
  }
}

extension Module {
  /// What a model that is a layer makes of `x`.
  func output(_ x: Tensor) -> Tensor {
    guard let layer = self as? any Layer else {
      fail(TensorError(.unsupported, "\(type(of: self))", "is not a network from one tensor to one tensor"))
      return .invalid
    }
    return layer(x)
  }
}
