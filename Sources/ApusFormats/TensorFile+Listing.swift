extension TensorFile {
  /// What a file holds, without the numbers.
  public struct Listing: Sendable {
    public struct Entry: Hashable, Sendable {
      public let name: String
      /// The name of its dtype; one that Apus doesn't have goes by its name in the file.
      public let dtype: String
      public let shape: [Int]
      public let byteCount: Int
    }

    public let format: Format
    public let entries: [Entry]
    public let metadata: [String: String]
    /// Whether the file carries a digest of its content and the content has it.
    public let isVerified: Bool
  }

  /// Lists the tensors of a file.
  ///
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound.
  public static func list(_ path: String) throws -> Listing {
    let format = try format(of: path)
    switch format {
    case .safetensors:
      let file = try SafetensorsFile(path)
      let entries = file.entries.map {
        Listing.Entry(name: $0.name, dtype: $0.dtype.dtype?.name ?? $0.dtype.rawValue, shape: $0.shape, byteCount: $0.bytes.count)
      }
      return Listing(format: format, entries: entries, metadata: file.metadata, isVerified: try file.verifyDigest())
    case .npz:
      let entries = try NpzFile(path).entries.map { entry($0.header, name: $0.name) }
      return Listing(format: format, entries: entries, metadata: [:], isVerified: false)
    case .npy:
      return Listing(format: format, entries: [entry(try Npy.header(path), name: stem(path))], metadata: [:], isVerified: false)
    case .pth:
      let file = try PthFile(path)
      let entries = file.entries.map {
        Listing.Entry(name: named($0.name, path), dtype: $0.dtype.rawValue, shape: $0.shape, byteCount: $0.byteCount)
      }
      return Listing(format: format, entries: entries, metadata: metadata(file), isVerified: false)
    }
  }

  private static func entry(_ header: NpyHeader, name: String) -> Listing.Entry {
    Listing.Entry(name: name, dtype: header.dtype.name, shape: header.shape, byteCount: header.byteCount)
  }
}
