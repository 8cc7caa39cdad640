// The README's first listing: a network that learns to read digits.

import Apus

manualSeed(42)
let train = SyntheticDigits.load(.train, count: 20_000)
let test = SyntheticDigits.load(.test, count: 2_000).batch(at: Array(0..<2_000))

let model = Sequential {
  Flatten()
  Linear(784, 128)
  ReLU()
  Linear(128, 10)
}
let optimizer = Adam(model.parameters(), lr: 1e-3)
let loader = DataLoader(train, batchSize: 128, shuffle: true, seed: 42)

for epoch in 1...5 {
  for batch in loader {
    let loss = crossEntropy(model(batch.input), batch.target)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
  let isRight = noGrad { model(test.input).argmax(dim: 1) .== test.target }
  print("epoch \(epoch): \(isRight.sum().item(as: Int.self)) of 2000 right")
}

// Prints:
// epoch 1: 1756 of 2000 right
// epoch 2: 1809 of 2000 right
// epoch 3: 1869 of 2000 right
// epoch 4: 1907 of 2000 right
// epoch 5: 1927 of 2000 right
