import ApusCore

/// Named arrays in one file: a zip archive of `.npy` files, as `numpy.savez` writes it.
///
/// ```swift
/// try Npz.write([("weight", w), ("bias", b)], to: "model.npz")
/// for (name, tensor) in try Npz.read("model.npz") { … }
/// ```
public enum Npz {
  /// Reads all arrays of a file, stored or deflated, in the order of the archive.
  ///
  /// - Parameter growthLimit: how many bytes compressed arrays may unpack to, all together; nil for 64 MiB or four times the file,
  ///   whichever is more.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound, `TensorError` where memory ends.
  public static func read(_ path: String, growthLimit: Int? = nil) throws -> [(name: String, tensor: Tensor)] {
    let file = try NpzFile(path, growthLimit: growthLimit)
    return try file.entries.map { ($0.name, try file.tensor($0)) }
  }

  /// Writes `tensors` to `path`, in their order; the file appears whole or not at all.
  ///
  /// - Parameter isCompressed: whether to deflate them, as `numpy.savez_compressed` does. Trained weights get hardly smaller by it.
  /// - Throws: `FileError` where the file cannot be written, `FormatError` where the format cannot hold them: a name twice, a name that
  ///   isn't one inside an archive (`/a`, `../a`), a bfloat16 tensor.
  public static func write(_ tensors: [(name: String, tensor: Tensor)], to path: String, isCompressed: Bool = false) throws {
    var names: Set<String> = []
    for (name, _) in tensors where !names.insert(name).inserted {
      throw FormatError(.duplicateKey, file: path, at: .key(name), "two tensors with this name")
    }
    let archive = try ZipWriter(path)
    for (name, tensor) in tensors {
      let header = try Npy.header(of: tensor, file: path, at: .key(name))
      try tensor.withUnsafeBytes { elements in
        try header.withUnsafeBytes { header in
          if isCompressed {
            try archive.deflate([header, elements], as: name + NpzFile.suffix)
          } else {
            try archive.store([header, elements], as: name + NpzFile.suffix)
          }
        }
      }
    }
    try archive.commit()
  }
}
