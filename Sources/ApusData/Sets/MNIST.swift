import ApusCore
import ApusFormats

/// 70,000 pictures of handwritten digits (LeCun, Cortes, Burges), or of pieces of clothing (Fashion-MNIST; Xiao, Rasul, Vollgraf), or of
/// Japanese letters in old hands (KMNIST; Clanuwat et al.): 28×28 grey pixels, ten classes, 60,000 to learn from and 10,000 to test with.
///
/// ```swift
/// let train = try MNIST.load(.train)
/// let loader = DataLoader(train, batchSize: 128, shuffle: true)
/// ```
public enum MNIST {
  public enum Variant: String, CaseIterable, Sendable {
    case digits, fashion, kuzushiji

    /// The name of the set.
    public var title: String {
      switch self {
      case .digits: "MNIST"
      case .fashion: "Fashion-MNIST"
      case .kuzushiji: "KMNIST"
      }
    }

    /// What the pictures of each class show.
    public var classNames: [String] {
      switch self {
      case .digits: (0..<10).map(String.init)
      case .fashion:
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
      case .kuzushiji: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
      }
    }
  }

  /// The pictures of `split` with their labels; pixels become 0...1.
  ///
  /// - Parameter locator: where the files are looked for; what is missing is downloaded.
  /// - Parameter progress: called while something is downloaded.
  /// - Throws: `DataError`: files that cannot be had, are damaged, aren't the published ones or don't fit each other.
  public static func load(
    _ split: Split, variant: Variant = .digits, from locator: DataLocator = DataLocator(),
    progress: DownloadProgress.Handler? = nil
  ) throws -> ImageDataset {
    let files = files(split, variant)
    let imagePath = try locator.locate(files.images, progress: progress)
    let labelPath = try locator.locate(files.labels, progress: progress)
    let images = try IDX.read(imagePath)
    let labels = try IDX.read(labelPath)
    let dataset = try dataset(images: images, imagePath, labels: labels, labelPath, classNames: variant.classNames)
    try files.images.verify(images, at: imagePath)
    try files.labels.verify(labels, at: labelPath)
    // The files of all sets have the same names. Of the others' uncompressed files no digests are published: a download is
    // compared with the archive's digest, a copy that was found is known to be sound, and known not to be MNIST.
    if variant != .digits, images.digest.description == Self.files(split, .digits).images.contentDigest {
      throw DataError(
        .checksum, path: imagePath, "these are MNIST's digits, not \(variant.title)",
        advice: "put \(variant.title)'s files into a folder \(files.images.set.folders[0]) of their own")
    }
    return dataset
  }

  /// Puts pictures and labels together, having checked that they fit.
  package static func dataset(
    images: IDX, _ imagePath: String, labels: IDX, _ labelPath: String, classNames: [String]
  ) throws(DataError) -> ImageDataset {
    guard images.shape.count == 3, images.shape[1] > 0, images.shape[2] > 0 else {
      throw DataError(
        .format, path: imagePath, "shape \(images.shape) where pictures [count, height, width] are due",
        advice: DataError.replaceAdvice)
    }
    guard labels.shape.count == 1 else {
      throw DataError(
        .format, path: labelPath, "shape \(labels.shape) where labels [count] are due", advice: DataError.replaceAdvice)
    }
    guard images.shape[0] == labels.shape[0] else {
      throw DataError(
        .labels, path: labelPath, "\(labels.shape[0]) labels for the \(images.shape[0]) pictures of \(printable(imagePath))",
        advice: "put the two files of one split there")
    }
    return try ImageDataset(
      pixels: images.bytes, labels: labels.bytes.map(Int.init), shape: [1, images.shape[1], images.shape[2]],
      classNames: classNames, path: labelPath)
  }
}

// MARK: - The files

extension MNIST {
  package static func files(_ split: Split, _ variant: Variant) -> (images: DataFile, labels: DataFile) {
    func file(_ name: String, archive: String, content: String? = nil) -> DataFile {
      DataFile(
        name: name, archiveDigest: variant == .kuzushiji ? .md5(archive) : .sha256(archive), contentDigest: content,
        count: split == .train ? 60_000 : 10_000, set: set(variant))
    }
    switch (variant, split) {
    case (.digits, .train):
      return (
        file(
          "train-images-idx3-ubyte", archive: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
          content: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        file(
          "train-labels-idx1-ubyte", archive: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
          content: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5")
      )
    case (.digits, .test):
      return (
        file(
          "t10k-images-idx3-ubyte", archive: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
          content: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        file(
          "t10k-labels-idx1-ubyte", archive: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
          content: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")
      )
    case (.fashion, .train):
      return (
        file("train-images-idx3-ubyte", archive: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        file("train-labels-idx1-ubyte", archive: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845")
      )
    case (.fashion, .test):
      return (
        file("t10k-images-idx3-ubyte", archive: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        file("t10k-labels-idx1-ubyte", archive: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")
      )
    case (.kuzushiji, .train):
      return (
        file("train-images-idx3-ubyte", archive: "bdb82020997e1d708af4cf47b453dcf7"),
        file("train-labels-idx1-ubyte", archive: "e144d726b3acfaa3e44228e80efcd344")
      )
    case (.kuzushiji, .test):
      return (
        file("t10k-images-idx3-ubyte", archive: "5c965bf0a639b31b8f53240b1b52f4d7"),
        file("t10k-labels-idx1-ubyte", archive: "7320c461ea6c1c855c0b718fb2a4b134")
      )
    }
  }

  private static func set(_ variant: Variant) -> DataFileSet {
    switch variant {
    case .digits: digits
    case .fashion: fashion
    case .kuzushiji: kuzushiji
    }
  }

  private static let digits = DataFileSet(
    title: "MNIST", folders: ["MNIST/raw", "mnist/raw", "MNIST", "mnist", ""],
    mirrors: [
      "https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/",
      "http://yann.lecun.com/exdb/mnist/",
    ])

  private static let fashion = DataFileSet(
    title: "Fashion-MNIST",
    folders: ["FashionMNIST/raw", "FashionMNIST", "fashion-mnist", "fashion_mnist", "fashion", "fashionmnist", ""],
    mirrors: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ])

  private static let kuzushiji = DataFileSet(
    title: "KMNIST", folders: ["KMNIST/raw", "KMNIST", "kmnist/raw", "kmnist"],
    mirrors: ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"])
}
