// A training run of your own, with everything that `apus train` has: metrics, checkpoints to go on from, early stopping, a loss curve.
//
//     swift run -c release CustomRecipe runs/moons    # twice: the second run goes on where the first ended
//
// Without a folder the program takes a temporary one, and stops itself half-way to show that a run that goes on ends where an
// uninterrupted one does.

import Apus
import Foundation

/// Two half moons, told apart by a small network.
struct MoonsRecipe {
  let folder: RunFolder
  var epochs = 20

  /// Trains, from the newest checkpoint if there is one, and returns the test accuracy and the final parameters.
  func run(stopAfter lastStep: Int = .max) throws -> (accuracy: Double, state: StateDict) {
    try folder.create()
    manualSeed(42)
    let model = MLP(2, 32, 32, 2)
    let optimizer = AdamW(model.parameters(), lr: 1e-2)
    let trainer = Trainer(model, optimizer: optimizer, loss: { crossEntropy($0, $1) }, correct: correctClasses)
    trainer.learningRates = .perEpoch(CosineAnnealingLR(optimizer, tMax: epochs))
    trainer.clip = .norm(1)
    trainer.goal = .highest("accuracy")
    trainer.checkpoints = CheckpointFolder(folder.checkpoints)
    trainer.shouldStop = { trainer.step >= lastStep }
    let losses = LossRecorder()
    trainer.callbacks = [losses, MetricsWriter(try MetricsLog(folder.metrics))]

    if let checkpoint = try trainer.checkpoints?.newest() { try trainer.load(checkpoint) }
    let train = DataLoader(ToySets.moons(1_000, noise: 0.2, seed: 1), batchSize: 50, shuffle: true, seed: 42)
    let test = DataLoader(ToySets.moons(500, noise: 0.2, seed: 2), batchSize: 100)
    try trainer.fit(train, test: test, epochs: epochs)

    try TensorFile.write(model.stateDict().map { ($0.name, $0.tensor) }, to: folder.model)
    try losses.curve(title: "Moons").svg().write(toFile: folder.lossCurve, atomically: true, encoding: .utf8)
    return (trainer.history.last { $0.pass.split == .test }?.accuracy ?? 0, model.stateDict())
  }
}

if let path = CommandLine.arguments.dropFirst().first {
  print("test accuracy \(try MoonsRecipe(folder: RunFolder(path)).run().accuracy); everything else is in \(path)")
} else {
  let base = FileManager.default.temporaryDirectory.appending(path: "apus-moons-\(UUID())").path
  let whole = try MoonsRecipe(folder: RunFolder(base + "/whole")).run()
  print("test accuracy \(whole.accuracy)")

  let halves = MoonsRecipe(folder: RunFolder(base + "/halves"))
  _ = try halves.run(stopAfter: 205)  // in the middle of an epoch
  let resumed = try halves.run()
  let isSame = zip(whole.state, resumed.state).allSatisfy { ($0.tensor .== $1.tensor).all().item(as: Bool.self) }
  print("a run that was stopped and went on ends in the same bits: \(isSame)")
  print(try FileManager.default.contentsOfDirectory(atPath: halves.folder.path).sorted().joined(separator: ", "))
  try FileManager.default.removeItem(atPath: base)
}

// Prints:
// test accuracy 0.97
// a run that was stopped and went on ends in the same bits: true
// checkpoints, loss.svg, metrics.jsonl, model.safetensors
