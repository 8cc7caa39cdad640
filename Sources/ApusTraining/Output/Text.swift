import Foundation

/// `x` with `digits` digits after the point, whatever the locale.
package func fixed(_ x: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", x) }

/// A loss, an accuracy or a rate with four significant digits: `0.08713`, `2.302`, `1.2e-05`.
package func short(_ x: Double) -> String {
  guard x.isFinite, x != 0 else { return x == 0 ? "0" : "\(x)" }
  let size = Swift.abs(x)
  if size < 1e-3 || size >= 1e6 { return String(format: "%.3e", x) }
  return fixed(x, max(0, 3 - Int(log10(size).rounded(.down))))
}

/// `n` with a comma between groups of three digits: `60,000`.
package func grouped(_ n: Int) -> String {
  var digits = Array(String(n.magnitude))
  for i in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: i) }
  return (n < 0 ? "-" : "") + String(digits)
}

/// `n` things: `1 batch`, `60,000 batches`.
package func counted(_ n: Int, _ one: String, _ many: String) -> String { "\(grouped(n)) \(n == 1 ? one : many)" }

/// Bytes in decimal units: `407.1 kB`.
package func byteCount(_ n: Int, separator: String = " ") -> String {
  var (size, unit) = (Double(n), 0)
  let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
  while size >= 999.95, unit < units.count - 1 { (size, unit) = (size / 1000, unit + 1) }
  return (unit == 0 ? "\(n)" : fixed(size, 1)) + separator + units[unit]
}

/// `03:07`, `1:02:03`.
package func clockTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let s = Int(max(seconds, 0).rounded())
  func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
  return s < 3600 ? "\(two(s / 60)):\(two(s % 60))" : "\(s / 3600):\(two(s / 60 % 60)):\(two(s % 60))"
}

/// How long something took: `0.35 s`, `12.4 s`, `3 min 07 s`.
package func duration(_ seconds: Double) -> String {
  if seconds < 9.995 { return "\(fixed(seconds, 2)) s" }
  if seconds < 99.95 { return "\(fixed(seconds, 1)) s" }
  let s = Int(min(seconds, 1e15).rounded())
  if s < 3600 { return "\(s / 60) min \(s % 60) s" }
  return "\(s / 3600) h \(s / 60 % 60) min"
}

/// A share of 0...1: `94.71 %`.
package func percent(_ share: Double) -> String { "\(fixed(100 * share, 2)) %" }
