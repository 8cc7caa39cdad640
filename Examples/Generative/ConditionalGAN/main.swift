// A conditional GAN (Mirza and Osindero 2014): the generator draws the digit that it is asked for.
//
// Both networks are told the digit, as ten numbers of which one is 1. The discriminator rejects a fine 3 that was ordered as a 5, so the
// generator learns to obey. A classifier counts how often it does.
//
//     swift run -c release ConditionalGAN digits.png    # each row one digit, from 0 to 9

import Apus

manualSeed(2)
/// Digits of half size, from −1 to 1.
let full = SyntheticDigits.load(.train, count: 6_000).batch(at: Array(0..<6_000))
let data = TensorDataset(input: 2 * avgPool2d(full.input, kernelSize: 2) - 1, target: full.target)  // [6000, 1, 14, 14]

let generator = Sequential {
  Linear(32 + 10, 64 * 4 * 4)
  Unflatten(1, [64, 4, 4])
  BatchNorm2d(64)
  ReLU()
  ConvTranspose2d(64, 32, kernelSize: 3, stride: 2, padding: 1, bias: false)  // [32, 7, 7]
  BatchNorm2d(32)
  ReLU()
  ConvTranspose2d(32, 1, kernelSize: 4, stride: 2, padding: 1)  // [1, 14, 14]
  Tanh()
}
let discriminator = Sequential {
  Conv2d(1 + 10, 32, kernelSize: 4, stride: 2, padding: 1)  // [32, 7, 7]
  LeakyReLU(negativeSlope: 0.2)
  Conv2d(32, 64, kernelSize: 3, stride: 2, padding: 1, bias: false)  // [64, 4, 4]
  BatchNorm2d(64)
  LeakyReLU(negativeSlope: 0.2)
  Flatten()
  Linear(64 * 4 * 4, 1)
}
let classifier = MLP(196, 128, 10)

/// Noise with the ten numbers behind it, and a picture with ten maps that are 0 or 1 everywhere.
func order(_ noise: Tensor, _ labels: Tensor) -> Tensor { cat([noise, labels.oneHot(10).to(.float32)], dim: 1) }
func labelled(_ x: Tensor, _ labels: Tensor) -> Tensor {
  let maps = labels.oneHot(10).to(.float32).reshape(-1, 10, 1, 1).expand([x.shape[0], 10, 14, 14])
  return cat([x, maps], dim: 1)
}

let classifierOptimizer = Adam(classifier.parameters(), lr: 3e-3)
let loader = DataLoader(data, batchSize: 60, shuffle: true, seed: 1)
for _ in 1...4 {
  for batch in loader {
    classifierOptimizer.zeroGrad()
    crossEntropy(classifier(batch.input), batch.target).backward()
    classifierOptimizer.step()
  }
}

let generatorOptimizer = Adam(generator.parameters(), lr: 2e-3, betas: (0.5, 0.999))
let discriminatorOptimizer = Adam(discriminator.parameters(), lr: 2e-3, betas: (0.5, 0.999))
let (real, fake) = (Tensor.ones([60, 1]), Tensor.zeros([60, 1]))
for _ in 1...8 {
  for batch in loader {
    let labels = batch.target
    let made = labelled(generator(order(Tensor.randn([60, 32]), labels)), labels)

    discriminatorOptimizer.zeroGrad()
    let doubt =
      binaryCrossEntropyWithLogits(discriminator(labelled(batch.input, labels)), real)
      + binaryCrossEntropyWithLogits(discriminator(made.detach()), fake)
    doubt.backward()
    discriminatorOptimizer.step()

    generatorOptimizer.zeroGrad()
    binaryCrossEntropyWithLogits(discriminator(made), real).backward()
    generatorOptimizer.step()
  }
}

let asked = Tensor.arange(0, 10).repeatInterleave(100)  // a hundred of each digit
let pictures = noGrad { generator(order(Tensor.randn([1000, 32]), asked)) }
print("\(Double(correctClasses(noGrad { classifier(pictures) }, asked)) / 10) % of 1000 pictures show the digit asked for")
if let path = CommandLine.arguments.dropFirst().first {
  let rows = pictures.reshape(10, 100, 1, 14, 14)[0..<10, 0..<10].reshape(100, 1, 14, 14)
  try PNG.write(pictureGrid((rows + 1) / 2, columns: 10), to: path)
}

// Prints:
// 81.6 % of 1000 pictures show the digit asked for
