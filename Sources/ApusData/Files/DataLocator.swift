import ApusCore
import ApusFormats

/// Where data sets are looked for, in order, and where they are downloaded to.
///
/// 1. the folder that was asked for (`--data`); 2. the folders in `APUS_DATA` (separated by colons); 3. the user's cache:
/// `$XDG_CACHE_HOME/apus`, else `~/.cache/apus`. What is in none of them is downloaded, to the first or else to the cache, in
/// torchvision's layout. Copies that torchvision made are found in each.
public struct DataLocator: Sendable {
  /// The folders, in the order in which they are searched.
  public let folders: [String]
  /// The folder that downloads go to.
  public let downloadFolder: String
  public let allowsDownload: Bool
  package let downloader: Downloader

  /// - Parameter folder: the folder to look in first, and to download to.
  /// - Parameter environment: variables to use in place of the process's own.
  /// - Parameter allowsDownload: whether the network may be used.
  public init(folder: String? = nil, environment: [String: String]? = nil, allowsDownload: Bool = true) {
    self.init(folder: folder, environment: environment, allowsDownload: allowsDownload, downloader: Downloader())
  }

  package init(folder: String?, environment: [String: String]?, allowsDownload: Bool = true, downloader: Downloader) {
    func variable(_ name: String) -> String? { environment.map { $0[name] } ?? ApusCore.environment(name) }
    let home = variable("HOME").flatMap { $0.isEmpty ? nil : $0 } ?? FileSystem.home
    // An XDG path that isn't absolute must be ignored, says its specification.
    let base = variable("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.cache"
    let cache = base + "/apus"
    let asked = folder.map { [Self.expanded($0, home)] } ?? []
    let listed = (variable("APUS_DATA") ?? "").split(separator: ":").map { Self.expanded(String($0), home) }
    folders = asked + listed + [cache]
    downloadFolder = asked.first ?? cache
    self.allowsDownload = allowsDownload
    self.downloader = downloader
  }

  /// `path` with a leading `~` replaced (a shell leaves it in `--data=~/x`) and without a slash at its end.
  private static func expanded(_ path: String, _ home: String) -> String {
    var path = path == "~" || path.hasPrefix("~/") ? home + path.dropFirst() : path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}

extension DataLocator {
  /// The first copy of `file`, or nil.
  package func find(_ file: DataFile) -> String? {
    find(file.names, of: file.set)
  }

  /// The path of a copy of `file`; downloads it where there is none.
  ///
  /// - Throws: `DataError` that says where it was looked for, and what to do.
  package func locate(_ file: DataFile, progress: DownloadProgress.Handler?) throws(DataError) -> String {
    if let path = find(file) { return path }
    let folder = "\(downloadFolder)/\(file.set.folders[0])"
    let places = folders.map { printable($0) }.joined(separator: ", ")
    let advice = """
      put \(file.archiveName) into \(printable(folder)), or name the folder that has it with --data or APUS_DATA; \
      --data synthetic takes the built-in digits instead
      """
    guard allowsDownload else {
      throw DataError(.missing, path: "\(file.set.title): \(file.archiveName)", "not found in \(places)", advice: advice)
    }
    let path = "\(folder)/\(file.archiveName)"
    do throws(DataError) {
      try downloader.download(file.archiveName, from: file.set.mirrors, to: path, digest: file.archiveDigest, progress: progress)
    } catch {
      throw DataError(
        error.kind, path: "\(file.set.title): \(file.archiveName)",
        "not found in \(places), and it could not be downloaded: \(printable(error.path)): \(error.reason)", advice: advice)
    }
    return path
  }
}
