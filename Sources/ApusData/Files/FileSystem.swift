import ApusFormats

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

  /// The names in a folder, in alphabetical order; without hidden ones.
  static func names(in path: String) throws(FileError) -> [String] {
    guard let folder = opendir(path) else { throw FileError.last("list", path) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a folder, and those on the way to it, where they aren't there.
  static func makeFolder(_ path: String) throws(FileError) {
    if path.isEmpty || isFolder(path) { return }
    try makeFolder(folder(of: path))
    if mkdir(path, 0o777) != 0, errno != EEXIST || !isFolder(path) { throw FileError.last("make a folder", path) }
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
