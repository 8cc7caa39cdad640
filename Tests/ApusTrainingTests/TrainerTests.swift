import Apus
import Foundation
import TestSupport
import Testing

@Suite("Trainer")
struct TrainerTests {
  /// Two clouds of points, the sign of x + y decides.
  private static func clouds(_ count: Int, seed: UInt64) -> TensorDataset {
    let x = Tensor.randn([count, 2], generator: Generator(seed: seed))
    return TensorDataset(input: x, target: (x.sum(dim: 1) .> 0).to(.int64))
  }

  private static func trainer(lr: Double = 0.01) -> Trainer {
    let generator = Generator(seed: 1)
    let model = Sequential([Linear(2, 16, generator: generator), ReLU(), Linear(16, 2, generator: generator)])
    return Trainer(
      model, optimizer: Adam(model.parameters(), lr: lr), loss: { crossEntropy($0, $1) }, correct: correctClasses)
  }

  private static func fit(_ trainer: Trainer, epochs: Int, batchSize: Int = 32) throws -> Bool {
    try trainer.fit(
      DataLoader(clouds(500, seed: 2), batchSize: batchSize, shuffle: true, seed: 3),
      test: DataLoader(clouds(200, seed: 4), batchSize: 100), epochs: epochs)
  }

  @Test("learns a small task")
  func learns() throws {
    let trainer = Self.trainer()
    #expect(try Self.fit(trainer, epochs: 10))
    #expect(trainer.history.map(\.pass.split) == Array(repeating: [.train, .test], count: 10).flatMap(\.self))
    let last = try #require(trainer.history.last)
    #expect(last.loss < 0.2)
    #expect(try #require(last.accuracy) > 0.95)
    #expect(trainer.step == 160)
    #expect(trainer.model.parameters().allSatisfy { $0.grad.map { $0.abs().sum().item() > 0 } ?? false })
  }

  @Test("the same seeds give the same history")
  func deterministic() throws {
    let histories = try (0..<2).map { _ in
      let trainer = Self.trainer()
      _ = try Self.fit(trainer, epochs: 2)
      return trainer.history.map { [$0.loss, $0.accuracy ?? -1] }
    }
    #expect(histories[0] == histories[1])
  }

  @Test("the loss of a pass is the mean over its samples, the last small batch included")
  func meanLoss() throws {
    let trainer = Self.trainer(lr: 1e-9)
    let data = Self.clouds(500, seed: 2)
    _ = try Self.fit(trainer, epochs: 1, batchSize: 300)
    let loss = crossEntropy(try trainer.predict(data.input), data.target).item()
    #expect(abs(trainer.history[0].loss - loss) < 1e-5)
    #expect(trainer.history[0].sampleCount == 500 && trainer.history[0].batchCount == 2)
  }

  @Test("a loss that isn't finite stops the run, and the message names the step")
  func notFinite() throws {
    let trainer = Self.trainer()
    let input = Tensor.ones([10, 2])
    var target = Tensor.zeros([10], dtype: .int64)
    target[4] = 1
    var poisoned = input
    poisoned[7] = Tensor([Float.nan, 1])
    let loader = DataLoader(TensorDataset(input: poisoned, target: target), batchSize: 2)
    let error = #expect(throws: TrainingError.self) { try trainer.fit(loader, test: loader, epochs: 2) }
    #expect("\(try #require(error))".hasPrefix("the loss is NaN at step 4 (epoch 1, batch 4 of 5)"))
    #expect(trainer.model.parameters().allSatisfy { $0.value.scalars(as: Float.self).allSatisfy(\.isFinite) })
  }

  @Test("stops after the batch, and says how far it came")
  func stops() throws {
    let trainer = Self.trainer()
    trainer.shouldStop = { [unowned trainer] in trainer.step == 19 }
    #expect(try !Self.fit(trainer, epochs: 5))
    #expect(trainer.step == 19)
    let last = try #require(trainer.history.last)
    #expect(last.pass.epoch == 2 && last.batchCount == 3 && last.sampleCount == 96 && !last.isComplete)
  }

  @Test("a mistake in the model throws")
  func mistake() throws {
    let trainer = Trainer(
      Sequential([Linear(3, 2)]), optimizer: SGD(Linear(3, 2).parameters(), lr: 0.1), loss: { crossEntropy($0, $1) })
    #expect(throws: TensorError.self) { try Self.fit(trainer, epochs: 1) }
  }

  @Test("no batches: an error, not a loss of nothing")
  func empty() throws {
    let loader = DataLoader(Self.clouds(0, seed: 1), batchSize: 2)
    #expect(throws: TrainingError.noBatches(.train)) { try Self.trainer().fit(loader, test: loader, epochs: 1) }
  }

  @Test("callbacks: one line per epoch, one log line per pass, a curve")
  func callbacks() throws {
    let (trainer, sink, folder, losses) = (Self.trainer(), Sink(), try TemporaryFolder(), LossRecorder())
    let log = try MetricsLog(folder.file("metrics.jsonl"))
    trainer.callbacks = [ProgressReport(on: sink.terminal(isInteractive: false)), MetricsWriter(log), losses]
    trainer.shouldStop = { [unowned trainer] in trainer.step == 33 }
    _ = try Self.fit(trainer, epochs: 5)
    #expect(sink.lines.count == 3 && !sink.text.contains("\r"))
    #expect(sink.lines[0].hasPrefix("epoch 1/5  loss 0.") && sink.lines[0].contains("test accuracy"))
    #expect(sink.lines[2].hasSuffix("(stopped after batch 1 of 16)"))

    let rows = try folder.text("metrics.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
    #expect(rows.map(\.epoch) == [1, 1, 2, 2, 3])
    #expect(rows.map(\.split) == ["train", "test", "train", "test", "train"])
    #expect(rows.map(\.complete) == [nil, nil, nil, nil, false])
    #expect(rows.map(\.samples) == [500, 200, 500, 200, 32])
    #expect(rows.map(\.loss) == trainer.history.map(\.loss))
    #expect(rows.map(\.accuracy) == trainer.history.map(\.accuracy))
    #expect(rows.allSatisfy { $0.seconds >= 0 })
    #expect(losses.trainLosses.count == 33)
    #expect(losses.curve(title: "x").series.map(\.x.last) == [2 + 1.0 / 16, 2])
  }

  private struct Row: Decodable {
    let epoch: Int
    let split: String
    let loss: Double
    let accuracy: Double?
    let samples: Int
    let complete: Bool?
    let seconds: Double
  }

  @Test("on a terminal the bar comes and goes, the lines stay")
  func bar() throws {
    let (trainer, sink, clock) = (Self.trainer(), Sink(), ManualClock())
    trainer.callbacks = [
      ProgressReport(
        on: sink.terminal(isInteractive: true),
        clock: {
          clock.seconds += 0.2
          return clock.seconds
        })
    ]
    _ = try Self.fit(trainer, epochs: 2)
    #expect(sink.redraws.count { $0.hasPrefix("epoch 1/2: ") } == 16)
    #expect(sink.redraws.count { $0.hasPrefix("epoch 2/2 test: ") } == 2)
    let lines = sink.text.split(separator: "\r").map { String($0.replacing("\u{1B}[K", with: "")) }.filter { $0.hasSuffix("\n") }
    #expect(lines.count == 2 && lines[1].hasPrefix("epoch 2/2  loss "))
  }
}
