import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct CIFARTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var locator: DataLocator {
    DataLocator(folder: folder.path, environment: ["XDG_CACHE_HOME": folder.file("none")], allowsDownload: false)
  }

  /// Records with these labels; pixels are the record's number.
  private func records(_ labels: [[UInt8]], from first: Int = 0) -> [UInt8] {
    labels.enumerated().flatMap { $1 + [UInt8](repeating: UInt8($0 + first), count: 3072) }
  }

  @Test("the binary files of CIFAR-10, in their order")
  func ten() throws {
    for i in 1...5 { try folder.write(records([[UInt8(i)], [9]], from: i), "cifar-10-batches-bin/data_batch_\(i).bin") }
    try folder.write(records([[3]]), "cifar-10-batches-bin/test_batch.bin")
    let train = try CIFAR.load(.train, from: locator)
    #expect(train.count == 10 && train.shape == [3, 32, 32] && train.labels == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9])
    #expect(train.pixels[2 * 3072] == 2 && train.classNames[9] == "truck")
    #expect(try CIFAR.load(.test, from: locator).labels == [3])
    try folder.write([1, 2, 3], "cifar-10-batches-bin/test_batch.bin")
    #expect(dataError { _ = try CIFAR.load(.test, from: locator) }?.kind == .size)
    try folder.write(records([[10]]), "cifar-10-batches-bin/test_batch.bin")
    #expect(dataError { _ = try CIFAR.load(.test, from: locator) }?.kind == .labels)
  }

  @Test("CIFAR-100 has its fine labels")
  func hundred() throws {
    try folder.write(records([[7, 99], [0, 42]]), "cifar-100-binary/train.bin")
    let set = try CIFAR.load(.train, variant: .hundred, from: locator)
    #expect(set.labels == [99, 42] && set.classNames.count == 100 && set.classNames[99] == "worm")
    #expect(set.classNames == set.classNames.sorted())
  }

  @Test("an archive is verified before it is unpacked, and the Python version is named")
  func archives() throws {
    try folder.write(gzip([0]), "cifar-10-binary.tar.gz")
    let checksum = dataError { _ = try CIFAR.load(.test, from: locator) }
    #expect(checksum?.kind == .checksum)
    #expect(checksum?.reason.contains("c32a1d4ab5d03f1284b67883e8d87530") == true)
    try folder.write([1], "cifar-100-python.tar.gz")
    let python = dataError { _ = try CIFAR.load(.test, variant: .hundred, from: locator) }
    #expect(python?.kind == .unsupported)
    #expect(
      python?.advice == "put cifar-100-binary.tar.gz from https://www.cs.toronto.edu/~kriz/ beside it")
    try folder.write([], "empty/x")
    let empty = DataLocator(folder: folder.file("empty"), environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false)
    #expect(dataError { _ = try CIFAR.load(.test, from: empty) }?.kind == .missing)
  }

  @Test("tar: names, long names, folders, extended headers; every cut is an error")
  func tar() throws {
    let archive =
      entry("a/b.bin", Array(1...200)) + entry("d/", [], kind: "5") + entry("pax", Array("11 x=y\n".utf8), kind: "x")
      + entry("@LongLink", Array(String(repeating: "n", count: 300).utf8) + [0], kind: "L") + entry("short", [7])
      + [UInt8](repeating: 0, count: 1024)
    func entries(_ bytes: [UInt8]) throws -> [(String, [UInt8])] {
      var offset = 0
      var reader = TarReader(path: "x.tar") { buffer throws(DataError) in
        let count = min(buffer.count, bytes.count - offset)
        buffer.copyBytes(from: bytes[offset..<offset + count])
        offset += count
        return count
      }
      var result: [(String, [UInt8])] = []
      while let entry = try reader.next() { result.append((entry.name, entry.isFile ? try reader.content() : [])) }
      return result
    }
    let all = try entries(archive)
    #expect(all.map(\.0) == ["a/b.bin", "d/", String(repeating: "n", count: 300)])
    #expect(all.map(\.1) == [Array(1...200), [], [7]])
    for count in stride(from: 0, to: archive.count - 1024, by: 37) {
      #expect(dataError { _ = try entries(Array(archive.prefix(count))) }?.kind == .corrupt, "\(count)")
    }
    // Up to the end of the checksum's digits.
    for i in 0..<154 {
      var changed = archive
      changed[i] ^= 1
      #expect(throws: DataError.self, "byte \(i)") { try entries(changed) }
    }
  }

  @Test("an archive's files are found wherever they stand in it")
  func unpacked() throws {
    let (one, two) = (records([[1]]), records([[2], [3]], from: 1))
    let tar =
      entry("x/", [], kind: "5") + entry("x/two.bin", two) + entry("x/readme", [1]) + entry("x/one.bin", one)
      + [UInt8](repeating: 0, count: 1024)
    let bytes = gzip(tar)
    let path = try folder.write(bytes, "x.tar.gz")
    let format = CIFARFormat(.ten, digest: .md5(bytes.withUnsafeBytes { PublishedDigest.md5("").digest(of: $0) }))
    #expect(try format.read(["one.bin", "two.bin"], inArchive: path) == [one, two])
    #expect(dataError { _ = try format.read(["three.bin"], inArchive: path) }?.reason == "no file three.bin in it")
    #expect(dataError { _ = try CIFARFormat(.ten).read(["one.bin"], inArchive: path) }?.kind == .checksum)
  }

  @Test("what is missing is downloaded to the set's first folder, if its digest is right")
  func download() throws {
    let content = Array("content".utf8)
    let downloader = Downloader { _, receive in try content.withUnsafeBytes { try receive($0, content.count) } }
    let locator = DataLocator(folder: folder.path, environment: ["XDG_CACHE_HOME": "/nonexistent"], downloader: downloader)
    let set = DataFileSet(title: "Set", folders: ["sub", ""], mirrors: ["http://a/"])
    // hashlib.md5(b"content").hexdigest()
    let file = PublishedFile(name: "f", digest: .md5("9a0364b9e99bb480dd25e1f0284c8555"), set: set)
    #expect(locator.find(["f"], of: set) == nil)
    #expect(try locator.download(file, progress: nil) == folder.file("sub/f"))
    #expect(locator.find(["g", "f"], of: set) == folder.file("sub/f") && folder.contents == ["sub", "sub/f"])
    let other = PublishedFile(name: "g", digest: .sha256("0"), set: set)
    #expect(dataError { _ = try locator.download(other, progress: nil) }?.kind == .checksum)
    #expect(folder.contents == ["sub", "sub/f"])
  }

  private func entry(_ name: String, _ content: [UInt8], kind: Character = "0") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) { header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(name, at: 0)
    put(octal(content.count, 11), at: 124)
    put("        ", at: 148)
    put(String(kind), at: 156)
    put("ustar", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  @Test("MD5 of RFC 1321's examples and of long inputs in pieces")
  func md5() {
    func md5(_ text: String) -> String { Array(text.utf8).withUnsafeBytes { PublishedDigest.md5("").digest(of: $0) } }
    #expect(md5("") == "d41d8cd98f00b204e9800998ecf8427e" && md5("abc") == "900150983cd24fb0d6963f7d28e17f72")
    #expect(
      md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890")
        == "57edf4a22be3c955ac49da2e2107b67a")
    // hashlib.md5(b"a" * n).hexdigest()
    #expect(md5(String(repeating: "a", count: 55)) == "ef1772b6dff9a122358552954ad0df65")
    #expect(md5(String(repeating: "a", count: 56)) == "3b0c8ac703f828b04c6c197006d17218")
    #expect(md5(String(repeating: "a", count: 1000)) == "cabe45dcc9ae5b66ba86600cca6b8ba8")
  }

  @Test("the real CIFAR-10", .enabled(if: realCIFAR != nil))
  func real() throws {
    let locator = DataLocator(folder: realCIFAR, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false)
    let (train, test) = (try CIFAR.load(.train, from: locator), try CIFAR.load(.test, from: locator))
    #expect(train.count == 50_000 && test.count == 10_000)
    for label in 0..<10 { #expect(train.labels.count { $0 == label } == 5000) }
    for (channel, expected) in CIFAR.Variant.ten.mean.enumerated() {
      var sum = 0
      // Seven pictures on, so that all classes take part: some copies have them in turns.
      let pictures = stride(from: 0, to: 49_000, by: 7)
      for i in pictures {
        for pixel in train.pixels[i * 3072 + channel * 1024..<i * 3072 + (channel + 1) * 1024] { sum += Int(pixel) }
      }
      #expect(abs(Double(sum) / (7000 * 1024 * 255) - Double(expected)) < 0.01)
    }
  }
}

private let realCIFAR: String? = (ProcessInfo.processInfo.environment["APUS_DATA"] ?? "").split(separator: ":").map(String.init)
  .first { FileManager.default.fileExists(atPath: $0 + "/cifar-10-batches-bin/test_batch.bin") }
