import ApusFormats

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that grows record by record, each on the disk's side of the system call when `append` returns, so that others can read it while
/// a run goes on.
///
/// A disk that is full doesn't stop a run. Records that cannot be written are kept and tried again with the next; the file never holds
/// half of one. The first failure is reported.
final class LogFile {
  let path: String
  private let onFailure: (FileError) -> Void
  private let descriptor: Int32
  private var length: off_t = 0
  private var pending: [UInt8] = []
  private var hasFailed = false

  /// Starts an empty file at `path`.
  ///
  /// - Parameter onFailure: called once, when a record cannot be written.
  /// - Throws: `FileError` where there can be no such file.
  init(_ path: String, onFailure: @escaping (FileError) -> Void) throws(FileError) {
    self.path = path
    self.onFailure = onFailure
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw FileError(path: path, operation: "create", code: errno) }
  }

  deinit { close(descriptor) }

  /// Adds one record.
  func append(_ record: some Sequence<UInt8>) {
    pending += record
    if let code = writePending() {
      // What part of a record has reached the file is taken back.
      ftruncate(descriptor, length)
      if !hasFailed { onFailure(FileError(path: path, operation: "write", code: code)) }
      hasFailed = true
    } else {
      length += off_t(pending.count)
      pending = []
    }
  }

  /// - Returns: the system's error, or nil.
  private func writePending() -> Int32? {
    pending.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, length + off_t(written))
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return count < 0 ? errno : ENOSPC }
        written += count
      }
      return nil
    }
  }
}
