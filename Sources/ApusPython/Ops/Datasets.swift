import ApusCore
import ApusData

extension OpTable {
  static let datasets: [Op] = [
    Op(
      "_dataset", "name: str, is_train: bool, root: str?, download: bool, count: int, seed: int", .hidden, fields: "tuple",
      "Pixels (uint8, [count, channels, height, width]) and labels of a data set; count and seed are for those that are drawn."
    ) { a in
      let split: Split = a.bool(1) ? .train : .test
      let locator = locator(a.optionalString(2), allowsDownload: a.bool(3))
      let images = try images(a.string(0), split, locator, count: a.int(4), seed: UInt64(bitPattern: Int64(a.int(5))))
      guard let images else { throw ArgumentError(.value, "there is no data set '\(a.string(0))'") }
      let pixels = images.pixels.withUnsafeBytes {
        Tensor(bytes: $0, shape: Shape([images.count] + Array(images.shape)), dtype: .uint8)
      }
      return [pixels, Tensor(images.labels)]
    },
    Op("_text", "root: str?, download: bool", .hidden, "Tiny Shakespeare as its UTF-8 bytes.") { a in
      let text = try TinyShakespeare.load(from: locator(a.optionalString(0), allowsDownload: a.bool(1)))
      return Tensor(Array(text.utf8))
    },
  ]

  private static func locator(_ folder: String?, allowsDownload: Bool) -> DataLocator {
    DataLocator(folder: folder, environment: nil, allowsDownload: allowsDownload, downloader: .python)
  }

  private static func images(_ name: String, _ split: Split, _ locator: DataLocator, count: Int, seed: UInt64) throws
    -> ImageDataset?
  {
    switch name {
    case "MNIST": try MNIST.load(split, variant: .digits, from: locator)
    case "FashionMNIST": try MNIST.load(split, variant: .fashion, from: locator)
    case "KMNIST": try MNIST.load(split, variant: .kuzushiji, from: locator)
    case "CIFAR10": try CIFAR.load(split, variant: .ten, from: locator)
    case "CIFAR100": try CIFAR.load(split, variant: .hundred, from: locator)
    case "SyntheticDigits": SyntheticDigits.load(split, count: count, seed: seed)
    case "SyntheticCIFAR": SyntheticCIFAR.load(split, count: count, seed: seed)
    default: nil
    }
  }
}
