/// SplitMix64: a function of a counter, good enough for pictures and orders, and a nanosecond a number.
///
/// Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.
struct RandomBits {
  private var counter: UInt64

  /// The stream of numbers that belongs to `keys`: streams of different keys are unrelated.
  init(_ keys: UInt64...) {
    counter = keys.reduce(0x6170_7573) { Self.mix($0 &+ Self.step) ^ $1 }
    counter = Self.mix(counter)
  }

  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }

  mutating func next() -> UInt64 {
    counter &+= Self.step
    return Self.mix(counter)
  }

  /// In 0..<1.
  mutating func uniform() -> Float { Float(next() &>> 40) * 0x1p-24 }

  /// In `range`.
  mutating func uniform(_ range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Bell-shaped with mean 0 and variance 1: the sum of four 16-bit numbers. Its tails end at 3.5.
  mutating func bell() -> Float {
    let bits = next()
    let sum = (bits & 0xFFFF) + (bits &>> 16 & 0xFFFF) + (bits &>> 32 & 0xFFFF) + bits &>> 48
    return (Float(sum) * 0x1p-16 - 2) * 1.732_050_8
  }

  /// In 0..<`bound`, each equally likely.
  mutating func next(below bound: UInt64) -> UInt64 { unbiased(below: bound) { next() } }
}

/// A number in 0..<`bound`, each equally likely, from numbers of 64 random bits (Lemire: Fast random integer generation in an
/// interval, 2019).
func unbiased(below bound: UInt64, _ bits: () -> UInt64) -> UInt64 {
  var (high, low) = bound.multipliedFullWidth(by: bits())
  if low < bound {
    let threshold = (0 &- bound) % bound
    while low < threshold { (high, low) = bound.multipliedFullWidth(by: bits()) }
  }
  return high
}
