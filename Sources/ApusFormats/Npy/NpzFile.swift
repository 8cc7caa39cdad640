import ApusCore

/// A NumPy archive whose arrays are read one at a time, when asked for.
///
/// Opening maps the file, checks the directory of the archive and the header of each array; elements are not touched before
/// `tensor(named:)`.
public final class NpzFile: Sendable {
  /// One array of the file.
  public struct Entry: Hashable, Sendable {
    /// The name, without the `.npy` that the archive puts behind it.
    public let name: String
    public let header: NpyHeader
    let zip: ZipEntry
  }

  public let path: String
  /// The arrays in the order of the archive.
  public let entries: [Entry]
  private let archive: ZipArchive
  private let index: [String: Int]

  static let suffix = ".npy"

  /// - Parameter growthLimit: how many bytes compressed arrays may unpack to, all together; nil for 64 MiB or four times the file,
  ///   whichever is more.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't a sound NumPy archive.
  public convenience init(_ path: String, growthLimit: Int? = nil) throws {
    try self.init(MappedFile(path), growthLimit: growthLimit)
  }

  package init(_ file: MappedFile, growthLimit: Int? = nil) throws(FormatError) {
    path = file.path
    archive = try ZipArchive(file, growthLimit: growthLimit)
    var (entries, index) = ([Entry](), [String: Int]())
    for zip in archive.entries {
      guard zip.name.hasSuffix(Self.suffix) else {
        throw FormatError(
          .notThisFormat, file: path, at: .entry(zip.name), "isn't an array: its name doesn't end with \(Self.suffix)")
      }
      let header = try NpyHeader(from: try archive.source(of: zip, isChecked: false))
      let name = String(zip.name.dropLast(Self.suffix.count))
      index[name] = entries.count
      entries.append(Entry(name: name, header: header, zip: zip))
    }
    (self.entries, self.index) = (entries, index)
  }

  /// The array called `name`, unpacked or copied out of the file, and compared with its CRC-32.
  ///
  /// - Throws: `FormatError`: no such array, a dtype that no Apus tensor can have, or content that has changed.
  public func tensor(named name: String) throws -> Tensor {
    guard let i = index[name] else {
      throw FormatError(.missingTensor, file: path, at: .key(name), "no such array among the \(entries.count) of the file")
    }
    return try tensor(entries[i])
  }

  func tensor(_ entry: Entry) throws -> Tensor {
    let source = try archive.source(of: entry.zip)
    return try Npy.tensor(NpyHeader(from: source), from: source)
  }
}
