import ApusFormats

/// An array of bytes in the IDX format, in which MNIST comes: https://yann.lecun.com/exdb/mnist.
///
/// Two zeros, the type of the elements, the number of axes; each axis's size as a big-endian 32-bit number; the elements.
public struct IDX: Sendable {
  public let shape: [Int]
  public let bytes: [UInt8]
  /// SHA-256 of the whole file, uncompressed.
  package let digest: SHA256.Digest

  /// Reads the file at `path`, plain or gzip.
  ///
  /// - Parameter limit: the most bytes that the elements may take. Nothing is allocated that the file's own length cannot hold.
  /// - Throws: `DataError`: no such file, not IDX, elements other than unsigned bytes, a payload that isn't what the header says.
  public static func read(_ path: String, limit: Int = 1 << 31) throws(DataError) -> IDX {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    return try IDX(file.bytes, path: path, limit: limit)
  }

  package init(_ file: UnsafeRawBufferPointer, path: String, limit: Int = 1 << 31) throws(DataError) {
    if GzipStream.isGzip(file) {
      let stream = try GzipStream(file, path: path)
      try self.init(
        path: path, limit: limit, available: file.count.multipliedReportingOverflow(by: GzipStream.maximumRatio).partialValue
      ) { buffer throws(DataError) in try stream.read(into: buffer) }
      try stream.finish()
    } else {
      var offset = 0
      try self.init(path: path, limit: limit, available: file.count) { buffer throws(DataError) in
        let count = min(buffer.count, file.count - offset)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: file[offset..<offset + count]))
        offset += count
        return count
      }
      if offset < file.count {
        throw DataError(
          .size, path: path, "\(file.count - offset) bytes more than its header says", advice: DataError.replaceAdvice)
      }
    }
  }

  /// - Parameter available: no more than this many bytes can come from `read`.
  /// - Parameter read: fills a buffer; fewer bytes than it holds mean the end.
  private init(
    path: String, limit: Int, available: Int, read: (UnsafeMutableRawBufferPointer) throws(DataError) -> Int
  ) throws(DataError) {
    func take(_ count: Int, _ what: String) throws(DataError) -> [UInt8] {
      if count == 0 { return [] }  // the library would write to the one empty array that all threads share
      var failure: DataError?
      let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        do throws(DataError) { initialized = try read(UnsafeMutableRawBufferPointer(buffer)) } catch { failure = error }
      }
      if let failure { throw failure }
      if result.count < count {
        throw DataError(
          .size, path: path, "cut short: \(result.count) of the \(count) bytes of \(what)", advice: DataError.replaceAdvice)
      }
      return result
    }
    let magic = try take(4, "its magic number")
    try Self.check(magic: magic, path: path)
    let header = try take(4 * Int(magic[3]), "its header")
    shape = stride(from: 0, to: header.count, by: 4).map { i in header[i..<i + 4].reduce(0) { $0 << 8 | Int($1) } }
    // Sizes of 0 don't excuse the others: whoever multiplies some of them must not overflow.
    var product = 1
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(size, 1))
      if overflow || next > limit {
        throw DataError(
          .size, path: path, "its header asks for shape \(shape), more than the limit of \(limit) bytes",
          advice: DataError.replaceAdvice)
      }
      product = next
    }
    let count = shape.contains(0) ? 0 : product
    if count > available {
      throw DataError(
        .size, path: path, "its header asks for shape \(shape), more than a file of this length can hold",
        advice: DataError.replaceAdvice)
    }
    bytes = try take(count, "its elements")
    var hash = SHA256()
    hash.update(magic)
    hash.update(header)
    hash.update(bytes)
    digest = hash.digest()
  }

  private static func check(magic: [UInt8], path: String) throws(DataError) {
    let advice = DataError.replaceAdvice
    guard magic[0] == 0, magic[1] == 0, magic[3] > 0 else {
      let found = magic.map { String($0, radix: 16) }.joined(separator: " ")
      throw DataError(.format, path: path, "not an IDX file: it begins with the bytes \(found) (hexadecimal)", advice: advice)
    }
    guard magic[2] == 0x08 else {
      throw DataError(
        .format, path: path, "elements of type \(magic[2]) (IDX); only unsigned bytes, type 8, are read", advice: advice)
    }
  }
}
