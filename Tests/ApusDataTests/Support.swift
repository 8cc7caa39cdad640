import ApusData
import ApusFormats
import Foundation

/// A gzip file that holds `content` uncompressed: the simplest writer that every reader must accept.
func gzip(_ content: [UInt8]) -> [UInt8] {
  var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var rest = content[...]
  repeat {
    let block = rest.prefix(65535)
    rest = rest.dropFirst(block.count)
    let count = UInt16(block.count)
    result += [rest.isEmpty ? 1 : 0] + littleEndian(count) + littleEndian(~count) + block
  } while !rest.isEmpty
  return result + littleEndian(crc32(content)) + littleEndian(UInt32(truncatingIfNeeded: content.count))
}

/// An IDX file: `shape` in the header, then `bytes`.
func idx(_ shape: [Int], _ bytes: [UInt8], magic: [UInt8]? = nil) -> [UInt8] {
  (magic ?? [0, 0, 8, UInt8(shape.count)]) + shape.flatMap { bigEndian(UInt32($0)) } + bytes
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
private func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { c, _ in c & 1 == 1 ? c >> 1 ^ 0xEDB8_8320 : c >> 1 }
  }
}

/// The folder with the real data sets, or nil: `APUS_DATA`, or `shared/data` beside the package.
let realData: String? = {
  let beside = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../shared/data").standardizedFileURL.path
  let folders = [ProcessInfo.processInfo.environment["APUS_DATA"], beside].compactMap { $0 }
  let found = folders.first { folder in
    DataLocator(folder: folder, environment: ["XDG_CACHE_HOME": "/nonexistent"]).find(MNIST.files(.train, .digits).images) != nil
  }
  if found == nil { print("SKIPPED: tests with the real MNIST; it is in none of \(folders.joined(separator: ", "))") }
  return found
}()

/// The error that `body` throws.
func dataError(_ body: () throws -> Void) -> DataError? {
  do {
    try body()
    return nil
  } catch {
    return error as? DataError
  }
}
