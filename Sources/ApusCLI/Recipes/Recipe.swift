import Apus

/// A training run that has a name: what it learns, and defaults that work.
struct Recipe: Sendable {
  let name: String
  let summary: String
  let task: any RecipeTask
  var epochs = 5
  var batchSize = 128
  var learningRate = 1e-3
  var seed: UInt64 = 42
  /// Optimizer, schedule and so on.
  var method = TrainMethod()

  static let all = digits + pictures + toys + language + generative

  static func named(_ name: String) -> Recipe? { all.first { $0.name == name } }
}

// MARK: - Classification

extension Recipe {
  private static let digits = [
    Recipe(
      name: "mnist-mlp", summary: "Handwritten digits (MNIST) with a small network: 784-128-10, ReLU, Adam",
      task: Classification(data: .files(.digits)) { MLP(784, 128, 10) }),
    Recipe(
      name: "mnist-cnn", summary: "Handwritten digits with two convolutions, batch norm and dropout",
      task: Classification(data: .files(.digits)) { MNISTCNN() }, batchSize: 64,
      learningRate: 3e-3, method: .oneCycle),
    Recipe(
      name: "fashion-mlp", summary: "Pictures of clothes (Fashion-MNIST) with the small network",
      task: Classification(data: .files(.fashion)) { MLP(784, 128, 10) }),
    Recipe(
      name: "fashion-cnn", summary: "Pictures of clothes with two convolutions, batch norm and dropout",
      task: Classification(data: .files(.fashion)) { MNISTCNN() }, batchSize: 64,
      learningRate: 3e-3, method: .oneCycle),
  ]

  private static let pictures = [
    Recipe(
      name: "cifar10-cnn", summary: "Colour pictures of ten kinds (CIFAR-10) with six convolutions, batch norm and dropout",
      task: cifar { CIFARCNN() }, epochs: 10),
    Recipe(
      name: "cifar10-resnet", summary: "The same with a residual network of 20 layers",
      task: cifar { CIFARResNet(depth: 20) }, epochs: 20, learningRate: 3e-3, method: .oneCycle),
    Recipe(
      name: "cifar10-densenet", summary: "The same with a densely connected network of 16 layers",
      task: cifar { DenseNet(blocks: [4, 4, 4], growth: 16, start: 32, classes: 10, stem: .cifar) }, epochs: 20,
      learningRate: 3e-3, method: .oneCycle),
  ]

  private static func cifar(_ makeNetwork: @escaping @Sendable () -> any Layer) -> Classification {
    Classification(
      data: .cifar, augmentation: Compose(RandomCrop(32, padding: 4), RandomHorizontalFlip()), makeNetwork: makeNetwork)
  }

  private static let toys = [
    Recipe(
      name: "digits", summary: "Built-in synthetic digits with the small network: needs no network connection",
      task: Classification(data: .synthetic(train: 20_000, test: 4_000)) { MLP(784, 128, 10) }),
    Recipe(
      name: "spiral", summary: "Points on three spirals with a network of two hidden layers: 2-64-64-3",
      task: Classification(data: .spiral(train: 3_000, test: 600)) { MLP(2, 64, 64, 3) }, epochs: 50, batchSize: 64,
      learningRate: 1e-2),
    Recipe(
      name: "sine-rnn", summary: "The next value of a sine with a recurrent network and truncated back-propagation",
      task: SeriesPrediction(), epochs: 100, batchSize: 1, method: .cosine),
  ]
}

// MARK: - Language

