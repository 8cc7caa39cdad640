import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that appears whole or not at all.
///
/// What is written goes to a temporary name in the same folder. `commit` makes it durable and gives it its name in one step, so a
/// reader, a full disk, a kill or a power cut finds the old file or the new one. Dropped without `commit`, it leaves nothing behind.
///
/// ```swift
/// let file = try AtomicFile("runs/mnist/config.json")
/// try file.write(text)
/// try file.commit()
/// ```
public final class AtomicFile {
  /// Where the file will stand.
  public let path: String
  /// Bytes written so far.
  public private(set) var byteCount = 0

  private let temporaryPath: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  /// Small writes are collected up to this many bytes.
  private static let bufferSize = 1 << 16

  /// Starts the file that `commit` puts at `path`. The folder must exist.
  ///
  /// A symbolic link at `path` stays; the file that it points to is replaced. Existing permissions are kept.
  ///
  /// - Throws: `FileError`.
  public init(_ path: String) throws(FileError) {
    self.path = Self.resolved(path)
    let (folder, name) = Self.split(self.path)
    Self.removeLeftovers(of: name, in: folder)
    var status = stat()
    let exists = stat(self.path, &status) == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR { throw FileError(path: path, operation: "write", code: EISDIR) }
    temporaryPath = "\(folder)/.\(name).\(getpid())-\(Self.nextNumber()).tmp"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, exists ? status.st_mode & 0o777 : 0o666)
    if descriptor < 0 { throw FileError.last("create a file", self.path) }
    if exists { fchmod(descriptor, status.st_mode & 0o777) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
  }

  /// Appends `bytes`.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    byteCount += bytes.count
    if buffer.count + bytes.count <= Self.bufferSize {
      buffer.append(contentsOf: bytes)
      return
    }
    try flush()
    try Self.writeAll(bytes, descriptor, path)
  }

  /// Appends `bytes`.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { piece throws(FileError) in try write(UnsafeRawBufferPointer(piece)) }
  }

  /// Appends `text` as UTF-8.
  public func write(_ text: String) throws(FileError) {
    try write(Array(text.utf8))
  }

  /// Replaces bytes that were written before, from `offset` on.
  package func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    try flush()
    let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    if written != bytes.count { throw FileError.last("write", path) }
  }

  /// Makes the file durable and gives it its name. Nothing can be written afterwards.
  public func commit() throws(FileError) {
    try flush()
    if !Self.synchronize(descriptor) { throw FileError.last("write to the disk", path) }
    // A network file system may report a failed write only here.
    let closed = close(descriptor)
    descriptor = -1
    if closed != 0 || rename(temporaryPath, path) != 0 {
      let error = FileError.last(closed != 0 ? "close" : "replace the file", path)
      unlink(temporaryPath)
      throw error
    }
    // The new name itself must survive a power cut. Some file systems cannot sync a folder: then the file is whole all the same.
    let folder = open(Self.split(path).folder, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      _ = Self.synchronize(folder)
      close(folder)
    }
  }

  /// Writes `bytes` to `path`, whole or not at all.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes `text` to `path` as UTF-8, whole or not at all.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }
}

// MARK: - System calls

extension AtomicFile {
  private func flush() throws(FileError) {
    if buffer.isEmpty { return }
    try buffer.withUnsafeBufferPointer { piece throws(FileError) in
      try Self.writeAll(UnsafeRawBufferPointer(piece), descriptor, path)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32, _ path: String) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Linux writes at most 2 GiB at once.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      #if canImport(Darwin)
        let written = Darwin.write(descriptor, piece.baseAddress, piece.count)
      #elseif canImport(Musl)
        let written = Musl.write(descriptor, piece.baseAddress, piece.count)
      #else
        let written = Glibc.write(descriptor, piece.baseAddress, piece.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError.last("write", path)
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Waits until the disk has it. macOS needs more than `fsync` for that.
  private static func synchronize(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
      return fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0
    #else
      return fsync(descriptor) == 0
    #endif
  }

  /// The path behind a symbolic link; `path` itself where there is no file yet.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  private static let counter = Atomic<Int>(0)
  private static func nextNumber() -> Int { counter.add(1, ordering: .relaxed).newValue }

  /// Removes what a killed process has left of this file: temporary names whose process is gone and that are an hour old
  /// (a process on another machine that shares the folder looks gone from here).
  private static func removeLeftovers(of name: String, in folder: String) {
    for found in (try? Folder.names(in: folder)) ?? [] {
      guard found.hasPrefix(".\(name)."), found.hasSuffix(".tmp") else { continue }
      let middle = found.dropFirst(name.utf8.count + 2).prefix { $0.isNumber }
      guard let process = pid_t(middle), process != getpid(), kill(process, 0) != 0, errno == ESRCH else { continue }
      var status = stat()
      guard lstat("\(folder)/\(found)", &status) == 0 else { continue }
      #if canImport(Darwin)
        let modified = status.st_mtimespec.tv_sec
      #else
        let modified = status.st_mtim.tv_sec
      #endif
      if time(nil) - modified > 3600 { unlink("\(folder)/\(found)") }
    }
  }
}
