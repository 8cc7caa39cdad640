import Apus
import Foundation

/// The data sets that recipes can take, and where they are on this machine.
enum DataCatalog {
  static func title(_ variant: MNIST.Variant) -> String { variant.title }

  /// One row per set: its name and where it was found.
  static func rows(_ locator: DataLocator) -> [(String, String)] {
    func place(_ found: String?) -> String { found.map { ($0 as NSString).deletingLastPathComponent } ?? notFound }
    return MNIST.Variant.allCases.map { (title($0), self.place(of: $0, locator)) }
      + CIFAR.Variant.allCases.map { ($0.title, place(CIFAR.location($0, locator))) }
      + [("Shakespeare", place(TinyShakespeare.location(locator))), ("synthetic", "built in")]
  }

  private static let notFound = "not found; downloaded when a recipe needs it"

  private static func place(of variant: MNIST.Variant, _ locator: DataLocator) -> String {
    let files = Split.allCases.flatMap { split in
      let files = MNIST.files(split, variant)
      return [files.images, files.labels]
    }
    let found = files.compactMap(locator.find)
    if found.isEmpty { return notFound }
    let folders = Set(found.map { ($0 as NSString).deletingLastPathComponent }).sorted().joined(separator: ", ")
    return found.count == files.count ? folders : "\(folders) (\(found.count) of \(files.count) files)"
  }
}
