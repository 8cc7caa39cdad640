import ApusCore
import ApusData
import ApusNN

// The short way: data that is there as tensors, as in Keras.
//
//     let trainer = Trainer(model, optimizer: Adam(model.parameters()), loss: { crossEntropy($0, $1) }, correct: correctClasses)
//     try trainer.fit(x, y, epochs: 5)
//     print(try trainer.evaluate(xTest, yTest).accuracy!)

extension Trainer {
  /// Trains on tensors, in a new random order in each epoch.
  ///
  /// - Parameters:
  ///   - input: `[count, …]`.
  ///   - target: `[count, …]`.
  ///   - validation: what it is judged by after each epoch.
  ///   - epochs: in all, those of earlier calls included.
  ///   - batchSize: samples in a batch.
  ///   - seed: of the order; the default generator's where none is given.
  /// - Returns: the results of all passes, those of earlier calls included.
  @discardableResult
  public func fit(
    _ input: Tensor, _ target: Tensor, validation: (input: Tensor, target: Tensor)? = nil, epochs: Int = 1, batchSize: Int = 32,
    seed: UInt64? = nil
  ) throws -> [PassResult] {
    let train = try catching {
      DataLoader(TensorDataset(input: input, target: target), batchSize: batchSize, shuffle: true, seed: seed)
    }
    let test = try validation.map { pair in
      try catching { DataLoader(TensorDataset(input: pair.input, target: pair.target), batchSize: batchSize) }
    }
    try fit(train, test: test, epochs: epochs)
    return history
  }

  /// Loss and metrics of tensors.
  ///
  /// - Parameters:
  ///   - input: `[count, …]`.
  ///   - target: `[count, …]`.
  ///   - batchSize: samples in a batch; how many changes the time only.
  public func evaluate(_ input: Tensor, _ target: Tensor, batchSize: Int = 256) throws -> PassResult {
    try evaluate(try catching { DataLoader(TensorDataset(input: input, target: target), batchSize: batchSize) })
  }

  /// Loss and metrics of a data set; callbacks and history don't notice.
  ///
  /// - Parameters:
  ///   - loader: the data.
  ///   - onBatch: sees the outputs of each batch: for what is no number, such as a confusion matrix.
  /// - Throws: as `fit` does.
  public func evaluate<Data: Dataset>(
    _ loader: DataLoader<Data>, onBatch: (_ output: Tensor, _ target: Tensor) -> Void = { _, _ in }
  ) throws -> PassResult where Data.Batched == Batch {
    try result(on: loader) { onBatch($0, $1.target) }
  }

  /// Loss and metrics of a data set, for which `answers` remembers what the model answered; other callbacks and the history don't notice.
  ///
  /// - Parameters:
  ///   - loader: the data.
  ///   - answers: forgets what it has seen before.
  /// - Throws: as `fit` does.
  public func evaluate<Data: Dataset>(
    _ loader: DataLoader<Data>, answers: AnswerRecorder
  ) throws -> PassResult where Data.Batched == Batch {
    answers.forget()
    return try result(on: loader) { answers.add($0, $1.input, $1.target) }
  }

  private func result<Data: Dataset>(
    on loader: DataLoader<Data>, onBatch: (_ output: Tensor, _ batch: Batch) -> Void
  ) throws -> PassResult where Data.Batched == Batch {
    let pass = Pass(epoch: epoch, of: epoch, .test, batches: loader.count)
    if pass.batchCount == 0 { throw TrainingError.noBatches(.test) }
    guard let meter = try judged(pass, loader, onBatch: onBatch) else {
      throw TrainingError.noBatches(.test)
    }
    return meter.result(of: pass)
  }

  /// The model's outputs in evaluation mode, batch by batch, without gradients: for a model that is a `Layer`.
  ///
  /// - Parameters:
  ///   - input: `[count, …]`, at least one.
  ///   - batchSize: samples in a batch.
  /// - Returns: `[count, …]`.
  public func predict(_ input: Tensor, batchSize: Int = 256) throws -> Tensor {
    model.eval()
    return try catching {
      guard let layer = model as? any Layer else {
        fail(TensorError(.unsupported, "predict", "\(type(of: model)) doesn't make one tensor of one tensor"))
        return .invalid
      }
      let count = input.rank == 0 ? 0 : input.shape[0]
      guard check(count > 0 && batchSize > 0, .value, "predict", "input \(input.shape) in batches of \(batchSize)") else {
        return .invalid
      }
      func go() -> Tensor {
        let starts = stride(from: 0, to: count, by: batchSize)
        return noGrad { cat(starts.map { layer(input[$0..<min($0 + batchSize, count)]) }, dim: 0) }
      }
      return average?.withAveraged(go) ?? go()
    }
  }
}
