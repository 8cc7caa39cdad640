// A vision transformer (Dosovitskiy et al. 2021) from its parts: a picture is a text whose words are patches.
//
// The picture of 32×32 is cut into 64 patches of 4×4. Each becomes a vector; so does its place, which is learned. One more token belongs to
// no patch: after the blocks it holds what the answer needs. Nothing in here knows which patches are neighbours; a convolution is born
// with that, and this network has to find it out.
// The pictures are made by a program; `swift run -c release TinyViT cifar` takes CIFAR-10. A file's name, `places.png`, gets a picture of what it has
// found out: for each patch, how like its place the places of all others are (as in figure 7 of the paper).

import Apus

final class TinyViT: Module, Layer {
  @Parameter var classToken: Tensor  // [1, 1, width]
  let patches: Conv2d
  let positions: LearnedPositions
  let encoder: TransformerEncoder
  let norm: LayerNorm
  let head: Linear

  init(width: Int, layers: Int, heads: Int, classes: Int) {
    classToken = Tensor.zeros([1, 1, width])
    patches = Conv2d(3, width, kernelSize: 4, stride: 4)  // the same linear map for every patch
    positions = LearnedPositions(1 + 64, width, batchFirst: true)
    encoder = TransformerEncoder(numLayers: layers) {
      TransformerEncoderLayer(
        width, heads, dimFeedforward: 2 * width, dropout: 0, activation: .gelu, batchFirst: true, normFirst: true)
    }
    norm = LayerNorm(width)
    head = Linear(width, classes)
  }

  /// `[batch, 3, 32, 32]` to `[batch, classes]`.
  func forward(_ x: Tensor) -> Tensor {
    let tokens = patches(x).flatten(startDim: 2).transpose(1, 2)  // [batch, 64, width]
    let first = classToken.expand([x.shape[0], 1, classToken.shape[2]])
    let y = encoder(positions(cat([first, tokens], dim: 1)))
    return head(norm(y.select(dim: 1, index: 0)))
  }
}

manualSeed(1)
let isReal = CommandLine.arguments.contains("cifar")
let format = CIFAR.Variant.ten
let train = (isReal ? try CIFAR.load(.train) : SyntheticCIFAR.load(.train, count: 1_500))
  .normalized(mean: format.mean, std: format.std)
let test = (isReal ? try CIFAR.load(.test) : SyntheticCIFAR.load(.test, count: 300))
  .normalized(mean: format.mean, std: format.std)

let model = TinyViT(width: 48, layers: 2, heads: 4, classes: 10)
print("\(model.parameterCount) numbers to learn")
let optimizer = AdamW(model.parameters(), lr: 2e-3)
let trainer = Trainer(model, optimizer: optimizer, loss: { crossEntropy($0, $1) }, correct: correctClasses)
trainer.learningRates = .perEpoch(CosineAnnealingLR(optimizer, tMax: 8))
try trainer.fit(DataLoader(train, batchSize: 50, shuffle: true, seed: 1), test: DataLoader(test, batchSize: 100), epochs: 8)
print("\(100 * trainer.history.last!.accuracy!) % of the test pictures right")

if let path = CommandLine.arguments.dropFirst().first(where: { $0.hasSuffix(".png") }) {
  let places = normalize(model.positions.weight[1...].detach(), dim: 1)  // without that of the class token
  let likeness = places.matmul(places.T).reshape(64, 1, 8, 8)  // cosines, a small picture for each patch
  let pictures = likeness.repeatInterleave(6, dim: 2).repeatInterleave(6, dim: 3)
  try PNG.write(pictureGrid((pictures + 1) / 2, fill: 1), to: path)
}

// Prints:
// 44026 numbers to learn
// 97.66666666666667 % of the test pictures right
