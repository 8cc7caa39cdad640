// A network with one hidden layer bends a curve to a noisy sine.
//
// Without the sigmoid between them, two linear layers are one linear layer and the best fit is a straight line; with it, ten hidden
// units are ten soft steps that add up to the curve. The noise has a variance of 0.01: the loss cannot fall much below that, and
// what counts is the distance from the sine without noise, which the network has never seen.

import Apus

let generator = Generator(seed: 0)
let x = Tensor.rand([100, 1], generator: generator)
let sine = (2 * Double.pi * x).sin()
let y = sine + 0.1 * Tensor.randn([100, 1], generator: generator)

let model = Sequential {
  Linear(1, 10, generator: generator)
  Sigmoid()
  Linear(10, 1, generator: generator)
}
let optimizer = Adam(model.parameters(), lr: 0.02)
print(model)

for step in 0...3000 {
  let loss = mseLoss(model(x), y)
  if step % 1000 == 0 { print("step \(step): loss \(loss.item(as: Float.self))") }
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
}
let distance = noGrad { mseLoss(model(x), sine).sqrt() }
print("distance from the sine without noise: \(distance.item(as: Float.self))")

// Prints:
// Sequential(
//   (0): Linear(in: 1, out: 10, bias: true)
//   (1): Sigmoid()
//   (2): Linear(in: 10, out: 1, bias: true)
// )
// step 0: loss 0.65504694
// step 1000: loss 0.014496049
// step 2000: loss 0.009567388
// step 3000: loss 0.009402696
// distance from the sine without noise: 0.020020043
