/// A file of a published data set: what it is called, where it is found, and how to know it.
package struct DataFile: Sendable {
  /// The name of the uncompressed file.
  package let name: String
  /// Of the published gzip file.
  package let archiveDigest: PublishedDigest
  /// SHA-256 of the uncompressed file, where it is known: a copy that was compressed anew has another archive digest.
  package let contentDigest: String?
  /// Pictures or labels in it.
  package let count: Int
  package let set: DataFileSet

  /// The names under which copies are found. The archive comes first: its digest is always known.
  package var names: [String] {
    // Some programs unpack `train-images-idx3-ubyte` as `train-images.idx3-ubyte`.
    let dotted = name.replacing("-idx", with: ".idx")
    return [archiveName, name, dotted + ".gz", dotted]
  }

  package var archiveName: String { name + ".gz" }
}

/// What the files of one data set have in common.
package struct DataFileSet: Sendable {
  package let title: String
  /// Folders below a data folder; the first is torchvision's, where downloads go. The empty name is the data folder itself.
  package let folders: [String]
  /// Addresses of folders, with a slash at the end.
  package let mirrors: [String]

  package init(title: String, folders: [String], mirrors: [String]) {
    self.title = title
    self.folders = folders
    self.mirrors = mirrors
  }
}

extension DataFile {
  /// Makes sure that `idx`, found at `path`, is the published file.
  ///
  /// An archive with the published name claims to be the published one. A plain file with another number of entries is
  /// one's own data in the same format, and welcome. Call this after other checks: they say more about what is wrong.
  package func verify(_ idx: IDX, at path: String) throws(DataError) {
    guard let contentDigest, path.hasSuffix(".gz") || idx.shape.first == count else { return }
    let digest = idx.digest.description
    if digest == contentDigest { return }
    throw DataError(
      .checksum, path: path,
      "not \(set.title)'s \(name): the SHA-256 of its content is \(digest), of the published one \(contentDigest)",
      advice: DataError.replaceAdvice)
  }
}
