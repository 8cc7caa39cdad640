import ApusCore

/// Whether all tokens are in a vocabulary; reports a mistake where one isn't.
func areTokens(_ tokens: [Int], below count: Int, _ name: String) -> Bool {
  let stray = tokens.first { $0 < 0 || $0 >= count }
  return check(stray == nil, .index, name, "token \(stray ?? 0) isn't in 0..<\(count)")
}
