#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The bytes of a file, mapped rather than read: only the pages that are looked at come from the disk.
///
/// Files of Apus are replaced by `rename` and never changed in place, so a mapped one stays as it was. Another program that
/// shortens the file meanwhile ends this process (SIGBUS): the price of every mapping.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  package let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// - Throws: `FileError` where there is no such file, it may not be read, or it isn't a regular file.
  package init(_ path: String) throws(FileError) {
    self.path = path
    isMapped = true
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw FileError.last("open", path) }
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw FileError.last("read", path) }
    let kind = status.st_mode & S_IFMT
    if kind == S_IFDIR { throw FileError(path: path, operation: "read", code: EISDIR) }
    if kind != S_IFREG { throw FileError(path: path, operation: "read", code: EINVAL) }
    let count = Int(status.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw FileError.last("map", path)
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  /// A copy of `content` that passes for the file at `path`: for tests that read many small files.
  package init(_ content: [UInt8], path: String) {
    self.path = path
    isMapped = false
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 1)
    copy.copyBytes(from: content)
    bytes = UnsafeRawBufferPointer(copy)
  }

  deinit {
    if !isMapped { return bytes.deallocate() }
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
