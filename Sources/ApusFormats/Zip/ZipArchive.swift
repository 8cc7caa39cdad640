/// A zip archive (PKWARE's APPNOTE 6.3) as NumPy and PyTorch use it, read by entry name in memory: nothing is ever extracted to a path.
///
/// Opening it checks the directory, the record in front of each entry, and that no two entries share a byte. The content of an entry
/// is checked against its CRC-32 when it is read.
package final class ZipArchive: Sendable {
  /// The entries in the order of the directory.
  package let entries: [ZipEntry]
  let mapping: MappedFile
  private let index: [String: Int]

  /// Archives may have this many entries.
  package static let maximumEntryCount = 1_000_000

  /// - Parameter growthLimit: how many bytes all packed entries together may unpack to; nil for 64 MiB or four times the file,
  ///   whichever is more.
  package init(_ mapping: MappedFile, growthLimit: Int? = nil) throws(FormatError) {
    self.mapping = mapping
    let (bytes, file) = (mapping.bytes, mapping.path)
    if bytes.count < 4 || ![ZipRecord.localSignature, 0x0605_4b50].contains(bytes.number(UInt32.self, at: 0)) {
      throw FormatError(.notThisFormat, file: file, at: .byte(0), "doesn't begin as a zip archive")
    }
    let directory = try ZipDirectory(of: bytes, file: file)
    var parser = ZipEntryParser(bytes: bytes, file: file, directory: directory.range)
    var (entries, index) = ([ZipEntry](), [String: Int]())
    for _ in 0..<directory.entryCount {
      let entry = try parser.next()
      if index.updateValue(entries.count, forKey: entry.name) != nil {
        throw FormatError(.duplicateKey, file: file, at: .entry(entry.name), "two entries with this name")
      }
      entries.append(entry)
    }
    try parser.finish(entries)
    (self.entries, self.index) = (entries, index)
    try checkGrowth(limit: growthLimit ?? Self.defaultGrowthLimit(bytes.count))
  }

  /// What the content of a file of `count` bytes may grow to.
  static func defaultGrowthLimit(_ count: Int) -> Int { max(64 << 20, 4 * count) }

  private func checkGrowth(limit: Int) throws(FormatError) {
    var total = 0
    for entry in entries where entry.method == .deflated {
      // The sum cannot overflow: it is compared after each step.
      if entry.size > limit - total {
        throw FormatError(
          .tooLarge, file: mapping.path, at: .entry(entry.name),
          "unpacks to \(entry.size) bytes, \(total) before it; the limit for this archive is \(limit)")
      }
      total += entry.size
    }
  }

  /// The entry called `name`, or nil.
  package func entry(named name: String) -> ZipEntry? { index[name].map { entries[$0] } }

  /// The content of a stored entry where it lies in the file, compared with its CRC-32.
  package func content(of entry: ZipEntry) throws(FormatError) -> UnsafeRawBufferPointer {
    if entry.method != .stored {
      throw FormatError(
        .compression, file: mapping.path, at: .entry(entry.name), "is compressed, where the format stores entries as they are")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.data])
    if Checksum(of: bytes).value != entry.checksum { throw Self.checksumError(entry, file: mapping.path) }
    return bytes
  }

  /// The content of an entry, front to back.
  ///
  /// - Parameter isChecked: whether all of it is compared with the CRC-32; false for a look at its beginning.
  func source(of entry: ZipEntry, isChecked: Bool = true) throws(FormatError) -> any ByteSource {
    switch entry.method {
    case .stored:
      if isChecked { _ = try content(of: entry) }
      return MappedSource(mapping, entry.data, entry: entry.name)
    case .deflated:
      return try Inflater(entry, in: mapping)
    }
  }

  static func checksumError(_ entry: ZipEntry, file: String) -> FormatError {
    FormatError(.checksum, file: file, at: .entry(entry.name), "its content has changed since it was stored: the CRC-32 differs")
  }
}
