import ApusFormats

/// A million characters of Shakespeare's plays (Karpathy's selection), the usual small corpus for language models.
public enum TinyShakespeare {
  /// The text: 1,115,394 characters, 65 of them different, all ASCII.
  ///
  /// - Parameter locator: where the file is looked for; what is missing is downloaded.
  /// - Parameter progress: called while something is downloaded.
  /// - Throws: `DataError`: a file that cannot be had, or isn't the published one.
  public static func load(
    from locator: DataLocator = DataLocator(), progress: DownloadProgress.Handler? = nil
  ) throws -> String {
    let path = try locator.find(names, of: set) ?? locator.download(file, progress: progress)
    let mapped: MappedFile
    do throws(FileError) { mapped = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(mapped) {} }
    let digest = file.digest.digest(of: mapped.bytes)
    guard digest == file.digest.text else {
      throw DataError(
        .checksum, path: path, "not the published text: its SHA-256 is \(digest), expected is \(file.digest.text)",
        advice: DataError.replaceAdvice)
    }
    return String(decoding: mapped.bytes, as: UTF8.self)
  }

  /// Where a copy was found, for lists.
  package static func location(_ locator: DataLocator) -> String? { locator.find(names, of: set) }

  private static let names = ["tinyshakespeare.txt", "input.txt"]

  package static let file = PublishedFile(
    name: "input.txt", digest: .sha256("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"), set: set)

  private static let set = DataFileSet(
    title: "Tiny Shakespeare", folders: ["tinyshakespeare", "text", "shakespeare"],
    mirrors: ["https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"])
}
