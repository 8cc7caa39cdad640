import ApusFormats
import Testing

/// Damages sound headers field by field (bytes at random hardly ever get past the first brace) and asks that every outcome is an
/// error with a name, or a header that keeps its promises.
@Suite struct SafetensorsFuzzTests {
  @Test("damaged headers are refused or sound, and nothing crashes")
  func mutations() throws {
    var random = Xorshift(state: 2026)
    var accepted = 0
    var kinds: [FormatError.Kind: Int] = [:]
    for _ in 0..<6000 {
      let bytes = mutant(&random)
      do throws(FormatError) {
        let header = try header(bytes)
        accepted += 1
        let sizes = header.entries.map(\.bytes.count).reduce(0, +)
        #expect(header.dataOffset + sizes == bytes.count)
        for entry in header.entries {
          #expect(entry.shape.reduce(1, *) * entry.dtype.bitWidth == 8 * entry.bytes.count)
        }
      } catch {
        kinds[error.kind, default: 0] += 1
      }
    }
    // The mutator reaches deep: plenty of sound files, and most kinds of errors.
    #expect(accepted > 500)
    #expect(kinds.count >= 12, "\(kinds)")
  }

  private func mutant(_ random: inout Xorshift) -> [UInt8] {
    var tokens: [String] = ["{"]
    var end = 0
    for i in 0..<random.below(4) {
      let shape = (0..<random.below(3)).map { _ in random.below(3) }
      let (dtype, size) = random.pick([("F32", 4), ("U8", 1), ("BOOL", 1), ("I64", 8), ("BF16", 2)])
      let next = end + shape.reduce(size, *)
      if i > 0 { tokens.append(",") }
      tokens += ["\"t\(i)\"", ":", "{", "\"dtype\"", ":", "\"\(dtype)\"", ",", "\"shape\"", ":", "["]
      for (k, size) in shape.enumerated() { tokens += (k > 0 ? [","] : []) + ["\(size)"] }
      tokens += ["]", ",", "\"data_offsets\"", ":", "[", "\(end)", ",", "\(next)", "]", "}"]
      end = next
    }
    tokens.append("}")
    if random.below(4) > 0 { mutate(&tokens, &random) }
    var text = Array(tokens.joined().utf8)
    if random.below(10) == 0 { text[random.below(text.count)] = UInt8(random.below(256)) }
    var length = UInt64(text.count)
    if random.below(20) == 0 { length = length &+ random.pick([1, ~0, 8, 1 << 40, 1 << 63]) }
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + text
    bytes += [UInt8](repeating: 0, count: end + (random.below(12) == 0 ? 1 : 0))
    if random.below(20) == 0 { bytes.removeLast(random.below(bytes.count)) }
    return bytes
  }

  private func mutate(_ tokens: inout [String], _ random: inout Xorshift) {
    let i = random.below(tokens.count)
    switch random.below(6) {
    case 0: tokens.remove(at: i)
    case 1: tokens.insert(tokens[i], at: i)
    case 2: tokens.swapAt(i, random.below(tokens.count))
    case 3: tokens.insert(random.pick([" ", "\n", "\t", "\u{b}", "\0", "\u{feff}"]), at: i)
    case 4: tokens.removeLast(random.below(tokens.count))
    default:
      tokens[i] = random.pick([
        "0", "1", "-1", "1.0", "1e1", "00", "9223372036854775807", "9223372036854775808", "1152921504606846976", "\"\"",
        "\"F32\"",
        "\"F4\"", "\"U16\"", "\"x\"", "\"__metadata__\"", "\"\\ud800\"", "\"\\u0000\"", "null", "true", "{}", "[]",
        "[[[[[[[[]]]]]]]]",
        "{", "}", "[", "]", ":", ",", "\"",
      ])
    }
  }
}

/// A small generator of random numbers: the cases are the same in every run.
struct Xorshift {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }

  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
