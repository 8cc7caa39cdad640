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
  /// A fresh network; its parameters come from the default generator.
  let makeModel: @Sendable () -> any Layer

  static let all = [
    Recipe(
      name: "mnist-mlp", summary: "Handwritten digits (MNIST) with a small network: 784-128-10, ReLU, Adam",
      data: .files(.digits), makeModel: { MLP(784, 128, 10) }),
    Recipe(
      name: "fashion-mlp", summary: "Pictures of clothes (Fashion-MNIST) with the same network",
      data: .files(.fashion), makeModel: { MLP(784, 128, 10) }),
    Recipe(
      name: "digits", summary: "Built-in synthetic digits with the same network: needs no network connection",
      data: .synthetic(train: 20_000, test: 4_000), makeModel: { MLP(784, 128, 10) }),
  ]
}
