#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What is asked of folders.
enum FileSystem {
  static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

  /// Whether there is something else than a folder.
  static func isFile(_ path: String) -> Bool { kind(path).map { $0 != S_IFDIR } ?? false }

  private static func kind(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// The folder that a path is in; empty for a name alone.
  static func folder(of path: String) -> String {
    var path = path[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? (path.count == 1 ? "" : "/") : String(path[..<slash])
  }

  /// The user's folder, by the system's list of users.
  static var home: String { getpwuid(getuid())?.pointee.pw_dir.map { String(cString: $0) } ?? "/" }
}
