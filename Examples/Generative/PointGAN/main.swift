// A generative adversarial network (Goodfellow et al. 2014) on a ring of eight spots: two networks that learn from each other.
//
// The generator makes points out of noise. The discriminator says whether a point is real. It learns to tell the two apart; the generator
// learns to be taken for real, by the gradient that comes through the discriminator. What can go wrong is seen at once here: a generator
// that has found one spot and makes nothing else ("mode collapse").

import Apus

manualSeed(1)
let spots = Tensor(scalars: (0..<8).flatMap { k in [cosine(k), cosine(k - 2)] }, shape: [8, 2])  // a ring of radius 2
func cosine(_ eighths: Int) -> Double { 2 * Tensor(Double(eighths) * .pi / 4, dtype: .float64).cos().item() }

/// Real points: a spot, and a little around it.
func realPoints(_ count: Int) -> Tensor {
  spots.indexSelect(dim: 0, index: Tensor.randint(0, 8, [count])) + 0.05 * Tensor.randn([count, 2])
}

func perceptron(_ inputs: Int, _ outputs: Int) -> Sequential {
  Sequential {
    Linear(inputs, 128)
    ReLU()
    Linear(128, 128)
    ReLU()
    Linear(128, outputs)
  }
}
let (generator, discriminator) = (perceptron(2, 2), perceptron(2, 1))
let generatorOptimizer = Adam(generator.parameters(), lr: 1e-3, betas: (0.5, 0.999))
let discriminatorOptimizer = Adam(discriminator.parameters(), lr: 1e-3, betas: (0.5, 0.999))
let (real, fake) = (Tensor.ones([128, 1]), Tensor.zeros([128, 1]))

for step in 1...1500 {
  let made = generator(Tensor.randn([128, 2]))

  // The discriminator: real points are real, made ones are fake. `detach`, since this is not the generator's lesson.
  discriminatorOptimizer.zeroGrad()
  let doubt =
    binaryCrossEntropyWithLogits(discriminator(realPoints(128)), real)
    + binaryCrossEntropyWithLogits(discriminator(made.detach()), fake)
  doubt.backward()
  discriminatorOptimizer.step()

  // The generator: what it makes should be called real.
  generatorOptimizer.zeroGrad()
  binaryCrossEntropyWithLogits(discriminator(made), real).backward()
  generatorOptimizer.step()

  if step % 500 == 0 { report(step, noGrad { generator(Tensor.randn([1000, 2])) }) }
}

/// How many of the points lie near a spot, and near how many different ones.
func report(_ step: Int, _ points: Tensor) {
  let distances = (points.unsqueeze(dim: 1) - spots).square().sum(dim: 2).sqrt()  // [1000, 8]
  let isNear = distances .< 0.3
  let found = isNear.any(dim: 0).sum().item(as: Int.self)
  let near = isNear.any(dim: 1).sum().item(as: Int.self)
  print("step \(step): \(found) of 8 spots are found, \(near) of 1000 points lie on one")
}

// Prints:
// step 500: 8 of 8 spots are found, 446 of 1000 points lie on one
// step 1000: 8 of 8 spots are found, 738 of 1000 points lie on one
// step 1500: 8 of 8 spots are found, 826 of 1000 points lie on one
