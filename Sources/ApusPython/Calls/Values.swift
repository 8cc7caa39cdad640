import ApusCore
import ApusFormats
import CApusPython

// What checkpoints hold: Python's plain values with tensors among them, both ways.

extension PthValue {
  /// A value from the other side.
  init(_ value: apus_value) throws {
    switch apus_tag(rawValue: numericCast(value.tag)) {
    case APUS_NONE: self = .null
    case APUS_BOOL: self = .bool(value.integer != 0)
    case APUS_INT: self = .int(Int(value.integer))
    case APUS_FLOAT: self = .float(value.number)
    case APUS_STRING: self = .string(String(decoding: Self.bytes(value), as: UTF8.self))
    case APUS_BYTES: self = .bytes(Array(Self.bytes(value)))
    case APUS_TENSOR: self = .tensor(ApusPython.tensor(value.pointer).detach())
    case APUS_DTYPE:
      guard let dtype = DType(rawValue: UInt8(truncatingIfNeeded: value.integer)), let known = TorchDType(rawValue: dtype.name)
      else {
        throw ArgumentError(.type, "save: an unknown dtype")
      }
      self = .dtype(known)
    case APUS_VALUES:
      let parts = try Self.parts(value, Int(value.count))
      self = value.integer == 1 ? .tuple(parts) : value.integer == 2 ? .set(parts) : .list(parts)
    case APUS_PAIRS:
      let parts = try Self.parts(value, 2 * Int(value.count))
      let items = (0..<Int(value.count)).map { (key: parts[2 * $0], value: parts[2 * $0 + 1]) }
      self = .dictionary(items, isOrdered: value.integer == 1)
    default: throw ArgumentError(.type, "save: a value that the format cannot hold")
    }
  }

  private static func bytes(_ value: apus_value) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: value.pointer, count: Int(value.count))
  }

  private static func parts(_ value: apus_value, _ count: Int) throws -> [PthValue] {
    guard count > 0, let pointer = value.pointer?.assumingMemoryBound(to: apus_value.self) else { return [] }
    return try (0..<count).map { try PthValue(pointer[$0]) }
  }
}

extension apus_value {
  private init(_ tag: apus_tag, count: Int = 0, integer: Int = 0, number: Double = 0, pointer: UnsafeRawPointer? = nil) {
    self.init(tag: Int32(tag.rawValue), count: Int32(clamping: count), integer: Int64(integer), number: number, pointer: pointer)
  }

  /// Bytes in memory for `apus_free`.
  private init(_ tag: apus_tag, copying bytes: some Collection<UInt8>) {
    let memory = malloc(max(bytes.count, 1))
    if let memory { UnsafeMutableRawBufferPointer(start: memory, count: bytes.count).copyBytes(from: bytes) }
    self.init(tag, count: bytes.count, pointer: UnsafeRawPointer(memory))
  }

  /// Values in memory for `apus_free`.
  private init(_ tag: apus_tag, count: Int, integer: Int, parts: [apus_value]) {
    let memory = UnsafeMutableRawPointer(malloc(max(parts.count, 1) * MemoryLayout<apus_value>.stride))
    let values = memory?.bindMemory(to: apus_value.self, capacity: parts.count)
    for (i, part) in parts.enumerated() { values?[i] = part }
    self.init(tag, count: count, integer: integer, pointer: UnsafeRawPointer(memory))
  }

  /// A value for the other side, which frees its parts and owns its tensors.
  init(_ value: PthValue) {
    switch value {
    case .null: self.init(APUS_NONE)
    case .bool(let value): self.init(APUS_BOOL, integer: value ? 1 : 0)
    case .int(let value): self.init(APUS_INT, integer: value)
    case .float(let value): self.init(APUS_FLOAT, number: value)
    case .string(let text): self.init(APUS_STRING, copying: text.utf8)
    case .bytes(let bytes): self.init(APUS_BYTES, copying: bytes)
    case .largeInteger(let digits):
      self.init(APUS_BYTES, copying: digits)
      integer = 1
    case .complex(let real, let imaginary):
      self.init(APUS_VALUES, count: 2, integer: 3, parts: [.init(.float(real)), .init(.float(imaginary))])
    case .list(let items): self.init(APUS_VALUES, count: items.count, integer: 0, parts: items.map { .init($0) })
    case .tuple(let items): self.init(APUS_VALUES, count: items.count, integer: 1, parts: items.map { .init($0) })
    case .set(let items): self.init(APUS_VALUES, count: items.count, integer: 2, parts: items.map { .init($0) })
    case .dictionary(let items, let isOrdered):
      self.init(
        APUS_PAIRS, count: items.count, integer: isOrdered ? 1 : 0,
        parts: items.flatMap { [apus_value($0.key), apus_value($0.value)] })
    case .size(let sizes): self.init(APUS_VALUES, count: sizes.count, integer: 4, parts: sizes.map { .init(.int($0)) })
    case .dtype(let dtype):
      if let known = DType(name: dtype.rawValue) {
        self.init(APUS_DTYPE, integer: Int(known.rawValue))
      } else {
        self.init(APUS_STRING, copying: "torch.\(dtype.rawValue)".utf8)
      }
    case .device(let name): self.init(APUS_STRING, copying: name.utf8)
    case .tensor(let tensor): self.init(APUS_TENSOR, pointer: UnsafeRawPointer(owned(tensor)))
    }
  }
}
