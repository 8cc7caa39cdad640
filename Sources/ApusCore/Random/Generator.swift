import CKernels

/// A stream of random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
///
/// Counter-based: the n-th number is a function of seed, stream and n alone. So a fill can be cut among threads, a stream saved and
/// resumed by three integers, and streams of their own split off.
public final class Generator: Sendable {
  /// Everything that the numbers to come depend on.
  public struct State: Hashable, Sendable, Codable {
    public var seed: UInt64
    /// Which of the streams of this seed.
    public var stream: UInt64
    /// Blocks of four 32-bit words used so far.
    public var offset: UInt64

    public init(seed: UInt64, stream: UInt64 = 0, offset: UInt64 = 0) {
      self.seed = seed
      self.stream = stream
      self.offset = offset
    }
  }

  /// The generator that ops use when none is named; seeded with 0 at the start of the program, see `manualSeed`.
  public static let `default` = Generator(seed: 0)

  private let guarded: Locked<State>

  public init(seed: UInt64, stream: UInt64 = 0) { guarded = Locked(State(seed: seed, stream: stream)) }

  public init(_ state: State) { guarded = Locked(state) }

  public var state: State {
    get { guarded.withLock { $0 } }
    set { guarded.withLock { $0 = newValue } }
  }

  /// Starts the stream again from `seed`.
  public func manualSeed(_ seed: UInt64) { state = State(seed: seed) }

  /// A generator with a stream of its own, decided by this one's next number.
  public func split() -> Generator { Generator(seed: state.seed, stream: nextUInt64()) }

  /// Takes `count` blocks of the stream.
  ///
  /// - Returns: key and first counter of the blocks.
  package func take(blocks count: Int) -> (key: UInt64, counter: UInt64) {
    guarded.withLock { state in
      defer { state.offset &+= UInt64(count) }
      return (Generator.key(state.seed, state.stream), state.offset)
    }
  }

  /// One key for seed and stream: the seed itself for stream 0, otherwise mixed by one Philox block.
  private static func key(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
    if stream == 0 { return seed }
    let words = block(key: seed ^ 0x9E37_79B9_7F4A_7C15, counter: stream)
    return UInt64(words.0) << 32 | UInt64(words.1)
  }

  private static func block(key: UInt64, counter: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
    var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    withUnsafeMutablePointer(to: &words) {
      $0.withMemoryRebound(to: UInt32.self, capacity: 4) { apus_philox_block(key, counter, $0) }
    }
    return words
  }

  /// 64 random bits.
  public func nextUInt64() -> UInt64 {
    let (key, counter) = take(blocks: 1)
    let words = Generator.block(key: key, counter: counter)
    return UInt64(words.0) << 32 | UInt64(words.1)
  }

  /// A number in 0 ..< 1, a multiple of 2⁻⁵³.
  public func uniform() -> Double { Double(nextUInt64() >> 11) * 0x1p-53 }
}

/// Starts the default generator again from `seed`: what follows is the same in every run.
public func manualSeed(_ seed: UInt64) { Generator.default.manualSeed(seed) }
