import CZlib

/// Writes one picture as a PNG file in memory.
struct PNGEncoder {
  let path: String

  /// - Parameter pixels: `[height, width, channels]`.
  func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) throws(DataError) -> [UInt8] {
    guard width < 1 << 31, height < 1 << 31 else {
      throw DataError(.size, path: path, "\(width)×\(height) pixels are more than a PNG file holds", advice: "make it smaller")
    }
    let colorType: UInt8 = [0, 4, 2, 6][channels - 1]
    var file = PNGFormat.signature
    append("IHDR", bigEndian(width) + bigEndian(height) + [8, colorType, 0, 0, 0], to: &file)
    let packed = try deflated(filtered(pixels, line: width * channels, height: height, channels: channels))
    // A chunk holds less than 2³¹ bytes.
    for start in stride(from: 0, to: packed.count, by: 1 << 30) {
      append("IDAT", Array(packed[start..<min(start + 1 << 30, packed.count)]), to: &file)
    }
    append("IEND", [], to: &file)
    return file
  }

  private func append(_ name: String, _ content: [UInt8], to file: inout [UInt8]) {
    let body = Array(name.utf8) + content
    file += bigEndian(content.count) + body + bigEndian(Int(body.withUnsafeBytes(PNGFormat.checksum)))
  }

  private func bigEndian(_ value: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(value).bigEndian, Array.init) }

  /// Each line as its differences from what stands above it and left of it, by the filter that suits photographs.
  private func filtered(_ pixels: [UInt8], line: Int, height: Int, channels: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity((line + 1) * height)
    for row in 0..<height {
      result.append(PNGFormat.Filter.paeth.rawValue)
      let start = row * line
      for i in 0..<line {
        let left = i >= channels ? pixels[start + i - channels] : 0
        let above = row > 0 ? pixels[start + i - line] : 0
        let corner = row > 0 && i >= channels ? pixels[start + i - line - channels] : 0
        result.append(pixels[start + i] &- PNGFormat.paeth(left, above, corner))
      }
    }
    return result
  }

  private func deflated(_ bytes: [UInt8]) throws(DataError) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var status = Z_OK
    let result = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      status = compress2(buffer.baseAddress, &count, bytes, uLong(bytes.count), 6)
      initialized = status == Z_OK ? Int(count) : 0
    }
    guard status == Z_OK else {
      throw DataError(.unreadable, path: path, "zlib cannot compress it (\(status))", advice: "check the memory that is left")
    }
    return result
  }
}
