import CZlib

/// Reads one PNG file from memory.
struct PNGDecoder {
  struct Picture {
    let pixels: [UInt8]  // [height, width, channels]
    let width: Int
    let height: Int
    let channels: Int
  }

  private struct Header {
    let width: Int
    let height: Int
    /// 1, 2, 3 or 4; a palette's indices are one.
    let channels: Int
    let isPalette: Bool
  }

  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var position = 8

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  mutating func decode() throws(DataError) -> Picture {
    guard bytes.count >= 8, bytes.prefix(8).elementsEqual(PNGFormat.signature) else {
      throw error(.format, "not a PNG file")
    }
    let first = try chunk()
    guard first.name == "IHDR" else { throw error(.format, "its first chunk is \(first.name), not IHDR") }
    let header = try header(first.content)
    var (palette, packed) = ([UInt8](), [UInt8]())
    var hasTransparency = false
    while true {
      let chunk = try chunk()
      switch chunk.name {
      case "PLTE": palette = Array(chunk.content)
      case "IDAT": packed.append(contentsOf: chunk.content)
      case "tRNS": hasTransparency = true
      case "IEND": return try picture(header, packed, palette, hasTransparency)
      default:
        // A capital first letter: nobody may show the picture who doesn't understand the chunk.
        if chunk.name.first?.isUppercase == true { throw error(.unsupported, "a chunk \(chunk.name) that isn't known") }
      }
    }
  }

  /// The next chunk, its checksum verified.
  private mutating func chunk() throws(DataError) -> (name: String, content: UnsafeRawBufferPointer) {
    guard bytes.count - position >= 12 else { throw error(.corrupt, "cut short: it ends at byte \(position) without IEND") }
    let length = Int(integer(at: position))
    guard length <= bytes.count - position - 12 else {
      throw error(.corrupt, "the chunk at byte \(position) says \(length) bytes, more than are left")
    }
    let body = UnsafeRawBufferPointer(rebasing: bytes[position + 4..<position + 8 + length])
    guard body.prefix(4).allSatisfy({ (65...90).contains($0) || (97...122).contains($0) }) else {
      throw error(.corrupt, "the chunk at byte \(position) has no name")
    }
    let name = String(decoding: body.prefix(4), as: UTF8.self)
    guard PNGFormat.checksum(body) == integer(at: position + 8 + length) else {
      throw error(.corrupt, "chunk \(name) at byte \(position) is damaged: its CRC-32 differs")
    }
    position += 12 + length
    return (name, UnsafeRawBufferPointer(rebasing: body.dropFirst(4)))
  }

  private func integer(at position: Int) -> UInt32 {
    bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func header(_ content: UnsafeRawBufferPointer) throws(DataError) -> Header {
    guard content.count == 13 else { throw error(.format, "a header of \(content.count) bytes instead of 13") }
    func size(_ offset: Int) -> Int { content[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    let (width, height) = (size(0), size(4))
    guard width > 0, height > 0, width < 1 << 31, height < 1 << 31, width * height <= PNG.maximumPixelCount else {
      throw error(.size, "its header asks for \(width)×\(height) pixels; the limit is \(PNG.maximumPixelCount) in all")
    }
    guard let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][content[9]] else {
      throw error(.format, "its header names a colour type \(content[9]) that doesn't exist")
    }
    guard content[8] == 8 else { throw error(.unsupported, "\(content[8]) bits per channel; only 8 are read") }
    guard content[10] == 0, content[11] == 0 else { throw error(.format, "its header names a method that doesn't exist") }
    guard content[12] == 0 else { throw error(.unsupported, "it is interlaced") }
    return Header(width: width, height: height, channels: channels, isPalette: content[9] == 3)
  }

  private func picture(
    _ header: Header, _ packed: [UInt8], _ palette: [UInt8], _ hasTransparency: Bool
  ) throws(DataError) -> Picture {
    if hasTransparency { throw error(.unsupported, "transparency by a chunk tRNS") }
    let line = header.width * header.channels
    let lines = try inflated(packed, count: header.height * (line + 1))
    let pixels = try unfiltered(lines, line: line, height: header.height, channels: header.channels)
    guard header.isPalette else {
      return Picture(pixels: pixels, width: header.width, height: header.height, channels: header.channels)
    }
    guard palette.count % 3 == 0, let largest = pixels.max(), (Int(largest) + 1) * 3 <= palette.count else {
      throw error(.corrupt, "pixels of colours that its palette of \(palette.count / 3) doesn't have")
    }
    let colors = pixels.flatMap { palette[3 * Int($0)..<3 * Int($0) + 3] }
    return Picture(pixels: colors, width: header.width, height: header.height, channels: 3)
  }

  /// Exactly `count` bytes out of `packed`.
  private func inflated(_ packed: [UInt8], count: Int) throws(DataError) -> [UInt8] {
    // Nothing is allocated that so few bytes cannot hold.
    guard count <= (packed.count + 16) * GzipStream.maximumRatio else {
      throw error(.corrupt, "cut short: \(packed.count) compressed bytes cannot hold \(count)")
    }
    var produced = uLong(count)
    var status = Z_OK
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      status = uncompress(buffer.baseAddress, &produced, packed, uLong(packed.count))
      initialized = status == Z_OK ? Int(produced) : 0
    }
    if status == Z_BUF_ERROR && !packed.isEmpty { throw error(.corrupt, "more or fewer pixels than its header says") }
    guard status == Z_OK, result.count == count else { throw error(.corrupt, "the compressed pixels are damaged or cut short") }
    return result
  }

  private func unfiltered(_ lines: [UInt8], line: Int, height: Int, channels: Int) throws(DataError) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: line * height)
    for row in 0..<height {
      let from = row * (line + 1)
      guard let filter = PNGFormat.Filter(rawValue: lines[from]) else {
        throw error(.corrupt, "line \(row) has a filter \(lines[from]) that doesn't exist")
      }
      let to = row * line
      for i in 0..<line {
        let left = i >= channels ? pixels[to + i - channels] : 0
        let above = row > 0 ? pixels[to + i - line] : 0
        let prediction: UInt8 =
          switch filter {
          case .none: 0
          case .left: left
          case .above: above
          case .average: UInt8((Int(left) + Int(above)) / 2)
          case .paeth: PNGFormat.paeth(left, above, row > 0 && i >= channels ? pixels[to + i - line - channels] : 0)
          }
        pixels[to + i] = lines[from + 1 + i] &+ prediction
      }
    }
    return pixels
  }

  private func error(_ kind: DataError.Kind, _ reason: String) -> DataError {
    DataError(
      kind, path: path, reason,
      advice: kind == .unsupported
        ? "convert it to 8 bits per channel, not interlaced, without a transparent colour" : "replace it by an intact picture")
  }
}
