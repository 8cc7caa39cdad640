// XOR: the smallest problem that no single layer can solve.
//
// Two inputs, three hidden units with tanh, one output with sigmoid; mean squared error, plain gradient descent with a step of 0.1. Whether
// it learns depends on the weights it starts from: some starts lie on a plateau that takes longer to leave. So the program tries
// twenty, and counts.

import Apus

let inputs = Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
let targets = Tensor([[0.0], [1], [1], [0]])

/// The number of steps until the loss is below 0.01 (all four answers are clear then), or nil.
func stepsToLearn(seed: UInt64, atMost limit: Int) -> Int? {
  let generator = Generator(seed: seed)
  let model = Sequential {
    Linear(2, 3, generator: generator)
    Tanh()
    Linear(3, 1, generator: generator)
    Sigmoid()
  }
  let optimizer = SGD(model.parameters(), lr: 0.1)
  for step in 1...limit {
    let loss = mseLoss(model(inputs), targets)
    if loss.item() < 0.01 { return step }
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
  return nil
}

let steps = (0..<20).compactMap { stepsToLearn(seed: $0, atMost: 5000) }.sorted()
print("\(steps.count) of 20 starts learned XOR within 5000 steps")
if let first = steps.first, let last = steps.last { print("the quickest took \(first) steps, the slowest \(last)") }

// Prints:
// 17 of 20 starts learned XOR within 5000 steps
// the quickest took 2031 steps, the slowest 3513
