import ApusFormats

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The folder that a training run leaves behind, and the names in it.
public struct RunFolder: Hashable, Sendable {
  public let path: String

  public init(_ path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// One JSON object per epoch and split.
  public var metrics: String { path + "/metrics.jsonl" }
  /// Every option as it was used.
  public var config: String { path + "/config.json" }
  /// What `--resume` goes on from.
  public var checkpoints: String { path + "/checkpoints" }
  /// The parameters, under PyTorch's names.
  public var model: String { path + "/model.safetensors" }
  /// The picture of the loss curve.
  public var lossCurve: String { path + "/loss.svg" }

  /// Makes the folder, and those on the way to it, where they are missing.
  public func create() throws(FileError) {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      let part = String(path[..<end])
      if mkdir(part, 0o777) == 0 { continue }
      let code = errno
      // A folder that is there may also report that it cannot be made (read-only disks do).
      var status = stat()
      if stat(part, &status) == 0 {
        if status.st_mode & S_IFMT == S_IFDIR { continue }
        throw FileError(path: part, operation: "make a folder of it", code: ENOTDIR)
      }
      throw FileError(path: part, operation: "create the folder", code: code)
    }
  }
}
