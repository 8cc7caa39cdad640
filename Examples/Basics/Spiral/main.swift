// Three spirals: what no straight line can part, and what ten hidden units can.
//
// A linear layer alone parts the plane by straight lines, so it gets little more than half of the points right. One hidden layer in front
// bends the plane first. The network is judged by points that it has never seen.

import Apus

let (train, test) = (ToySets.spiral(300, noise: 0.1, seed: 1), ToySets.spiral(300, noise: 0.1, seed: 2))

/// How many of the test points `model` gets right after 300 epochs.
func right(_ model: any Layer) -> Int {
  let optimizer = SGD(model.parameters(), lr: 1)
  let loader = DataLoader(train, batchSize: 30, shuffle: true, seed: 1)
  for _ in 0..<300 {
    for batch in loader {
      optimizer.zeroGrad()
      crossEntropy(model(batch.input), batch.target).backward()
      optimizer.step()
    }
  }
  return noGrad { correctClasses(model(test.input), test.target) }
}

let generator = Generator(seed: 1)
let lines = right(Linear(2, 3, generator: generator))
print("straight lines: \(lines) of 300 test points right")

let bends = right(
  Sequential {
    Linear(2, 10, generator: generator)
    Sigmoid()
    Linear(10, 3, generator: generator)
  })
print("ten hidden units: \(bends)")

// Prints:
// straight lines: 160 of 300 test points right
// ten hidden units: 295
