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
  /// The same as a table, where it was asked for.
  public var csv: String { path + "/metrics.csv" }
  /// The folder of the event files for TensorBoard, where they were asked for.
  public var events: String { path + "/events" }
  /// The picture of the loss curve.
  public var lossCurve: String { path + "/loss.svg" }
  /// The folder of all pictures.
  public var pictures: String { path + "/pictures" }
  /// The run on one page.
  public var report: String { path + "/report.html" }

  /// What each op cost, as a table, and every call along a line of time, where that was asked for.
  public var profile: String { path + "/profile.txt" }
  public var trace: String { path + "/trace.json" }

  /// Removes the event files that an earlier run has left.
  public func removeEvents() {
    for name in (try? Folder.names(in: events)) ?? [] where name.hasPrefix(EventFile.prefix) { unlink("\(events)/\(name)") }
  }

  /// Makes the folder, and those on the way to it, where they are missing.
  public func create() throws(FileError) { try Folder.make(path) }
}
