import Apus
import Foundation

/// The data sets that there are, and where they are on this machine.
enum DataCatalog {
  /// A published data set.
  struct PublishedSet: Sendable {
    /// For the command line.
    let name: String
    let title: String
    let help: String
    /// Where it was found, or that it wasn't.
    let place: @Sendable (DataLocator) -> String
    /// Reads and verifies it; downloads what is missing.
    let load: @Sendable (DataLocator, @escaping DownloadProgress.Handler) throws -> Void
  }

  static let sets: [PublishedSet] =
    MNIST.Variant.allCases.map(mnist) + CIFAR.Variant.allCases.map(cifar) + [
      PublishedSet(
        name: "shakespeare", title: "Shakespeare", help: "A million characters of plays",
        place: { folder(TinyShakespeare.location($0)) }, load: { _ = try TinyShakespeare.load(from: $0, progress: $1) })
    ]

  static func title(_ variant: MNIST.Variant) -> String { variant.title }

  /// One row per set: its name and where it was found.
  static func rows(_ locator: DataLocator) -> [(String, String)] {
    sets.map { ($0.title, $0.place(locator)) } + [("synthetic", "built in")]
  }

  private static func mnist(_ variant: MNIST.Variant) -> PublishedSet {
    PublishedSet(
      name: variant.title.lowercased(), title: variant.title, help: "70,000 grey pictures of 28×28, ten classes",
      place: { place(of: variant, $0) },
      load: { locator, progress in
        for split in Split.allCases { _ = try MNIST.load(split, variant: variant, from: locator, progress: progress) }
      })
  }

  private static func cifar(_ variant: CIFAR.Variant) -> PublishedSet {
    PublishedSet(
      name: variant.title.lowercased(), title: variant.title,
      help: "60,000 colour pictures of 32×32, \(variant == .ten ? "ten" : "a hundred") classes",
      place: { folder(CIFAR.location(variant, $0)) },
      load: { locator, progress in
        for split in Split.allCases { _ = try CIFAR.load(split, variant: variant, from: locator, progress: progress) }
      })
  }

  private static func folder(_ path: String?) -> String { path.map { ($0 as NSString).deletingLastPathComponent } ?? notFound }

  private static let notFound = "not found; downloaded when a recipe needs it"

  private static func place(of variant: MNIST.Variant, _ locator: DataLocator) -> String {
    let files = Split.allCases.flatMap { split in
      let files = MNIST.files(split, variant)
      return [files.images, files.labels]
    }
    let found = files.compactMap { locator.find($0) }
    if found.isEmpty { return notFound }
    let folders = Set(found.map { ($0 as NSString).deletingLastPathComponent }).sorted().joined(separator: ", ")
    return found.count == files.count ? folders : "\(folders) (\(found.count) of \(files.count) files)"
  }
}
