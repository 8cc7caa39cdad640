import ApusFormats

/// How far a download has come.
public struct DownloadProgress: Sendable {
  /// Called from time to time on the thread that asked for the data; the last call has `received == total`.
  public typealias Handler = (DownloadProgress) -> Void

  /// The name of the file.
  public let file: String
  /// Bytes so far.
  public let received: Int
  /// Bytes in all, where the server says.
  public let total: Int?
}

/// Brings a file from the first of several mirrors that has it. The file appears whole and verified, or not at all.
package struct Downloader: Sendable {
  /// Fetches what is at an address, calling `receive` with each piece and the size of the whole where that is known.
  package typealias Fetch =
    @Sendable (_ address: String, _ receive: (_ piece: UnsafeRawBufferPointer, _ total: Int?) throws -> Void) throws -> Void

  private let fetch: Fetch
  private let limit: Int

  /// - Parameter limit: a file of more bytes is an error: a mirror may send anything.
  package init(limit: Int = 1 << 30, fetch: @escaping Fetch = { try HTTP.fetch($0, $1) }) {
    self.fetch = fetch
    self.limit = limit
  }

  /// - Parameter mirrors: addresses of folders, tried in order.
  /// - Parameter path: where the file will stand; folders on the way are made when the first bytes have come.
  /// - Throws: `DataError` that names what went wrong at each mirror.
  package func download(
    _ name: String, from mirrors: [String], to path: String, digest: PublishedDigest, progress: DownloadProgress.Handler?
  ) throws(DataError) {
    var failures: [String] = []
    var kind = DataError.Kind.download
    for mirror in mirrors {
      do {
        try download(name, mirror + name, to: path, digest: digest, progress: progress)
        return
      } catch let error as DataError {
        // A folder that cannot be written is the same for every mirror.
        if error.kind == .unreadable { throw error }
        if error.kind == .checksum { kind = .checksum }
        failures.append("\(mirror): \(error.reason)")
      } catch {
        failures.append("\(mirror): \(error)")
      }
    }
    let reasons = failures.isEmpty ? "no mirrors are known" : failures.joined(separator: "; ")
    throw DataError(kind, path: name, reasons, advice: "check the network and try again")
  }

  private func download(
    _ name: String, _ address: String, to path: String, digest expected: PublishedDigest, progress: DownloadProgress.Handler?
  ) throws {
    var file: AtomicFile?
    var hash = RunningDigest(expected)
    var received = 0
    func open() throws(DataError) -> AtomicFile {
      if let file { return file }
      do throws(FileError) {
        try Folder.make(FileSystem.folder(of: path))
        let new = try AtomicFile(path)
        file = new
        return new
      } catch {
        throw DataError(
          .unreadable, path: path, "cannot be written: \(error.reason)", advice: "choose another folder with --data")
      }
    }
    try fetch(address) { piece, total in
      received += piece.count
      if received > limit { throw DataError(.size, path: name, "more than \(limit) bytes", advice: "") }
      let output = try open()
      do {
        hash.update(piece)
        try output.write(piece)
      } catch let error as FileError {
        throw DataError(error, advice: "choose another folder with --data")
      }
      progress?(DownloadProgress(file: name, received: received, total: total))
    }
    let digest = hash.digest()
    if digest != expected.text {
      throw DataError(
        .checksum, path: name,
        "the \(expected.name) of what it sent (\(received) bytes) is \(digest), expected is \(expected.text)", advice: "")
    }
    let output = try open()
    do throws(FileError) { try output.commit() } catch { throw DataError(error, advice: "choose another folder with --data") }
  }
}
