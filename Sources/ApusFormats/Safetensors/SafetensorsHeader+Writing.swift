extension SafetensorsHeader {
  /// Lays out tensors: their entries in the order of the data, larger elements first so that each starts aligned.
  ///
  /// - Parameter tensors: names must be unique.
  package static func layout(
    _ tensors: [(name: String, dtype: SafetensorsDType, shape: [Int])], file: String
  ) throws(FormatError) -> [(index: Int, entry: Entry)] {
    var names: Set<String> = []
    for (name, _, shape) in tensors {
      func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
        FormatError(kind, file: file, at: .key(name), reason)
      }
      if name == metadataKey { throw error(.duplicateKey, "no tensor can have the name that the format keeps for metadata") }
      if !names.insert(name).inserted { throw error(.duplicateKey, "two tensors with this name") }
      if name.utf8.count > HeaderScanner.maximumNameLength {
        throw error(.nameTooLong, "a name of \(name.utf8.count) bytes; the limit is \(HeaderScanner.maximumNameLength)")
      }
      if shape.count > maximumRank {
        throw error(.rankTooLarge, "a shape of \(shape.count) axes; the limit is \(maximumRank)")
      }
    }
    var result: [(index: Int, entry: Entry)] = []
    var offset = 0
    let order = tensors.indices.sorted { a, b in
      let (x, y) = (tensors[a].dtype.bitWidth, tensors[b].dtype.bitWidth)
      return x != y ? x > y : a < b
    }
    for index in order {
      let (name, dtype, shape) = tensors[index]
      guard let size = byteCount(of: shape, dtype), offset <= .max - size else {
        throw FormatError(.sizeOverflow, file: file, at: .key(name), "the size of shape \(shape) overflows")
      }
      result.append((index, Entry(name: name, dtype: dtype, shape: shape, bytes: offset..<offset + size)))
      offset += size
    }
    return result
  }

  /// The header's bytes, from its length to its padding, and where in them the digest's 64 digits stand (zeros, where `withDigest`).
  ///
  /// Metadata is sorted by key: equal content gives equal bytes.
  package static func encode(
    _ entries: [Entry], metadata: [String: String], withDigest: Bool, file: String
  ) throws(FormatError) -> (bytes: [UInt8], digestOffset: Int?) {
    var metadata = metadata
    metadata[digestKey] = withDigest ? String(repeating: "0", count: digestLength) : nil
    var digestOffset: Int?
    var text: [UInt8] = [UInt8](repeating: 0, count: 8)
    text.append(UInt8(ascii: "{"))
    if !metadata.isEmpty {
      appendString(metadataKey, to: &text)
      text += ":{".utf8
      for (i, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
        if i > 0 { text.append(UInt8(ascii: ",")) }
        appendString(key, to: &text)
        text.append(UInt8(ascii: ":"))
        if key == digestKey { digestOffset = text.count + 1 }
        appendString(value, to: &text)
      }
      text.append(UInt8(ascii: "}"))
    }
    for entry in entries {
      if text.count > 9 { text.append(UInt8(ascii: ",")) }
      appendString(entry.name, to: &text)
      let shape = entry.shape.map(String.init).joined(separator: ",")
      text += #":{"dtype":"\#(entry.dtype.rawValue)","shape":[\#(shape)],"#.utf8
      text += #""data_offsets":[\#(entry.bytes.lowerBound),\#(entry.bytes.upperBound)]}"#.utf8
    }
    text.append(UInt8(ascii: "}"))
    while text.count % 8 != 0 { text.append(0x20) }
    let length = text.count - 8
    if length > maximumLength {
      throw FormatError(.headerTooLong, file: file, at: .file, "a header of \(length) bytes; the limit is \(maximumLength)")
    }
    for i in 0..<8 { text[i] = UInt8(truncatingIfNeeded: length >> (8 * i)) }
    return (text, digestOffset)
  }

  private static func appendString(_ string: String, to text: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: text += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
