import ApusCore
import ApusFormats

/// 60,000 colour pictures of 32×32 pixels (Krizhevsky, 2009), 50,000 to learn from and 10,000 to test with: of ten classes, or of a hundred.
///
/// ```swift
/// let train = try CIFAR.load(.train).normalized(mean: CIFAR.Variant.ten.mean, std: CIFAR.Variant.ten.std)
/// ```
///
/// The binary version is read, as files or in its archive; it is looked for where torchvision keeps its own, and downloaded there.
public enum CIFAR {
  public enum Variant: String, CaseIterable, Sendable {
    /// CIFAR-10.
    case ten
    /// CIFAR-100, with the fine labels.
    case hundred

    public var title: String {
      switch self {
      case .ten: "CIFAR-10"
      case .hundred: "CIFAR-100"
      }
    }

    /// Mean of the training pictures' pixels, of 0...1, for each channel.
    public var mean: [Float] {
      switch self {
      case .ten: [0.4914, 0.4822, 0.4465]
      case .hundred: [0.5071, 0.4865, 0.4409]
      }
    }

    /// Standard deviation of the same.
    public var std: [Float] {
      switch self {
      case .ten: [0.2470, 0.2435, 0.2616]
      case .hundred: [0.2673, 0.2564, 0.2762]
      }
    }

    /// What the pictures of each class show, in the order of the labels.
    public var classNames: [String] {
      switch self {
      case .ten: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
      case .hundred: CIFAR.hundredNames.split(whereSeparator: \.isWhitespace).map(String.init)
      }
    }
  }

  /// The pictures of `split` with their labels; pixels become 0...1.
  ///
  /// - Parameter locator: where the files are looked for; what is missing is downloaded.
  /// - Parameter progress: called while something is downloaded.
  /// - Throws: `DataError`: files that cannot be had, are damaged or aren't what they should be; only the Python version is there
  ///   (`unsupported`).
  public static func load(
    _ split: Split, variant: Variant = .ten, from locator: DataLocator = DataLocator(), progress: DownloadProgress.Handler? = nil
  ) throws -> ImageDataset {
    let names = fileNames(split, variant)
    let format = CIFARFormat(variant)
    if let first = locator.find([names[0]], of: set(variant)) {
      // All files of a split stand in one folder.
      let folder = first.dropLast(names[0].count)
      return try format.dataset(names.map { try format.read(folder + $0) }, path: first)
    }
    let path = try archive(variant, locator, progress)
    return try format.dataset(format.read(names, inArchive: path), path: path)
  }

  /// The binary version's archive: a copy, or a download.
  private static func archive(
    _ variant: Variant, _ locator: DataLocator, _ progress: DownloadProgress.Handler?
  ) throws(DataError) -> String {
    let file = archiveFile(variant)
    if let path = locator.find([file.name], of: file.set) { return path }
    do throws(DataError) {
      return try locator.download(file, progress: progress)
    } catch {
      guard let python = locator.find(pythonNames(variant), of: set(variant)) else { throw error }
      throw DataError(
        .unsupported, path: python, "the Python version of \(variant.title), whose pickles aren't read",
        advice: "put \(file.name) from \(file.set.mirrors[0]) beside it")
    }
  }

  /// Where a copy was found, for lists: the files or the archive.
  package static func location(_ variant: Variant, _ locator: DataLocator) -> String? {
    locator.find(fileNames(.train, variant).prefix(1) + [archiveFile(variant).name], of: set(variant))
  }
}

// MARK: - The files

extension CIFAR {
  package static func fileNames(_ split: Split, _ variant: Variant) -> [String] {
    switch (variant, split) {
    case (.ten, .train): (1...5).map { "data_batch_\($0).bin" }
    case (.ten, .test): ["test_batch.bin"]
    case (.hundred, .train): ["train.bin"]
    case (.hundred, .test): ["test.bin"]
    }
  }

  package static func archiveFile(_ variant: Variant) -> PublishedFile {
    // The MD5 sums stand on the data set's page, https://www.cs.toronto.edu/~kriz/cifar.html.
    switch variant {
    case .ten:
      PublishedFile(name: "cifar-10-binary.tar.gz", digest: .md5("c32a1d4ab5d03f1284b67883e8d87530"), set: set(.ten))
    case .hundred:
      PublishedFile(name: "cifar-100-binary.tar.gz", digest: .md5("03b5dce01913d631647c71ecec9e9cb8"), set: set(.hundred))
    }
  }

  private static func pythonNames(_ variant: Variant) -> [String] {
    switch variant {
    case .ten: ["cifar-10-python.tar.gz", "cifar-10-batches-py/data_batch_1", "data_batch_1"]
    case .hundred: ["cifar-100-python.tar.gz", "cifar-100-python/train", "train"]
    }
  }

  private static func set(_ variant: Variant) -> DataFileSet {
    // torchvision keeps its archives in the data folder itself.
    let folders =
      switch variant {
      case .ten: ["", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin", "cifar-10", "CIFAR10"]
      case .hundred: ["", "cifar-100-binary", "cifar100", "cifar100/cifar-100-binary", "cifar-100", "CIFAR100"]
      }
    return DataFileSet(title: variant.title, folders: folders, mirrors: ["https://www.cs.toronto.edu/~kriz/"])
  }

  private static let hundredNames = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
    kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange
    orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal
    shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """
}
