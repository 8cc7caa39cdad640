import ApusCore

/// Named tensors in a file that cannot run code: https://github.com/huggingface/safetensors.
///
/// ```swift
/// try Safetensors.write([("weight", w), ("bias", b)], to: "model.safetensors")
/// let model = try Safetensors.read("model.safetensors")
/// ```
public enum Safetensors {
  /// What a file holds.
  public struct Contents: Sendable {
    /// The tensors in the order of the header.
    public let tensors: [(name: String, tensor: Tensor)]
    public let metadata: [String: String]

    /// The tensor called `name`, or nil.
    public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.tensor }
  }

  /// Reads all tensors of a file. A content digest that Apus wrote is verified.
  ///
  /// - Parameter requireDigest: whether a file without a digest is an error. With it, no changed bit goes unnoticed.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound, `TensorError` where memory ends.
  public static func read(_ path: String, requireDigest: Bool = false) throws -> Contents {
    let file = try SafetensorsFile(path)
    if try !file.verifyDigest(), requireDigest {
      throw FormatError(
        .digest, file: path, at: .file, "no digest of the content ('\(SafetensorsHeader.digestKey)') in its metadata")
    }
    var metadata = file.metadata
    metadata[SafetensorsHeader.digestKey] = nil
    return Contents(tensors: try file.entries.map { ($0.name, try file.tensor($0)) }, metadata: metadata)
  }

  /// Writes `tensors` to `path`; the file appears whole or not at all.
  ///
  /// Tensors with larger elements come first, so that each starts aligned; otherwise the order stays. One tensor at a time is made
  /// contiguous, so writing needs no second copy of a model.
  ///
  /// - Parameter metadata: text for whoever reads the file. Some programs that load PyTorch weights want `["format": "pt"]`.
  /// - Parameter digest: whether to store a SHA-256 of the whole content among the metadata, for `read` to verify. Other programs
  ///   see one more line of text.
  /// - Throws: `FileError` where the file cannot be written, `FormatError` where the format cannot hold it (a name twice).
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String, digest: Bool = false
  ) throws {
    let layout = try SafetensorsHeader.layout(
      tensors.map { ($0.name, SafetensorsDType($0.tensor.dtype), Array($0.tensor.shape)) }, file: path)
    let (header, digestOffset) = try SafetensorsHeader.encode(
      layout.map(\.entry), metadata: metadata, withDigest: digest, file: path)
    let file = try AtomicFile(path)
    var hash = SHA256()
    try file.write(header)
    if digest { hash.update(header) }
    for (index, entry) in layout {
      try tensors[index].tensor.withUnsafeBytes { bytes in
        guard bytes.count == entry.bytes.count else {
          throw FormatError(.sizeMismatch, file: path, at: .key(entry.name), "the tensor has \(bytes.count) bytes")
        }
        if digest { hash.update(bytes) }
        try file.write(bytes)
      }
    }
    if let digestOffset { try file.overwrite(hash.digest().hex, at: digestOffset) }
    try file.commit()
  }
}
