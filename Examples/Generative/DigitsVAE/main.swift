// A variational autoencoder (Kingma and Welling 2014): a code of eight numbers for each digit, and new digits out of new codes.
//
// The encoder says for each number of the code what it is and how sure that is: a mean and a variance. The decoder gets a sample. Written as
// mean + deviation · noise, the sample has a gradient. The loss is what the decoder gets wrong plus the distance of the codes from the
// standard normal distribution (both in nats): so every code drawn from that distribution decodes to something like a digit.
//
//     swift run -c release DigitsVAE digits.png    # 64 digits that nobody drew

import Apus

final class VAE: Module {
  let encoder: Sequential
  let decoder: Sequential

  override init() {
    encoder = Sequential {
      Linear(784, 256)
      ReLU()
      Linear(256, 2 * 8)
    }
    decoder = Sequential {
      Linear(8, 256)
      ReLU()
      Linear(256, 784)
    }
  }

  /// How wrong the pictures `x` come out again, and how far their codes are from the normal distribution; per picture.
  func callAsFunction(_ x: Tensor) -> (wrong: Tensor, distance: Tensor) {
    let parts = encoder(x).chunk(2, dim: 1)
    let (mean, logVariance) = (parts[0], parts[1])
    let code = mean + (0.5 * logVariance).exp() * Tensor.randn(mean.shape)
    let wrong = binaryCrossEntropyWithLogits(decoder(code), x, reduction: .sum)
    let distance = -0.5 * (1 + logVariance - mean.square() - logVariance.exp()).sum()
    return (wrong / Double(x.shape[0]), distance / Double(x.shape[0]))
  }
}

manualSeed(1)
let train = SyntheticDigits.load(.train, count: 6_000)
let digits = SyntheticDigits.load(.test, count: 1_000).batch(at: Array(0..<1_000))
let (model, classifier) = (VAE(), MLP(784, 64, 10))
let optimizer = Adam(model.parameters(), lr: 2e-3)
let classifierOptimizer = Adam(classifier.parameters(), lr: 2e-3)

let loader = DataLoader(train, batchSize: 60, shuffle: true, seed: 1)
for epoch in 1...12 {
  for batch in loader {
    let x = batch.input.flatten(startDim: 1)
    let (wrong, distance) = model(x)
    optimizer.zeroGrad()
    (wrong + distance).backward()
    optimizer.step()

    classifierOptimizer.zeroGrad()
    crossEntropy(classifier(x), batch.target).backward()
    classifierOptimizer.step()
  }
  if epoch.isMultiple(of: 4) {
    let (wrong, distance) = noGrad { model(digits.input.flatten(startDim: 1)) }
    print(
      "epoch \(epoch): test loss \((wrong + distance).item(as: Float.self)), of which distance \(distance.item(as: Float.self))")
  }
}

// What comes out of the middle of a digit's code is still that digit.
let means = noGrad { model.encoder(digits.input.flatten(startDim: 1)).chunk(2, dim: 1)[0] }
let again = noGrad { classifier(model.decoder(means).sigmoid()) }
print("after encoding and decoding \(Double(correctClasses(again, digits.target)) / 10) % are still recognised")

let drawn = noGrad { model.decoder(Tensor.randn([1000, 8])).sigmoid() }
let counts = noGrad { classifier(drawn).argmax(dim: 1).bincount(minLength: 10) }
print("\((counts .>= 10).sum().item(as: Int.self)) of 10 digits among 1000 new ones")
if let path = CommandLine.arguments.dropFirst().first {
  try PNG.write(pictureGrid(drawn[0..<64].reshape(64, 1, 28, 28)), to: path)
}

// Prints:
// epoch 4: test loss 219.59584, of which distance 10.988877
// epoch 8: test loss 212.24011, of which distance 12.310414
// epoch 12: test loss 210.02834, of which distance 13.188186
// after encoding and decoding 80.3 % are still recognised
// 10 of 10 digits among 1000 new ones
