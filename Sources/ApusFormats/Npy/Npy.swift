import ApusCore

/// One array in a file, NumPy's own format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
///
/// ```swift
/// try Npy.write(x, to: "x.npy")
/// let x = try Npy.read("x.npy")
/// ```
public enum Npy {
  /// Reads the array in a file: rows or columns first, either byte order, every dtype that a tensor can have.
  ///
  /// - Returns: an array with columns first comes as a transposed view of its elements.
  /// - Throws: `FileError` where the file cannot be read, `FormatError` where it isn't sound or its dtype is none of ours, `TensorError`
  ///   where memory ends.
  public static func read(_ path: String) throws -> Tensor { try read(MappedFile(path)) }

  package static func read(_ file: MappedFile) throws -> Tensor {
    let source = MappedSource(file)
    return try tensor(NpyHeader(from: source), from: source)
  }

  /// The header of a file, without its elements.
  ///
  /// - Throws: as `read`.
  public static func header(_ path: String) throws -> NpyHeader { try NpyHeader(from: MappedSource(MappedFile(path))) }

  /// Writes `tensor` to `path`, rows first; the file appears whole or not at all. The bytes are those of `numpy.save`.
  ///
  /// - Throws: `FileError` where the file cannot be written, `FormatError` for a bfloat16 tensor, which NumPy has no dtype for.
  public static func write(_ tensor: Tensor, to path: String) throws {
    let header = try header(of: tensor, file: path, at: .file)
    let file = try AtomicFile(path)
    try file.write(header)
    try tensor.withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  static func header(of tensor: Tensor, file: String, at place: FormatError.Place) throws(FormatError) -> [UInt8] {
    guard let descr = NpyDType.descr(of: tensor.dtype) else {
      throw FormatError(
        .unsupportedDType, file: file, at: place,
        "NumPy has no \(tensor.dtype): convert to float32, which holds each of its values, or write safetensors")
    }
    if tensor.rank > NpyHeader.maximumRank {
      throw FormatError(
        .rankTooLarge, file: file, at: place, "a shape of \(tensor.rank) axes; the limit is \(NpyHeader.maximumRank)")
    }
    return NpyHeader.encode(descr: descr, shape: Array(tensor.shape))
  }

  /// The elements behind a header.
  static func tensor(_ header: NpyHeader, from source: any ByteSource) throws -> Tensor {
    guard let dtype = header.dtype.dtype else {
      throw source.error(
        .unsupportedDType, "its dtype \(printable(header.dtype.name)) is none that an Apus tensor can have", at: 0)
    }
    let start = source.position
    let shape = Dims(header.isFortranOrder ? header.shape.reversed() : header.shape)
    // Memory that cannot be had throws like everything else that a file can cause.
    let data = try catching { TensorData.uninitialized(shape, dtype, for: "Npy.read") }
    let bytes = UnsafeMutableRawBufferPointer(start: data.base, count: header.byteCount)
    if header.byteCount > 0 { try source.read(into: bytes) }
    if dtype == .bool, let i = bytes.firstIndex(where: { $0 > 1 }) {
      throw source.error(.value, "\(bytes[i]) as a bool; only 0 and 1 are", at: start + i)
    }
    try source.finish()
    if header.dtype.isBigEndian { reverseBytes(of: bytes, itemSize: dtype.itemSize) }
    if !header.isFortranOrder { return Tensor(data) }
    return Tensor(data.view(shape: Dims(header.shape), strides: Dims(Array(data.strides).reversed())))
  }
}

/// Turns the bytes of each element around: from one byte order to the other.
func reverseBytes(of bytes: UnsafeMutableRawBufferPointer, itemSize: Int) {
  func swap<T: FixedWidthInteger>(_: T.Type) {
    for i in stride(from: 0, to: bytes.count, by: MemoryLayout<T>.size) {
      bytes.storeBytes(of: bytes.load(fromByteOffset: i, as: T.self).byteSwapped, toByteOffset: i, as: T.self)
    }
  }
  switch itemSize {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}
