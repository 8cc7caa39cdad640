import ApusCore

/// Tensor files of any format that Apus knows, by the suffix of their name: the way in for programs that don't care which it is.
///
/// ```swift
/// let contents = try TensorFile.read("model.pth")
/// try TensorFile.write(contents.tensors, metadata: contents.metadata, to: "model.safetensors")
/// ```
public enum TensorFile {
  public enum Format: String, CaseIterable, Sendable {
    case safetensors, npz, npy, pth

    /// What names of such files end with; the first is the usual one.
    public var suffixes: [String] {
      switch self {
      case .safetensors: [".safetensors"]
      case .npz: [".npz"]
      case .npy: [".npy"]
      case .pth: [".pth", ".pt", ".ckpt", ".bin"]
      }
    }

    /// The format that the name of a file asks for, or nil.
    public init?(suffixOf path: String) {
      guard let format = Self.allCases.first(where: { $0.suffixes.contains { path.lowercased().hasSuffix($0) } }) else {
        return nil
      }
      self = format
    }
  }

  /// What a file holds.
  public struct Contents: Sendable {
    public let format: Format
    /// The tensors in the order of the file. The tensor of a file that has only one, without a name, has that of the file.
    public let tensors: [(name: String, tensor: Tensor)]
    /// The metadata of a safetensors file; what else than tensors a PyTorch file holds, as text.
    public let metadata: [String: String]
  }

  /// Reads all tensors of a file.
  ///
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound, `TensorError` where memory ends.
  public static func read(_ path: String) throws -> Contents {
    let format = try format(of: path)
    switch format {
    case .safetensors:
      let contents = try Safetensors.read(path)
      return Contents(format: format, tensors: contents.tensors, metadata: contents.metadata)
    case .npz: return Contents(format: format, tensors: try Npz.read(path), metadata: [:])
    case .npy: return Contents(format: format, tensors: [(stem(path), try Npy.read(path))], metadata: [:])
    case .pth:
      let file = try PthFile(path)
      let tensors = try file.tensors().map { (name: named($0.name, path), tensor: $0.tensor) }
      return Contents(format: format, tensors: tensors, metadata: metadata(file))
    }
  }

  /// Writes `tensors` in the format that the suffix of `path` names; the file appears whole or not at all.
  ///
  /// - Parameter metadata: text for formats that have a place for it: safetensors. Others drop it.
  /// - Parameter isCompressed: whether to compress; `.npz` alone can.
  /// - Throws: `FileError` where the file cannot be written, `FormatError` where the format cannot hold the tensors, `TensorError` where
  ///   memory ends.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String, isCompressed: Bool = false
  ) throws {
    guard let format = Format(suffixOf: path) else { throw unknownSuffix(path) }
    if isCompressed, format != .npz {
      throw FormatError(.unsupported, file: path, at: .file, "only .npz files can be compressed")
    }
    // A view of a few bytes may show more elements than there is memory for.
    try catching {
      switch format {
      case .safetensors: try Safetensors.write(tensors, metadata: metadata, to: path)
      case .npz: try Npz.write(tensors, to: path, isCompressed: isCompressed)
      case .npy:
        guard tensors.count == 1 else {
          throw FormatError(
            .unsupported, file: path, at: .file, "a .npy file holds one array, not \(tensors.count); .npz holds several")
        }
        try Npy.write(tensors[0].tensor, to: path)
      case .pth:
        var names: Set<String> = []
        for (name, _) in tensors where !names.insert(name).inserted {
          throw FormatError(.duplicateKey, file: path, at: .key(name), "two tensors with this name")
        }
        try Pth.write(.stateDictionary(tensors), to: path)
      }
    }
  }

  static func unknownSuffix(_ path: String) -> FormatError {
    let known = Format.allCases.flatMap(\.suffixes).joined(separator: ", ")
    return FormatError(.notThisFormat, file: path, at: .file, "its name ends with none of \(known)")
  }

  /// The format of a file: that of its suffix; without a known one, that of its first bytes.
  static func format(of path: String) throws -> Format {
    if let format = Format(suffixOf: path) { return format }
    let file = try MappedFile(path)
    if NpyHeader.matches(file.bytes) { return .npy }
    guard file.bytes.starts(with: [0x50, 0x4B]) else {
      return file.bytes.first == PickleOpcode.proto.rawValue ? .pth : .safetensors
    }
    let isNpz = try ZipArchive(file).entries.allSatisfy { $0.name.hasSuffix(NpzFile.suffix) }
    return isNpz ? .npz : .pth
  }

  /// `weights` of `folder/weights.npy`.
  static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    return String(name.lastIndex(of: ".").map { name[..<$0] } ?? name)
  }

  static func named(_ name: String, _ path: String) -> String { name.isEmpty ? stem(path) : name }

  static func metadata(_ file: PthFile) -> [String: String] {
    Dictionary(file.metadata.map { (named($0.name, file.path), $0.text) }) { first, _ in first }
  }
}
