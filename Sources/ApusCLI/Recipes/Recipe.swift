import Apus

/// A training run that has a name: a network, the data it learns from, and defaults that work.
struct Recipe: Sendable {
  let name: String
  let summary: String
  let data: RecipeData
  var epochs = 5
  var batchSize = 128
  var learningRate = 1e-3
  var seed: UInt64 = 42
  /// What `--augment` does to each training batch; nil where there is nothing that would help.
  var augmentation: (any Transform)?
  /// A fresh network; its parameters come from the default generator.
  let makeModel: @Sendable () -> any Layer

  static let all = [
    Recipe(
      name: "mnist-mlp", summary: "Handwritten digits (MNIST) with a small network: 784-128-10, ReLU, Adam",
      data: .files(.digits), makeModel: { MLP(784, 128, 10) }),
    Recipe(
      name: "mnist-cnn", summary: "Handwritten digits with two convolutions, batch norm and dropout",
      data: .files(.digits), batchSize: 64, makeModel: smallConvolutionalNetwork),
    Recipe(
      name: "fashion-mlp", summary: "Pictures of clothes (Fashion-MNIST) with the small network",
      data: .files(.fashion), makeModel: { MLP(784, 128, 10) }),
    Recipe(
      name: "fashion-cnn", summary: "Pictures of clothes with two convolutions, batch norm and dropout",
      data: .files(.fashion), batchSize: 64, makeModel: smallConvolutionalNetwork),
    Recipe(
      name: "cifar10-cnn", summary: "Colour pictures of ten kinds (CIFAR-10) with six convolutions, batch norm and dropout",
      data: .cifar, epochs: 10, augmentation: Compose(RandomCrop(32, padding: 4), RandomHorizontalFlip()),
      makeModel: colorConvolutionalNetwork),
    Recipe(
      name: "digits", summary: "Built-in synthetic digits with the small network: needs no network connection",
      data: .synthetic(train: 20_000, test: 4_000), makeModel: { MLP(784, 128, 10) }),
    Recipe(
      name: "spiral", summary: "Points on three spirals with a network of two hidden layers: 2-64-64-3",
      data: .spiral(train: 3_000, test: 600), epochs: 50, batchSize: 64, learningRate: 1e-2, makeModel: { MLP(2, 64, 64, 3) }),
  ]

  static func named(_ name: String) -> Recipe? { all.first { $0.name == name } }
}
