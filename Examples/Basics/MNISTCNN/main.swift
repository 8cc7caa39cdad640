// The same digits with convolutions: fewer numbers to learn, and fewer mistakes.
//
// A perceptron has a weight for every pixel and must learn a stroke anew at each place. A convolution looks at 3×3 pixels at a time with the
// same weights everywhere. `swift run -c release MNISTCNN mnist` takes real MNIST.

import Apus

manualSeed(1)
let isReal = CommandLine.arguments.contains("mnist")
let train = isReal ? try MNIST.load(.train) : SyntheticDigits.load(.train, count: 5_000)
let test = isReal ? try MNIST.load(.test) : SyntheticDigits.load(.test, count: 2_000)

/// Percent of the test digits that `model` gets right after three epochs.
func accuracy(_ model: any Layer) -> Double {
  let optimizer = Adam(model.parameters(), lr: 2e-3)
  let loader = DataLoader(train, batchSize: 50, shuffle: true, seed: 1)
  for _ in 1...3 {
    for batch in loader {
      optimizer.zeroGrad()
      crossEntropy(model(batch.input), batch.target).backward()
      optimizer.step()
    }
  }
  model.eval()
  let right = noGrad {
    DataLoader(test, batchSize: 500).reduce(0) { $0 + correctClasses(model($1.input), $1.target) }
  }
  return 100 * Double(right) / Double(test.count)
}

let perceptron = MLP(784, 128, 10)
let convolutions = Sequential {
  Conv2d(1, 16, kernelSize: 3, padding: 1)  // [16, 28, 28]
  BatchNorm2d(16)
  ReLU()
  MaxPool2d(2)  // [16, 14, 14]
  Conv2d(16, 32, kernelSize: 3, padding: 1)
  BatchNorm2d(32)
  ReLU()
  MaxPool2d(2)  // [32, 7, 7]
  Flatten()
  Linear(32 * 7 * 7, 10)
}
for (name, model) in [("perceptron", perceptron as any Layer), ("convolutions", convolutions)] {
  let count = model.parameterCount
  print("\(name): \(count) numbers, \(accuracy(model)) % right")
}

// Prints:
// perceptron: 101770 numbers, 91.25 % right
// convolutions: 20586 numbers, 98.65 % right
