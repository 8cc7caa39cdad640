import Apus
import Foundation

/// Where a recipe takes its pictures from, unless `--data` says otherwise.
enum RecipeData: Sendable {
  /// The files of a published data set.
  case files(MNIST.Variant)
  /// Digits drawn by a program.
  case synthetic(train: Int, test: Int)
}

/// The two parts of a data set, ready for batches.
struct Splits: Sendable {
  let train: Subset<ImageDataset>
  let test: Subset<ImageDataset>
  /// Training samples that there are without a limit.
  let available: Int
  /// What it is and where it was found.
  let origin: String
}

extension RecipeData {
  /// Loads what `option` (`--data`) asks for: the recipe's own data, files from a folder, or synthetic digits.
  ///
  /// - Parameter limit: how many training samples to keep.
  /// - Throws: `DataError`.
  func load(_ option: String?, limit: Int?, progress: @escaping DownloadProgress.Handler) throws -> Splits {
    switch self {
    case .files(let variant):
      if option == Self.syntheticName { return Self.synthetic(train: 60_000, test: 10_000, limit) }
      return try Self.files(variant, option, limit, progress)
    case .synthetic(let train, let test):
      guard let option, option != Self.syntheticName else { return Self.synthetic(train: train, test: test, limit) }
      return try Self.files(.digits, option, limit, progress)
    }
  }

  static let syntheticName = "synthetic"

  private static func files(
    _ variant: MNIST.Variant, _ folder: String?, _ limit: Int?, _ progress: @escaping DownloadProgress.Handler
  ) throws -> Splits {
    let locator = DataLocator(folder: folder)
    let train = try MNIST.load(.train, variant: variant, from: locator, progress: progress)
    let test = try MNIST.load(.test, variant: variant, from: locator, progress: progress)
    let path = locator.find(MNIST.files(.train, variant).images).map { " in " + ($0 as NSString).deletingLastPathComponent } ?? ""
    return splits(train, test, limit, of: train.count, "\(DataCatalog.title(variant))\(path)")
  }

  private static func synthetic(train: Int, test: Int, _ limit: Int?) -> Splits {
    // A longer set begins with the shorter: what the limit leaves out needn't be drawn.
    let digits = SyntheticDigits.load(.train, count: min(train, limit ?? train))
    return splits(digits, SyntheticDigits.load(.test, count: test), limit, of: train, "synthetic digits (built in)")
  }

  private static func splits(
    _ train: ImageDataset, _ test: ImageDataset, _ limit: Int?, of available: Int, _ origin: String
  ) -> Splits {
    // Mean and deviation of MNIST's training pixels: the values that everybody uses.
    let (mean, std): ([Float], [Float]) = ([0.1307], [0.3081])
    return Splits(
      train: train.normalized(mean: mean, std: std).prefix(limit ?? .max),
      test: test.normalized(mean: mean, std: std).prefix(.max), available: available, origin: origin)
  }
}
