import ApusCore
import ApusFormats

/// Pictures in folders that are named for what they show: `root/cat/1.png`, `root/dog/2.png`; PNG, and JPEG where `JPEG.isAvailable`.
///
/// Classes are the folders' names in alphabetical order, as in torchvision. Folders are looked through once; a picture is read when it is
/// asked for.
public struct ImageFolder: Dataset {
  /// Of the files.
  public let paths: [String]
  public let labels: [Int]  // [count]
  public let classNames: [String]
  /// 1 for grey, 3 for colour: what pictures are turned into.
  public let channels: Int
  /// What pictures are resized to; nil leaves them as they are: all must have one size to make a batch.
  public let size: Int?

  /// - Parameter channels: 1 or 3.
  /// - Parameter size: height and width that pictures are resized to, if any.
  /// - Throws: `DataError` where there is no such folder, or no PNG file in its folders.
  public init(_ root: String, channels: Int = 3, size: Int? = nil) throws(DataError) {
    let isFine = check(channels == 1 || channels == 3, .value, "ImageFolder", "\(channels) channels: 1 or 3 are possible")
    self.channels = isFine ? channels : 3
    self.size = size
    let folders = try Self.entries(root).filter { FileSystem.isFolder("\(root)/\($0)") }
    var (paths, labels) = ([String](), [Int]())
    for (label, folder) in folders.enumerated() {
      let files = try Self.files(below: "\(root)/\(folder)")
      if files.isEmpty {
        throw DataError(.missing, path: "\(root)/\(folder)", "no PNG files in it", advice: "remove the folder or fill it")
      }
      paths += files
      labels += [Int](repeating: label, count: files.count)
    }
    if paths.isEmpty {
      throw DataError(
        .missing, path: root, "no folders with PNG files in it", advice: "put the pictures of each class into a folder of its own"
      )
    }
    self.paths = paths
    self.labels = labels
    classNames = folders
  }

  public var count: Int { paths.count }

  /// Picture `index`, float32 `[channels, H, W]` of 0...1, and its label, int64 `[]`.
  public subscript(index: Int) -> Example {
    get throws {
      let picture = try converted(readPicture(paths[index]))
      guard let size else { return Example(input: picture, target: Tensor(labels[index])) }
      let resized = Resize(size).apply(picture.unsqueeze(dim: 0), .default).squeeze(dim: 0)
      return Example(input: resized, target: Tensor(labels[index]))
    }
  }

  /// A picture with transparency loses it; grey becomes colour or colour grey (ITU-R 601, as in Pillow).
  private func converted(_ picture: Tensor) -> Tensor {
    let x = picture.to(.float32) / 255
    let isGrey = x.shape[0] < 3
    switch (isGrey, channels) {
    case (true, 1): return x.narrow(dim: 0, start: 0, count: 1)
    case (true, _): return x.narrow(dim: 0, start: 0, count: 1).expand([3, x.shape[1], x.shape[2]]).contiguous()
    case (false, 1):
      let weights = Tensor(scalars: [0.299, 0.587, 0.114], shape: [3, 1, 1])
      return (x.narrow(dim: 0, start: 0, count: 3) * weights).sum(dim: 0, keepDim: true)
    case (false, _): return x.narrow(dim: 0, start: 0, count: 3)
    }
  }

  /// Names in a folder, sorted; hidden ones are left out.
  private static func entries(_ path: String) throws(DataError) -> [String] {
    guard FileSystem.isFolder(path) else {
      throw DataError(.missing, path: path, "not a folder", advice: "name the folder that holds a folder for each class")
    }
    do throws(FileError) {
      return try Folder.names(in: path).filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw DataError(.unreadable, path: path, "cannot be listed: \(error.reason)", advice: "check its permissions")
    }
  }

  private static func files(below path: String) throws(DataError) -> [String] {
    var result: [String] = []
    for name in try entries(path) {
      let path = "\(path)/\(name)"
      if FileSystem.isFolder(path) { result += try files(below: path) } else if isPicture(name) { result.append(path) }
    }
    return result
  }

  private static func isPicture(_ name: String) -> Bool {
    let suffixes = JPEG.isAvailable ? [".png", ".jpg", ".jpeg"] : [".png"]
    return suffixes.contains { name.lowercased().hasSuffix($0) }
  }
}
