#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What is asked of the system about folders.
package enum Folder {
  /// The names in a folder, as the system lists them, hidden ones and `.` and `..` among them.
  package static func names(in path: String) throws(FileError) -> [String] {
    guard let stream = opendir(path) else { throw FileError.last("list", path) }
    defer { closedir(stream) }
    // A name is read where it is: the record ends with it, long before the 256 bytes of its type.
    let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(String(cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)))
    }
    return names
  }

  /// Makes the folder, and those on the way to it, where they are missing.
  package static func make(_ path: String) throws(FileError) {
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
