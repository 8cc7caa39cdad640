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
  let classNames: [String]
  /// Training samples that there are without a limit.
  let available: Int
  /// What it is and where it was found.
  let origin: String

  init<Data: Dataset>(
    _ train: Data, _ test: Data, _ classNames: [String], limit: Int?, of available: Int, origin: String
  ) where Data.Batched == Batch {
    self.train = Samples(train.prefix(limit ?? .max))
    self.test = Samples(test)
    (self.classNames, self.available, self.origin) = (classNames, available, origin)
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
  /// - Throws: `DataError`; `UsageError` where there can be no such data.
  func load(_ option: String?, limit: Int?, progress: @escaping DownloadProgress.Handler) throws -> Splits {
    let isSynthetic = option == Self.syntheticName
    let locator = DataLocator(folder: isSynthetic ? nil : option)
    switch self {
    case .files, .cifar:
      if isSynthetic { return synthetic(train: isColor ? 50_000 : 60_000, test: 10_000, limit) }
      return try files(locator, limit, progress)
    case .synthetic(let train, let test):
      if option == nil || isSynthetic { return synthetic(train: train, test: test, limit) }
      return try Self.files(.digits).files(locator, limit, progress)
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
    _ locator: DataLocator, _ limit: Int?, _ progress: @escaping DownloadProgress.Handler
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
    return splits(train, test, limit, of: train.count, title + place)
  }

  private func synthetic(train: Int, test: Int, _ limit: Int?) -> Splits {
    // A longer set begins with the shorter: what the limit leaves out needn't be drawn.
    let count = min(train, limit ?? train)
    if isColor {
      return splits(
        SyntheticCIFAR.load(.train, count: count), SyntheticCIFAR.load(.test, count: test), limit, of: train,
        "synthetic pictures (built in)")
    }
    return splits(
      SyntheticDigits.load(.train, count: count), SyntheticDigits.load(.test, count: test), limit, of: train,
      "synthetic digits (built in)")
  }

  private func splits(
    _ train: ImageDataset, _ test: ImageDataset, _ limit: Int?, of available: Int, _ origin: String
  ) -> Splits {
    let format = pictures ?? .digits
    return Splits(
      train.normalized(mean: format.mean, std: format.std), test.normalized(mean: format.mean, std: format.std),
      train.classNames, limit: limit, of: available, origin: origin)
  }
}
