import Apus
import Foundation

/// Where a recipe takes its samples from, unless `--data` says otherwise.
enum RecipeData: Sendable {
  /// The files of a published data set.
  case files(MNIST.Variant)
  /// CIFAR-10: its files.
  case cifar
  /// Digits drawn by a program.
  case synthetic(train: Int, test: Int)
  /// Points on spirals; there are no files of them.
  case spiral(train: Int, test: Int)
}

/// Samples of any kind of data set.
struct Samples: Dataset {
  let count: Int
  private let make: @Sendable ([Int]) throws -> Batch

  init<Base: Dataset>(_ base: Base) where Base.Batched == Batch {
    count = base.count
    make = { try base.batch(at: $0) }
  }

  subscript(index: Int) -> Example {
    get throws {
      let batch = try make([index])
      return Example(input: batch.input.squeeze(dim: 0), target: batch.target.squeeze(dim: 0))
    }
  }

  func batch(at indices: [Int]) throws -> Batch { try make(indices) }
}

/// The two parts of a data set, ready for batches.
struct Splits: Sendable {
  let train: Samples
  let test: Samples
  var classNames: [String] = []
  /// Training samples that there are without a limit.
  let available: Int
  /// What it is and where it was found.
  let origin: String
  /// In which order an epoch visits the training samples.
  var order = Order.shuffled
  /// Where the data decides what makes a batch: parallel streams.
  var trainBatchSize: Int?
  var testBatchSize: Int
  /// Of a text.
  var tokenizer: SavedTokenizer?

  init<Data: Dataset>(
    _ train: Data, _ test: Data, _ classNames: [String], limit: Int?, of available: Int, origin: String
  ) where Data.Batched == Batch {
    self.init(train: train.prefix(limit ?? .max), test: test, available: available, origin: origin)
    self.classNames = classNames
  }

  init<Train: Dataset, Test: Dataset>(
    train: Train, test: Test, available: Int, origin: String, order: Order = .shuffled, trainBatchSize: Int? = nil,
    testBatchSize: Int = 250
  ) where Train.Batched == Batch, Test.Batched == Batch {
    (self.train, self.test) = (Samples(train), Samples(test))
    (self.available, self.origin, self.order) = (available, origin, order)
    (self.trainBatchSize, self.testBatchSize) = (trainBatchSize, testBatchSize)
  }

  enum Order: Sendable {
    case shuffled
    /// As they are: each batch goes on where the one before ended.
    case inOrder
    /// So many batches of samples drawn at random, in which one may occur twice; fewer where there are not as many samples.
    case drawn(steps: Int)

    func sampler(of count: Int, batchSize: Int, seed: UInt64) -> any Sampler {
      switch self {
      case .shuffled: RandomSampler(seed: seed)
      case .inOrder: SequentialSampler()
      case .drawn(let steps): RandomSampler(seed: seed, replacementDraws: min(steps * batchSize, count))
      }
    }
  }
}

extension RecipeData {
  static let syntheticName = "synthetic"

  /// What the network's inputs are made of; nil where they are no pictures.
  var pictures: PictureFormat? {
    switch self {
    case .files, .synthetic: .digits
    case .cifar: .cifar10
    case .spiral: nil
    }
  }

  var classNames: [String] {
    switch self {
    case .files(let variant): variant.classNames
    case .cifar: CIFAR.Variant.ten.classNames
    case .synthetic: MNIST.Variant.digits.classNames
    case .spiral: ["first arm", "second arm", "third arm"]
    }
  }

  /// Loads what `option` (`--data`) asks for: the recipe's own data, files from a folder, or a synthetic set of the same shape.
  ///
  /// - Parameter limit: how many training samples to keep.
  /// - Parameter isNormalized: whether pictures are, or have brightness from 0 to 1.
  /// - Throws: `DataError`; `UsageError` where there can be no such data.
  func load(
    _ option: String?, limit: Int?, isNormalized: Bool = true, progress: @escaping DownloadProgress.Handler
  ) throws -> Splits {
    let isSynthetic = option == Self.syntheticName
    let locator = DataLocator(folder: isSynthetic ? nil : option)
    switch self {
    case .files, .cifar:
      if isSynthetic { return synthetic(train: isColor ? 50_000 : 60_000, test: 10_000, limit, isNormalized) }
      return try files(locator, limit, isNormalized, progress)
    case .synthetic(let train, let test):
      if option == nil || isSynthetic { return synthetic(train: train, test: test, limit, isNormalized) }
      return try Self.files(.digits).files(locator, limit, isNormalized, progress)
    case .spiral(let train, let test):
      guard option == nil || isSynthetic else {
        throw UsageError("train: this recipe draws its own points: --data takes synthetic only")
      }
      return Splits(
        ToySets.spiral(train, seed: 1), ToySets.spiral(test, seed: 2), classNames, limit: limit, of: train,
        origin: "points on three spirals (built in)")
    }
  }

  private var isColor: Bool { pictures?.channels == 3 }

  private func files(
    _ locator: DataLocator, _ limit: Int?, _ isNormalized: Bool, _ progress: @escaping DownloadProgress.Handler
  ) throws -> Splits {
    let (train, test): (ImageDataset, ImageDataset)
    let (title, found): (String, String?)
    if case .files(let variant) = self {
      train = try MNIST.load(.train, variant: variant, from: locator, progress: progress)
      test = try MNIST.load(.test, variant: variant, from: locator, progress: progress)
      (title, found) = (variant.title, locator.find(MNIST.files(.train, variant).images))
    } else {
      train = try CIFAR.load(.train, from: locator, progress: progress)
      test = try CIFAR.load(.test, from: locator, progress: progress)
      (title, found) = (CIFAR.Variant.ten.title, CIFAR.location(.ten, locator))
    }
    let place = found.map { " in " + ($0 as NSString).deletingLastPathComponent } ?? ""
    return splits(train, test, limit, isNormalized, of: train.count, title + place)
  }

  private func synthetic(train: Int, test: Int, _ limit: Int?, _ isNormalized: Bool) -> Splits {
    // A longer set begins with the shorter: what the limit leaves out needn't be drawn.
    let count = min(train, limit ?? train)
    if isColor {
      return splits(
        SyntheticCIFAR.load(.train, count: count), SyntheticCIFAR.load(.test, count: test), limit, isNormalized, of: train,
        "synthetic pictures (built in)")
    }
    return splits(
      SyntheticDigits.load(.train, count: count), SyntheticDigits.load(.test, count: test), limit, isNormalized, of: train,
      "synthetic digits (built in)")
  }

  private func splits(
    _ train: ImageDataset, _ test: ImageDataset, _ limit: Int?, _ isNormalized: Bool, of available: Int, _ origin: String
  ) -> Splits {
    let format = pictures ?? .digits
    func ready(_ pictures: ImageDataset) -> ImageDataset {
      isNormalized ? pictures.normalized(mean: format.mean, std: format.std) : pictures
    }
    return Splits(ready(train), ready(test), train.classNames, limit: limit, of: available, origin: origin)
  }
}
