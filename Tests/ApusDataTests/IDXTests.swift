import ApusData
import TestSupport
import Testing

@Suite struct IDXTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> IDX {
    try IDX.read(folder.write(bytes, "file"), limit: limit)
  }

  private func refusal(_ bytes: [UInt8], limit: Int = 1 << 20) -> DataError.Kind? {
    dataError { _ = try read(bytes, limit: limit) }?.kind
  }

  @Test("plain and gzip files give the same")
  func forms() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let file = idx([20, 100, 100], bytes)
    let (plain, packed) = (try read(file), try read(gzip(file)))
    #expect(plain.shape == [20, 100, 100] && packed.shape == plain.shape)
    #expect(plain.bytes == bytes && packed.bytes == bytes)
    #expect(plain.digest == packed.digest)
    // Two members in a row are one stream.
    let members = gzip(Array(file[..<777])) + gzip(Array(file[777...]))
    #expect(try read(members).bytes == bytes)
  }

  @Test("empty arrays are arrays")
  func empty() throws {
    #expect(try read(idx([0], [])).bytes == [])
    #expect(try read(gzip(idx([3, 0], []))).shape == [3, 0])
  }

  @Test("wrong magic numbers", arguments: [false, true])
  func magic(packed: Bool) {
    func refusal(_ magic: [UInt8]) -> DataError.Kind? {
      let file = idx([2], [1, 2], magic: magic)
      return self.refusal(packed ? gzip(file) : file)
    }
    #expect(refusal([0, 0, 8, 1]) == nil)
    #expect(refusal([1, 0, 8, 1]) == .format)
    #expect(refusal([0, 1, 8, 1]) == .format)
    #expect(refusal([0, 0, 8, 0]) == .format)
    // Floats and other types have IDX numbers of their own.
    for type in [0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF] as [UInt8] { #expect(refusal([0, 0, type, 1]) == .format) }
    #expect(self.refusal(packed ? gzip(Array("<!DOCTYPE html>".utf8)) : Array("<!DOCTYPE html>".utf8)) == .format)
  }

  @Test("a file cut anywhere is an error, and so is one that goes on")
  func cuts() {
    let file = idx([2, 3], [1, 2, 3, 4, 5, 6])
    let packed = gzip(file)
    for count in 0..<file.count { #expect(refusal(Array(file[..<count])) == .size, "cut to \(count)") }
    for count in 2..<packed.count { #expect(refusal(Array(packed[..<count])) == .corrupt, "cut to \(count)") }
    #expect(refusal(file + [0]) == .size)
    #expect(refusal(gzip(file + [0])) == .size)
    #expect(refusal(gzip(file) + gzip([7])) == .size)
    #expect(refusal(gzip(file) + [7]) == .corrupt)
  }

  @Test("every flipped bit of a gzip file's content is noticed")
  func flips() {
    let file = gzip(idx([2, 3], [1, 2, 3, 4, 5, 6]))
    // Bytes 4 to 9 of the gzip header are the time and the system; five bits of byte 10 fill up a byte. They mean nothing.
    for i in Array(0..<3) + Array(10..<file.count) {
      for bit in 0..<(i == 10 ? 3 : 8) {
        var damaged = file
        damaged[i] ^= 1 << bit
        #expect(refusal(damaged) != nil, "bit \(bit) of byte \(i)")
      }
    }
  }

  @Test("a header that promises too much is refused before memory is asked for")
  func hostileHeaders() {
    let huge = Int(UInt32.max)
    #expect(refusal(idx([huge, huge, huge], [1])) == .size)
    #expect(refusal(idx([Int](repeating: huge, count: 255), [1])) == .size)
    #expect(refusal(gzip(idx([huge, huge, huge], [1]))) == .size)
    #expect(refusal(idx([huge], [1]), limit: .max) == .size)
    #expect(refusal(gzip(idx([huge], [1])), limit: .max) == .size)
    // The limit itself.
    let bytes = [UInt8](repeating: 1, count: 100)
    #expect(refusal(idx([100], bytes), limit: 100) == nil)
    #expect(refusal(idx([100], bytes), limit: 99) == .size)
    // A size of 0 makes no others good.
    #expect(refusal(idx([0, huge, huge, huge], [])) == .size)
  }

  @Test("errors name the file, the reason and a way out")
  func messages() throws {
    let path = try folder.write(idx([5], [1, 2]), "labels")
    #expect(
      dataError { _ = try IDX.read(path) }?.description
        == "\(path): cut short: 2 of the 5 bytes of its elements; "
        + "remove the file to have it downloaded again, or put an intact copy there"
    )
    let missing = dataError { _ = try IDX.read(folder.file("nothing")) }
    #expect(missing?.kind == .missing)
    #expect(missing?.description.contains("nothing: cannot open: No such file or directory") == true)
    #expect(dataError { _ = try IDX.read(folder.path) }?.kind == .unreadable)
  }
}
