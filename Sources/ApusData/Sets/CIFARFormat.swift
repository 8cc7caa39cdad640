import ApusFormats

/// The binary files of CIFAR: records of one label (CIFAR-100: a coarse one, then a fine one) and 3,072 bytes, plane by plane.
package struct CIFARFormat {
  private let variant: CIFAR.Variant
  private let digest: PublishedDigest

  /// - Parameter digest: of the archive; the published one where nothing is said.
  package init(_ variant: CIFAR.Variant, digest: PublishedDigest? = nil) {
    self.variant = variant
    self.digest = digest ?? CIFAR.archiveFile(variant).digest
  }

  private static let pixelCount = 3 * 32 * 32
  private var labelCount: Int { variant == .ten ? 1 : 2 }
  private var recordLength: Int { labelCount + Self.pixelCount }
  /// No file has more than the 50,000 records of CIFAR-100's training pictures; a set of one's own may.
  private static let limit = 1 << 31

  /// The content of the file at `path`.
  func read(_ path: some StringProtocol) throws(DataError) -> [UInt8] {
    let path = String(path)
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    return Array(file.bytes)
  }

  /// The contents of the files with these names, in this order, of a `.tar.gz`, whose digest is verified first.
  package func read(_ names: [String], inArchive path: String) throws(DataError) -> [[UInt8]] {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    try verify(file)
    let stream = try GzipStream(file.bytes, path: path)
    var tar = TarReader(path: path) { buffer throws(DataError) in try stream.read(into: buffer) }
    var contents: [String: [UInt8]] = [:]
    while contents.count < names.count, let entry = try tar.next() {
      let name = entry.name.split(separator: "/").last.map(String.init) ?? ""
      if entry.isFile, names.contains(name), entry.size <= Self.limit { contents[name] = try tar.content() }
    }
    var result: [[UInt8]] = []
    for name in names {
      guard let content = contents[name] else {
        throw DataError(.format, path: path, "no file \(name) in it", advice: DataError.replaceAdvice)
      }
      result.append(content)
    }
    return result
  }

  private func verify(_ file: MappedFile) throws(DataError) {
    let found = digest.digest(of: file.bytes)
    if found == digest.text { return }
    throw DataError(
      .checksum, path: file.path,
      "not \(variant.title)'s archive: its \(digest.name) is \(found), the published one's is \(digest.text)",
      advice: DataError.replaceAdvice)
  }

  /// The pictures of all `files`, one after the other.
  ///
  /// - Parameter path: the file that errors name.
  func dataset(_ files: [[UInt8]], path: String) throws(DataError) -> ImageDataset {
    var pixels: [UInt8] = []
    var labels: [Int] = []
    pixels.reserveCapacity(files.reduce(0) { $0 + $1.count })
    for file in files {
      guard !file.isEmpty, file.count % recordLength == 0 else {
        throw DataError(
          .size, path: path, "\(file.count) bytes are no whole number of records of \(recordLength)",
          advice: DataError.replaceAdvice)
      }
      for start in stride(from: 0, to: file.count, by: recordLength) {
        labels.append(Int(file[start + labelCount - 1]))
        pixels += file[start + labelCount..<start + recordLength]
      }
    }
    return try ImageDataset(pixels: pixels, labels: labels, shape: [3, 32, 32], classNames: variant.classNames, path: path)
  }
}
