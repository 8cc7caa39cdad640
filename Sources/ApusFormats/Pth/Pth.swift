import ApusCore

/// Tensors and the values around them in PyTorch's files: what `torch.save` writes and `torch.load(…, weights_only=True)` reads.
///
/// ```swift
/// try Pth.write(.stateDictionary(weights), to: "model.pth")
/// let weights = try PthFile("model.pth").tensors()
/// let epoch = try Pth.read("checkpoint.pth")["epoch"]
/// ```
public enum Pth {
  /// Reads all that a file holds.
  ///
  /// - Parameter growthLimit: how many bytes all tensors together may have; nil for 64 MiB or four times the file, whichever is more.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound or holds more than data, `TensorError` where
  ///   memory ends.
  public static func read(_ path: String, growthLimit: Int? = nil) throws -> PthValue {
    try PthFile(path, growthLimit: growthLimit).value()
  }

  /// Writes `value` to `path`; the file appears whole or not at all. Equal content gives equal bytes.
  ///
  /// Tensors that share memory share it in the file. A tensor that shows parts of a larger one is written without the rest.
  ///
  /// - Throws: `FileError` where the file cannot be written, `FormatError` where the format cannot hold it: values nested too deep, a key
  ///   that isn't text or a number.
  public static func write(_ value: PthValue, to path: String) throws {
    var writer = PickleWriter(file: path)
    let pickle = try writer.pickle(value)
    let archive = try ZipWriter(path)
    func store(_ content: [UInt8], _ name: String) throws {
      try archive.store(content, as: "archive/\(name)", alignment: alignment)
    }
    try store(pickle, "data.pkl")
    try store(Array("1".utf8), ".format_version")
    try store(Array("\(alignment)".utf8), ".storage_alignment")
    try store(Array("little".utf8), "byteorder")
    for (i, storage) in writer.storages.enumerated() {
      try storage.withUnsafeBytes { try archive.store([$0], as: "archive/data/\(i)", alignment: alignment) }
    }
    try store(Array("3\n".utf8), "version")
    try archive.commit()
  }

  /// Data starts at multiples of it, as in PyTorch's own files: they can be mapped.
  private static let alignment = 64
}
