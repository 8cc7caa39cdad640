import Apus
import Foundation

/// The data sets that recipes can take, and where they are on this machine.
enum DataCatalog {
  static func title(_ variant: MNIST.Variant) -> String {
    switch variant {
    case .digits: "MNIST"
    case .fashion: "Fashion-MNIST"
    }
  }

  /// One row per set: its name and where it was found.
  static func rows(_ locator: DataLocator) -> [(String, String)] {
    MNIST.Variant.allCases.map { (title($0), place(of: $0, locator)) } + [("synthetic", "built in")]
  }

  private static func place(of variant: MNIST.Variant, _ locator: DataLocator) -> String {
    let files = Split.allCases.flatMap { split in
      let files = MNIST.files(split, variant)
      return [files.images, files.labels]
    }
    let found = files.compactMap(locator.find)
    if found.isEmpty { return "not found; downloaded when a recipe needs it" }
    let folders = Set(found.map { ($0 as NSString).deletingLastPathComponent }).sorted().joined(separator: ", ")
    return found.count == files.count ? folders : "\(folders) (\(found.count) of \(files.count) files)"
  }
}
