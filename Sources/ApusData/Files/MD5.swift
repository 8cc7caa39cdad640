#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// MD5 (RFC 1321): not safe against anyone who means harm, but the only digest that is published for some data sets.
struct MD5 {
  private var state: SIMD4<UInt32> = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
  private var pending: [UInt8] = []
  private var count: UInt64 = 0

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += UInt64(bytes.count)
    var bytes = bytes[...]
    if !pending.isEmpty {
      let taken = bytes.prefix(64 - pending.count)
      pending += taken
      bytes = bytes.dropFirst(taken.count)
      guard pending.count == 64 else { return }
      pending.withUnsafeBytes { compress($0) }
      pending.removeAll()
    }
    while bytes.count >= 64 {
      compress(UnsafeRawBufferPointer(rebasing: bytes.prefix(64)))
      bytes = bytes.dropFirst(64)
    }
    pending += bytes
  }

  /// The digest of what has been added so far, hexadecimal.
  func digest() -> String {
    var copy = self
    let zeros = (119 - pending.count) % 64
    let end = [0x80] + [UInt8](repeating: 0, count: zeros) + withUnsafeBytes(of: (count &* 8).littleEndian, Array.init)
    end.withUnsafeBytes { copy.update($0) }
    let bytes = (0..<4).flatMap { i in withUnsafeBytes(of: copy.state[i].littleEndian, Array.init) }
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func digest(of bytes: UnsafeRawBufferPointer) -> String {
    var hash = MD5()
    hash.update(bytes)
    return hash.digest()
  }

  private static let rotations: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]

  /// ⌊2³² · |sin i|⌋ for i of 1...64, as the standard defines them.
  private static let constants = (1...64).map { UInt32(abs(sin(Double($0))) * 0x1p32) }

  private mutating func compress(_ block: UnsafeRawBufferPointer) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for i in 0..<64 {
      let mix: UInt32
      let word: Int
      switch i / 16 {
      case 0: (mix, word) = (b & c | ~b & d, i)
      case 1: (mix, word) = (d & b | ~d & c, (5 * i + 1) % 16)
      case 2: (mix, word) = (b ^ c ^ d, (3 * i + 5) % 16)
      default: (mix, word) = (c ^ (b | ~d), 7 * i % 16)
      }
      let value = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4 * word, as: UInt32.self))
      let sum = a &+ mix &+ Self.constants[i] &+ value
      let turn = Self.rotations[i / 16][i % 4]
      (a, d, c, b) = (d, c, b, b &+ (sum &<< turn | sum &>> (32 - turn)))
    }
    state = state &+ SIMD4(a, b, c, d)
  }
}
