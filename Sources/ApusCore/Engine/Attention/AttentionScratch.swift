/// Working memory of one task, handed out piece by piece; given back with the task.
struct AttentionScratch {
  private let storage: Storage
  private var used = 0
  private let size: Int

  /// Room for pieces of these many numbers; nil after a reported error.
  init?(_ counts: [Int], of dtype: DType) {
    size = dtype.itemSize
    let bytes = counts.reduce(0) { $0 + Self.rounded($1 * dtype.itemSize) }
    guard let storage = Storage.allocate(bytes, for: "scaledDotProductAttention") else { return nil }
    self.storage = storage
  }

  /// The next piece, aligned to 64 bytes.
  mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
    defer { used += Self.rounded(count * size) }
    return storage.pointer + used
  }

  private static func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }
}
