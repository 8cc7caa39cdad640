import ApusData
import ApusFormats
import Foundation
import TestSupport
import Testing

@Suite struct DownloaderTests {
  let folder: TemporaryFolder
  let content = Array("the content".utf8)

  init() throws { folder = try TemporaryFolder() }

  private struct Refused: Error, CustomStringConvertible { let description = "refused" }

  /// Answers by host: what it sends, in pieces, and whether the connection breaks afterwards.
  private func downloader(_ hosts: [String: (pieces: [String], breaks: Bool)], limit: Int = 1000) -> Downloader {
    Downloader(limit: limit) { address, receive in
      guard let host = URL(string: address)?.host, let answer = hosts[host] else { throw Refused() }
      let total = answer.pieces.map(\.utf8.count).reduce(0, +)
      for piece in answer.pieces { try Array(piece.utf8).withUnsafeBytes { try receive($0, total) } }
      if answer.breaks { throw Refused() }
    }
  }

  private func download(
    _ downloader: Downloader, _ mirrors: [String], progress: DownloadProgress.Handler? = nil
  ) throws {
    try downloader.download(
      "f.gz", from: mirrors, to: folder.file("set/raw/f.gz"), digest: .sha256(SHA256.digest(of: content).description),
      progress: progress)
  }

  @Test("a download appears under its name, whole, and reports its progress")
  func success() throws {
    var steps: [(Int, Int?)] = []
    try download(downloader(["a": (["the ", "content"], false)]), ["http://a/x/"]) { steps.append(($0.received, $0.total)) }
    #expect(folder.contents == ["set", "set/raw", "set/raw/f.gz"])
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("set/raw/f.gz")))) == content)
    #expect(steps.map(\.0) == [4, 11] && steps.allSatisfy { $0.1 == 11 })
  }

  @Test("the next mirror is tried when one refuses, breaks off or sends something else")
  func mirrors() throws {
    let hosts = [
      "breaks": (["the "], true), "other": (["<html>"], false), "long": (["the content", " and more"], false),
      "good": (["the content"], false),
    ]
    try download(downloader(hosts), ["http://absent/", "http://breaks/", "http://other/", "http://long/", "http://good/"])
    #expect(folder.contents == ["set", "set/raw", "set/raw/f.gz"])
  }

  @Test("where all fail, each is named with its reason, and no file is left")
  func failure() throws {
    let hosts = ["breaks": (["the "], true), "other": (["something else"], false)]
    let error = dataError { try download(downloader(hosts), ["http://absent/", "http://breaks/", "http://other/"]) }
    #expect(error?.kind == .checksum)
    #expect(
      error?.reason.hasPrefix("http://absent/: refused; http://breaks/: refused; http://other/: the SHA-256 of what it sent")
        == true)
    #expect(error?.reason.contains(SHA256.digest(of: content).description) == true)
    #expect(error?.reason.contains(SHA256.digest(of: Array("something else".utf8)).description) == true)
    #expect(!folder.contents.contains { $0.contains("f.gz") })
    #expect(dataError { try download(downloader([:]), ["http://absent/"]) }?.kind == .download)
    #expect(dataError { try download(downloader([:]), []) }?.kind == .download)
  }

  @Test("an old file stays until a new one is whole")
  func oldFile() throws {
    try folder.write([1, 2, 3], "set/raw/f.gz")
    #expect(dataError { try download(downloader(["a": (["the "], true)]), ["http://a/"]) } != nil)
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("set/raw/f.gz")))) == [1, 2, 3])
    #expect(folder.contents == ["set", "set/raw", "set/raw/f.gz"])
  }

  @Test("a server that sends without end is stopped")
  func limit() throws {
    let endless = Downloader(limit: 100) { _, receive in
      while true { try [UInt8](repeating: 0, count: 60).withUnsafeBytes { try receive($0, nil) } }
    }
    let error = dataError { try download(endless, ["http://a/"]) }
    #expect(error?.reason == "http://a/: more than 100 bytes")
    #expect(!folder.contents.contains { $0.contains("f.gz") })
  }

  @Test("a folder that cannot be made is an error at once")
  func unwritable() throws {
    try folder.write([], "set")
    let error = dataError { try download(downloader(["a": (["the content"], false)]), ["http://a/", "http://a/"]) }
    #expect(error?.kind == .unreadable)
    #expect(error?.path == folder.file("set/raw/f.gz"))
  }

  @Test("no network: the system's own loader fails with a reason, and leaves nothing")
  func network() throws {
    // Nothing listens on port 1.
    let error = dataError { try download(Downloader(), ["http://127.0.0.1:1/"]) }
    #expect(error?.kind == .download)
    #expect(error?.reason.hasPrefix("http://127.0.0.1:1/: ") == true)
    #expect(folder.contents == [])
  }
}
