import Apus
import Testing

@Suite("Memory of a run")
struct MemoryTests {
  @Test("doesn't grow over a thousand steps, once it is warm")
  func steady() async {
    // In a process of its own: the numbers are those of all tensors that there are.
    await #expect(processExitsWith: .success) {
      let generator = Generator(seed: 1)
      let model = Sequential([
        Conv2d(1, 4, kernelSize: 3, padding: 1, generator: generator), BatchNorm2d(4), ReLU(), MaxPool2d(2), Dropout(0.25),
        Flatten(),
        Linear(4 * 4 * 4, 10, generator: generator),
      ])
      let trainer = Trainer(
        model, optimizer: AdamW(model.parameters(), lr: 1e-3), loss: { crossEntropy($0, $1) }, correct: correctClasses)
      trainer.clip = .norm(1)
      trainer.average = ExponentialMovingAverage(model.parameters())
      let x = Tensor.randn([256, 1, 8, 8], generator: generator)
      let data = TensorDataset(input: x, target: Tensor.randint(0, 10, [256], generator: generator))
      // Nothing is made ahead of time: how many batches wait in a queue depends on the moment.
      let loader = DataLoader(data, batchSize: 16, shuffle: true, seed: 2, prefetch: 0)
      var figures: [Int: (inUse: Int, reserved: Int, peak: Int)] = [:]
      trainer.shouldStop = { [unowned trainer] in
        // At the same place of an epoch, 62 and a half epochs apart; the peak of the hundred steps before.
        if [100, 1000].contains(trainer.step) { Memory.resetPeak() }
        if [200, 1100].contains(trainer.step) { figures[trainer.step] = (Memory.inUse, Memory.reserved, Memory.peak) }
        return trainer.step == 1100
      }
      try trainer.fit(loader, epochs: 1_000)
      guard let warm = figures[200], let late = figures[1100] else { fatalError("\(figures)") }
      guard late == warm else { fatalError("after 200 steps \(warm), after 1,100 \(late)") }
    }
  }
}
