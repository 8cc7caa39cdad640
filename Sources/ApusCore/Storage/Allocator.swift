#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The caching allocator of the CPU: released blocks are kept and handed out again.
///
/// Fresh pages are expensive (the kernel zeroes them one by one), and a training step asks for the same sizes again and again, so
/// the second step touches no new page. Blocks come in size classes (four to a power of two, so at most a fifth is wasted), aligned
/// to 64 bytes; blocks of 2 MiB and more are aligned to huge pages and ask for them.
package final class Allocator: Sendable {
  package static let shared = Allocator(limit: Allocator.limitFromEnvironment())

  /// What the allocator holds, in bytes.
  package struct Statistics: Sendable, Equatable {
    /// In tensors now.
    package var inUse = 0
    /// The most that was in tensors at once.
    package var peak = 0
    /// Taken from the system: in tensors or kept for reuse.
    package var reserved = 0
    /// Requests so far, and those that needed memory from the system.
    package var allocations = 0
    package var systemAllocations = 0
  }

  private struct State {
    var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: SizeClass.count)
    var statistics = Statistics()
    var limit: Int
  }

  private let guarded: Locked<State>

  package init(limit: Int) {
    var state = State(limit: limit)
    for i in state.free.indices where i < 24 { state.free[i].reserveCapacity(64) }
    guarded = Locked(state)
  }

  /// A block of at least `byteCount` bytes, or nil where the limit or the system has no more. Give it back with `release`.
  package func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard let sizeClass = SizeClass(byteCount) else { return nil }
    let size = sizeClass.byteCount
    return guarded.withLock { state -> UnsafeMutableRawPointer? in
      var block = state.free[sizeClass.index].popLast()
      if block == nil {
        if state.statistics.reserved + size > state.limit { Self.releaseCache(&state) }
        guard state.statistics.reserved + size <= state.limit else { return nil }
        block = Self.systemAllocate(size)
        if block == nil {
          Self.releaseCache(&state)
          block = Self.systemAllocate(size)
        }
        guard block != nil else { return nil }
        state.statistics.reserved += size
        state.statistics.systemAllocations += 1
      }
      state.statistics.allocations += 1
      state.statistics.inUse += size
      state.statistics.peak = max(state.statistics.peak, state.statistics.inUse)
      return block
    }
  }

  /// Takes back a block that `allocate(byteCount)` gave.
  package func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let sizeClass = SizeClass(byteCount)!
    guarded.withLock { state in
      state.free[sizeClass.index].append(pointer)
      state.statistics.inUse -= sizeClass.byteCount
    }
  }

  /// Gives all kept blocks back to the system.
  package func releaseCache() {
    guarded.withLock { Self.releaseCache(&$0) }
  }

  package var statistics: Statistics { guarded.withLock { $0.statistics } }

  /// The most that may be reserved, in bytes.
  package var limit: Int {
    get { guarded.withLock { $0.limit } }
    set { guarded.withLock { $0.limit = newValue } }
  }

  package func resetPeak() {
    guarded.withLock { $0.statistics.peak = $0.statistics.inUse }
  }

  private static func releaseCache(_ state: inout State) {
    for index in state.free.indices {
      let size = SizeClass(index: index).byteCount
      state.statistics.reserved -= size * state.free[index].count
      for block in state.free[index] { free(block) }
      state.free[index].removeAll(keepingCapacity: true)
    }
  }

  private static func systemAllocate(_ size: Int) -> UnsafeMutableRawPointer? {
    let hugePage = 2 << 20
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, size >= hugePage ? hugePage : 64, size) == 0 else { return nil }
    #if os(Linux)
      if size >= hugePage { madvise(pointer, size, Int32(MADV_HUGEPAGE)) }
    #endif
    return pointer
  }

  /// `APUS_MEMORY_LIMIT`: bytes, or a number with K, M or G. Without it there is no limit but the system's.
  private static func limitFromEnvironment() -> Int {
    guard let text = environment("APUS_MEMORY_LIMIT") else { return .max / 2 }
    guard let limit = parseByteCount(text) else {
      fatalError("APUS_MEMORY_LIMIT: '\(text)' is not a size; write bytes or a number with K, M or G, as in 4G")
    }
    return limit
  }

  /// `512`, `64K`, `1.5G`, … in bytes.
  package static func parseByteCount(_ text: String) -> Int? {
    let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
    let unit = text.last.flatMap { units[Character($0.uppercased())] }
    guard let number = Double(unit == nil ? text : String(text.dropLast())), number.isFinite, number > 0 else { return nil }
    let bytes = number * (unit ?? 1)
    return bytes < 0x1p62 ? Int(bytes) : nil
  }
}

/// Block sizes: 64 bytes, then four steps to each power of two.
private struct SizeClass {
  let index: Int

  static let count = 4 * 57

  init(index: Int) { self.index = index }

  /// The smallest class that holds `byteCount`; nil beyond 2^62.
  init?(_ byteCount: Int) {
    guard byteCount <= 1 << 62 else { return nil }
    let n = max(byteCount, 64)
    let power = Int.bitWidth - 1 - n.leadingZeroBitCount  // 2^power <= n
    let quarter = power - 2
    let step = (n - (1 << power) + (1 << quarter) - 1) >> quarter  // 0...4
    index = 4 * (power - 6) + step
  }

  var byteCount: Int {
    let power = index / 4 + 6
    return (1 << power) + (index % 4) << (power - 2)
  }
}

/// What the CPU's tensors occupy, and a bound on it.
public enum Memory {
  /// Bytes in tensors now.
  public static var inUse: Int { Allocator.shared.statistics.inUse }
  /// The most bytes in tensors at once since the start or the last `resetPeak`.
  public static var peak: Int { Allocator.shared.statistics.peak }
  /// Bytes taken from the system: in tensors or kept for reuse.
  public static var reserved: Int { Allocator.shared.statistics.reserved }
  /// The bound on `reserved`, in bytes, or nil. At the start it is `APUS_MEMORY_LIMIT` (bytes, or a number with K, M or G).
  public static var limit: Int? {
    get { Allocator.shared.limit == .max / 2 ? nil : Allocator.shared.limit }
    set { Allocator.shared.limit = newValue ?? .max / 2 }
  }
  /// Starts a new measurement of `peak`.
  public static func resetPeak() { Allocator.shared.resetPeak() }
  /// Gives the blocks that are kept for reuse back to the system.
  public static func releaseCache() { Allocator.shared.releaseCache() }
}
