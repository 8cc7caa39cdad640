// A deep convolutional GAN (Radford et al. 2015) that draws digits.
//
// The generator is a network of transposed convolutions: from 32 numbers to 64 maps of 4×4, to 32 of 7×7, to one picture of 14×14. The
// discriminator goes the other way. Batch norm in both and Adam with β₁ = 0.5 are what made such networks trainable. A classifier that has
// learned the digits judges the pictures: a collapsed generator would show few classes.
//
//     swift run -c release DigitsDCGAN digits.png    # 64 of the pictures
//
// `apus train dcgan` is the same at full size, on MNIST.

import Apus

manualSeed(2)
/// Digits of half size, from −1 to 1.
func digits(_ count: Int) -> TensorDataset {
  let full = SyntheticDigits.load(.train, count: count).batch(at: Array(0..<count))
  return TensorDataset(input: 2 * avgPool2d(full.input, kernelSize: 2) - 1, target: full.target)
}

let generator = Sequential {
  Unflatten(1, [32, 1, 1])
  ConvTranspose2d(32, 64, kernelSize: 4, bias: false)  // [64, 4, 4]
  BatchNorm2d(64)
  ReLU()
  ConvTranspose2d(64, 32, kernelSize: 3, stride: 2, padding: 1, bias: false)  // [32, 7, 7]
  BatchNorm2d(32)
  ReLU()
  ConvTranspose2d(32, 1, kernelSize: 4, stride: 2, padding: 1)  // [1, 14, 14]
  Tanh()
}
let discriminator = Sequential {
  Conv2d(1, 32, kernelSize: 4, stride: 2, padding: 1)  // [32, 7, 7]
  LeakyReLU(negativeSlope: 0.2)
  Conv2d(32, 64, kernelSize: 3, stride: 2, padding: 1, bias: false)  // [64, 4, 4]
  BatchNorm2d(64)
  LeakyReLU(negativeSlope: 0.2)
  Flatten()
  Linear(64 * 4 * 4, 1)
}
let classifier = Sequential {
  Flatten()
  Linear(196, 128)
  ReLU()
  Linear(128, 10)
}

let data = digits(6_000)
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
for _ in 1...7 {
  for batch in loader {
    let (real, fake) = (Tensor.ones([60, 1]), Tensor.zeros([60, 1]))
    let made = generator(Tensor.randn([60, 32]))

    discriminatorOptimizer.zeroGrad()
    let doubt =
      binaryCrossEntropyWithLogits(discriminator(batch.input), real)
      + binaryCrossEntropyWithLogits(discriminator(made.detach()), fake)
    doubt.backward()
    discriminatorOptimizer.step()

    generatorOptimizer.zeroGrad()
    binaryCrossEntropyWithLogits(discriminator(made), real).backward()
    generatorOptimizer.step()
  }
}

let pictures = noGrad { generator(Tensor.randn([1000, 32])) }
let (confidence, answers) = noGrad { classifier(pictures).softmax(dim: 1).topk(1, dim: 1) }
let counts = answers.flatten().bincount(minLength: 10)
print("\((counts .>= 10).sum().item(as: Int.self)) of 10 digits among 1000 pictures")
print("the classifier is sure (0.9 and more) of \((confidence .> 0.9).sum().item(as: Int.self))")
if let path = CommandLine.arguments.dropFirst().first {
  try PNG.write(pictureGrid((pictures[0..<64] + 1) / 2), to: path)
}

// Prints:
// 10 of 10 digits among 1000 pictures
// the classifier is sure (0.9 and more) of 235
