import ApusCore

/// A safetensors file whose tensors are read one at a time, when asked for.
///
/// Opening maps the file and checks its header; no data is touched before `tensor(named:)`.
public final class SafetensorsFile: Sendable {
  public let path: String
  public let header: SafetensorsHeader
  private let file: MappedFile

  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't a sound safetensors file.
  public init(_ path: String) throws {
    self.path = path
    file = try MappedFile(path)
    header = try SafetensorsHeader(of: file.bytes, file: path)
  }

  /// The tensors of the file, in the order of its header.
  public var entries: [SafetensorsHeader.Entry] { header.entries }
  public var metadata: [String: String] { header.metadata }

  /// The tensor called `name`, copied out of the file.
  ///
  /// - Throws: `FormatError`: no such tensor, a dtype that no Apus tensor can have, or a bool that is neither 0 nor 1.
  public func tensor(named name: String) throws -> Tensor {
    guard let i = header.index[name] else {
      throw FormatError(.missingTensor, file: path, at: .key(name), "no such tensor among the \(entries.count) of the file")
    }
    return try tensor(entries[i])
  }

  func tensor(_ entry: SafetensorsHeader.Entry) throws -> Tensor {
    guard let dtype = entry.dtype.dtype else {
      throw FormatError(
        .unsupportedDType, file: path, at: .key(entry.name),
        "its dtype \(entry.dtype.rawValue) is none that an Apus tensor can have")
    }
    let start = header.dataOffset
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start + entry.bytes.lowerBound..<start + entry.bytes.upperBound])
    if dtype == .bool, let i = bytes.firstIndex(where: { $0 > 1 }) {
      throw FormatError(
        .value, file: path, at: .byte(start + entry.bytes.lowerBound + i), "\(bytes[i]) as a bool; only 0 and 1 are")
    }
    // Memory that cannot be had throws like everything else that a file can cause.
    return try catching { Tensor(bytes: bytes, shape: Shape(entry.shape), dtype: dtype) }
  }

  /// Compares the content with the digest that was stored when it was written.
  ///
  /// - Returns: false where the file carries none.
  /// - Throws: `FormatError` of kind `digest` where they differ: a bit of the file has changed since.
  public func verifyDigest() throws -> Bool {
    guard let offset = header.digestOffset else { return false }
    let place = offset..<offset + SafetensorsHeader.digestLength
    var hash = SHA256()
    hash.update(UnsafeRawBufferPointer(rebasing: file.bytes[..<place.lowerBound]))
    hash.update([UInt8](repeating: UInt8(ascii: "0"), count: place.count))
    hash.update(UnsafeRawBufferPointer(rebasing: file.bytes[place.upperBound...]))
    let digest = hash.digest()
    guard file.bytes[place].elementsEqual(digest.hex) else {
      let stored = String(decoding: file.bytes[place], as: UTF8.self)
      throw FormatError(
        .digest, file: path, at: .file,
        "the content has changed since it was written: its SHA-256 is \(digest), \(printable(stored)) was stored")
    }
    return true
  }
}
