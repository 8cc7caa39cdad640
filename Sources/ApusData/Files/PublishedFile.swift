import ApusFormats

/// A file that is published as it is wanted: a text, an archive.
package struct PublishedFile: Sendable {
  package let name: String
  package let digest: PublishedDigest
  package let set: DataFileSet

  package init(name: String, digest: PublishedDigest, set: DataFileSet) {
    self.name = name
    self.digest = digest
    self.set = set
  }
}

extension DataLocator {
  /// The first file that is one of `names` in one of `set`'s folders.
  package func find(_ names: [String], of set: DataFileSet) -> String? {
    for folder in folders {
      for sub in set.folders {
        for name in names {
          let path = (sub.isEmpty ? folder : "\(folder)/\(sub)") + "/" + name
          if FileSystem.isFile(path) { return path }
        }
      }
    }
    return nil
  }

  /// Downloads `file` to the first of its set's folders.
  ///
  /// - Returns: its path.
  /// - Throws: `DataError` that says where it was looked for, and what to do.
  package func download(_ file: PublishedFile, progress: DownloadProgress.Handler?) throws(DataError) -> String {
    let sub = file.set.folders[0]
    let folder = sub.isEmpty ? downloadFolder : "\(downloadFolder)/\(sub)"
    let places = folders.map { printable($0) }.joined(separator: ", ")
    let advice = "put \(file.name) into \(printable(folder)), or name the folder that has it with --data or APUS_DATA"
    guard allowsDownload else {
      throw DataError(.missing, path: "\(file.set.title): \(file.name)", "not found in \(places)", advice: advice)
    }
    let path = "\(folder)/\(file.name)"
    do throws(DataError) {
      try downloader.download(file.name, from: file.set.mirrors, to: path, digest: file.digest, progress: progress)
    } catch {
      throw DataError(
        error.kind, path: "\(file.set.title): \(file.name)",
        "not found in \(places), and it could not be downloaded: \(printable(error.path)): \(error.reason)", advice: advice)
    }
    return path
  }
}