extension Recipe {
  private static let language = [
    Recipe(
      name: "char-rnn", summary: "Text, character by character (Shakespeare, or --data FILE), with a recurrent network",
      task: TextModeling(
        units: .characters, context: 64, network: .recurrent(hidden: 256, layers: 1, dropout: 0), facts: ModelFacts(cell: "rnn")),
      batchSize: 64, learningRate: 2e-3, method: .clipped),
    Recipe(
      name: "char-lstm", summary: "The same with long short-term memory",
      task: TextModeling(
        units: .characters, context: 64, network: .recurrent(hidden: 256, layers: 1, dropout: 0), recurrence: .lstm),
      batchSize: 64, learningRate: 2e-3, method: .clipped),
    Recipe(
      name: "char-gpt", summary: "The same with a transformer of 4 layers (GPT), 2,000 steps",
      task: TextModeling(
        units: .characters, context: 64,
        network: .transformer(layers: 4, heads: 4, width: 128, dropout: 0, stepsPerEpoch: 250)),
      epochs: 8, batchSize: 12, method: .transformer),
    Recipe(
      name: "word-transformer", summary: "The same, word by word: the 4,000 most frequent, others spelled",
      task: TextModeling(
        units: .words(4000), context: 64,
        network: .transformer(layers: 4, heads: 4, width: 128, dropout: 0.2, stepsPerEpoch: 250)),
      epochs: 8, batchSize: 16, method: .transformer),
    Recipe(
      name: "translate-toy", summary: "Rows of digits turned round or put in order, with encoder and decoder",
      task: SequenceTranslation(), epochs: 10, batchSize: 64, method: .warm),
  ]
}

// MARK: - Generation

extension Recipe {
  private static let generative = [
    Recipe(
      name: "gan", summary: "New digits from two perceptrons that learn from each other",
      task: PictureGeneration(kind: .adversarial({ GAN(pictures: [1, 28, 28], latent: $0) }, smoothing: 0.1), latent: 100),
      epochs: 20, learningRate: 2e-4, method: .adversarial),
    Recipe(
      name: "dcgan", summary: "New digits from two convolutional networks that learn from each other",
      task: PictureGeneration(kind: .adversarial({ DCGAN(latent: $0, width: 32) }, smoothing: 0.1), latent: 100),
      epochs: 10, learningRate: 2e-4, method: .adversarial),
    Recipe(
      name: "cgan", summary: "The digit that is asked for, from two convolutional networks",
      task: PictureGeneration(
        kind: .adversarial({ ConditionalGAN(classes: 10, latent: $0) }, smoothing: 0.1), latent: 100),
      epochs: 10, learningRate: 2e-4, method: .adversarial),
    Recipe(
      name: "vae", summary: "A map of all digits: a variational autoencoder with two numbers in a code",
      task: PictureGeneration(kind: .variational { VAE(pictures: [1, 28, 28], latent: $0) }, latent: 2), epochs: 20),
    Recipe(
      name: "cvae", summary: "The digit that is asked for, from a variational autoencoder",
      task: PictureGeneration(
        kind: .variational { ConditionalVAE(pictures: [1, 28, 28], classes: 10, latent: $0) }, latent: 10),
      epochs: 60),
  ]
}

// MARK: - Methods

extension TrainMethod {
  /// Steps that grow at the start and shrink to nothing at the end.
  fileprivate static let warm = TrainMethod {
    $0.schedule = "cosine"; $0.warmup = 100
  }

  /// A single series makes noisy steps, which have to become small to settle.
  fileprivate static let cosine = TrainMethod { $0.schedule = "cosine" }

  /// As nanoGPT trains its small model.
  fileprivate static let transformer = TrainMethod {
    ($0.optimizer, $0.weightDecay, $0.betas) = ("adamw", 0.1, [0.9, 0.99])
    ($0.schedule, $0.warmup, $0.clip) = ("cosine", 100, 1)
  }

  /// Gradients of recurrent networks may explode.
  fileprivate static let clipped = TrainMethod {
    $0.clip = 1; $0.schedule = "cosine"
  }

  /// A momentum of 0.9 makes two networks that chase each other swing (Radford et al. 2016).
  fileprivate static let adversarial = TrainMethod { $0.betas = [0.5, 0.999] }

  /// Networks with batch norm bear a large rate in the middle, and are better after the small ones at the end.
  fileprivate static let oneCycle = TrainMethod { $0.schedule = "one-cycle" }

  private init(_ change: (inout TrainMethod) -> Void) {
    self.init()
    change(&self)
  }
}
