// A residual network on colour pictures, small enough to read: fourteen layers deep, and each block learns what to add to its input.
//
// Without the shortcut (`+ x` below) a block has to learn to pass its input on before it can improve it, and in a deep stack that fails: the
// plain network here is the same in every other respect. (Batch norm would hide the difference at this depth; there is none.)
// The pictures are made by a program; `swift run -c release ResNetCIFAR cifar` takes CIFAR-10. `apus train cifar10-resnet` is the real thing.

import Apus

/// y = relu(x + conv(relu(conv(x)))), or the same without `x +`.
final class Block: Module, Layer {
  let conv1: Conv2d
  let conv2: Conv2d
  let hasShortcut: Bool

  init(_ channels: Int, hasShortcut: Bool) {
    conv1 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    conv2 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    self.hasShortcut = hasShortcut
  }

  func forward(_ x: Tensor) -> Tensor {
    let y = conv2(conv1(x).relu())
    return (hasShortcut ? x + y : y).relu()
  }
}

/// Six blocks at 16×16, after a convolution that halves the picture; then the mean over all places.
func network(hasShortcuts: Bool) -> Sequential {
  Sequential {
    Conv2d(3, 16, kernelSize: 3, stride: 2, padding: 1)
    ReLU()
    for _ in 0..<6 { Block(16, hasShortcut: hasShortcuts) }
    AdaptiveAvgPool2d(1)
    Flatten()
    Linear(16, 10)
  }
}

let isReal = CommandLine.arguments.contains("cifar")
let format = CIFAR.Variant.ten
let train = (isReal ? try CIFAR.load(.train) : SyntheticCIFAR.load(.train, count: 1_500))
  .normalized(mean: format.mean, std: format.std)
let test = (isReal ? try CIFAR.load(.test) : SyntheticCIFAR.load(.test, count: 200))
  .normalized(mean: format.mean, std: format.std)

for (name, hasShortcuts) in [("plain", false), ("residual", true)] {
  manualSeed(1)
  let model = network(hasShortcuts: hasShortcuts)
  let trainer = Trainer(
    model, optimizer: Adam(model.parameters(), lr: 2e-3), loss: { crossEntropy($0, $1) }, correct: correctClasses)
  try trainer.fit(
    DataLoader(train, batchSize: 50, shuffle: true, seed: 1), test: DataLoader(test, batchSize: 100), epochs: 4)
  print("\(name): \(100 * trainer.history.last!.accuracy!) % of the test pictures right")
}

// Prints:
// plain: 10.0 % of the test pictures right
// residual: 99.0 % of the test pictures right
