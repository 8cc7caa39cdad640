import ApusCore

/// A PyTorch file (`torch.save`'s zip format) whose tensors are read when asked for.
///
/// Opening checks the archive, reads the pickle that describes the content as data, and checks every tensor against its storage. No
/// storage is touched before `value()` or `tensor(_:)`.
public final class PthFile: Sendable {
  /// A tensor of the file.
  public struct Entry: Sendable {
    /// Keys and indices on the way to it, with dots between: `model.layer1.weight`; empty where the file is one tensor.
    public let name: String
    public let dtype: TorchDType
    public let shape: [Int]
    /// Bytes of all its elements; several tensors may share them.
    public let byteCount: Int
    let number: Int
  }

  public let path: String
  /// The tensors in the order in which the file mentions them.
  public let entries: [Entry]
  /// The other values, as text, under names like those of the tensors.
  public let metadata: [(name: String, text: String)]
  let archive: ZipArchive
  let heap: PickleHeap
  let root: PickleValue
  let isBigEndian: Bool

  /// - Parameter growthLimit: how many bytes all tensors together may have, each element counted as often as tensors show it; nil for
  ///   64 MiB or four times the file, whichever is more.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound or holds more than data.
  public convenience init(_ path: String, growthLimit: Int? = nil) throws {
    try self.init(MappedFile(path), growthLimit: growthLimit)
  }

  package init(_ file: MappedFile, growthLimit: Int? = nil) throws(FormatError) {
    path = file.path
    try Self.refuseOldFormats(file)
    archive = try ZipArchive(file, growthLimit: growthLimit)
    let layout = try PthLayout(archive)
    isBigEndian = layout.isBigEndian
    let pickle = try archive.content(of: layout.pickle)
    let archive = archive
    var machine = PickleMachine(pickle, file: path, entry: layout.pickle.name) { key in
      archive.entry(named: "\(layout.root)/data/\(key)")
    }
    root = try machine.run()
    heap = machine.heap
    var walk = PthWalk(
      heap: heap, file: path, pickle: layout.pickle, growthLimit: growthLimit ?? ZipArchive.defaultGrowthLimit(file.bytes.count))
    try walk.visit(root, name: "", depth: 0)
    (entries, metadata) = (walk.entries, walk.metadata)
  }

  private static func refuseOldFormats(_ file: MappedFile) throws(FormatError) {
    let advice = "load it with PyTorch and save it again with torch.save"
    let isTar = file.bytes.count > 262 && file.bytes[257..<262].elementsEqual("ustar".utf8)
    if file.bytes.first == PickleOpcode.proto.rawValue || isTar {
      throw FormatError(
        .unsupported, file: file.path, at: .byte(0), "PyTorch's format from before version 1.6 (no zip archive); \(advice)")
    }
  }
}

/// Which entries of an archive are what, in a PyTorch file.
struct PthLayout {
  /// The folder that all entries are in.
  let root: String
  let pickle: ZipEntry
  let isBigEndian: Bool

  init(_ archive: ZipArchive) throws(FormatError) {
    let root = archive.entries.first.map { String($0.name.prefix { $0 != "/" }) } ?? ""
    let shown = printable(root, limit: 80)
    func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
      FormatError(kind, file: archive.mapping.path, at: .file, reason)
    }
    func text(_ name: String) throws(FormatError) -> String? {
      guard let entry = archive.entry(named: "\(root)/\(name)"), entry.size < 100 else { return nil }
      return String(decoding: try archive.content(of: entry), as: UTF8.self)
    }
    if archive.entry(named: "\(root)/constants.pkl") != nil {
      throw error(.unsupported, "a TorchScript program, not weights; in PyTorch, save the state_dict() of the loaded module")
    }
    guard let pickle = archive.entry(named: "\(root)/data.pkl") else {
      throw error(.notThisFormat, "a zip archive without \(shown)/data.pkl: not a PyTorch file")
    }
    guard let version = try text("version").flatMap({ Int($0.prefix { $0 != "\n" }) }), (1...10).contains(version) else {
      throw error(.unsupported, "its entry '\(shown)/version' isn't a number from 1 to 10")
    }
    let order = try text("byteorder") ?? "little"
    guard order == "little" || order == "big" else {
      throw error(.unsupported, "its byte order is '\(printable(order, limit: 20))'; little and big are known")
    }
    (self.root, self.pickle, isBigEndian) = (root, pickle, order == "big")
  }
}
