import Foundation

/// Maps numbers to positions along an edge of a picture, between round ends.
struct Axis {
  /// Round numbers, from one end to the other.
  let ticks: [Double]
  private let low: Double
  private let high: Double
  private let step: Double
  /// The positions of the first and the last of them.
  let start: Double
  let end: Double

  /// The axis that shows `values` between the positions `start` and `end`.
  init(_ values: [Double], from start: Double, to end: Double, includesZero: Bool) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    // Zero is the natural end of a loss, unless that would squeeze the values into a corner.
    if includesZero, low < 0.7 * high { low = min(low, 0) }
    if high <= low { (low, high) = low == 0 ? (0, 1) : (low - Swift.abs(low) / 2, low + Swift.abs(low) / 2) }
    let step = Self.roundStep((high - low) / 5)
    let (first, last) = ((low / step).rounded(.down), (high / step).rounded(.up))
    // With numbers too large to tell a step apart, the two ends have to do.
    let count = last - first
    if count >= 1, count <= 20, first.magnitude < 1e15, last.magnitude < 1e15 {
      ticks = (0...Int(count)).map { (first + Double($0)) * step }
    } else {
      ticks = [low, high]
    }
    (self.low, self.high, self.step, self.start, self.end) = (ticks[0], ticks[ticks.count - 1], step, start, end)
  }

  /// The smallest of 1, 2 and 5 times a power of ten that isn't below `size`.
  private static func roundStep(_ size: Double) -> Double {
    guard size.isFinite, size > 1e-300 else { return 1 }
    let power = pow(10, log10(size).rounded(.down))
    return ([1, 2, 5, 10].first { $0 * power >= size * 0.999 } ?? 10) * power
  }

  /// The position of `value`.
  subscript(value: Double) -> Double {
    // Halves, so that the difference of huge ends cannot overflow.
    let share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return start + share * (end - start)
  }

  /// `tick` with as many digits as its step needs.
  func label(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    let size = max(low.magnitude, high.magnitude)
    if size >= 1e6 || step < 1e-4 { return String(format: "%.3g", tick) }
    return fixed(tick, max(0, -Int(log10(step * 1.001).rounded(.down))))
  }
}
