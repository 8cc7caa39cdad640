// Philox against its published answers, fills cut anywhere, and the moments of the distributions.

import CKernels
import Testing

@Suite struct RandomTests {
  @Test("known answers of Random123 for words 2 and 3 equal to 0")
  func knownAnswer() {
    var out = [UInt32](repeating: 0, count: 4)
    apus_philox_block(0, 0, &out)
    #expect(out == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
  }

  /// Ten rounds from the paper, one block at a time: checks itself against the published vectors that need all four words.
  private func philox(_ counter: [UInt32], _ key: [UInt32]) -> [UInt32] {
    var c = counter, k = key
    for _ in 0..<10 {
      let p = c[0].multipliedFullWidth(by: 0xD251_1F53), q = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
      c = [q.high ^ c[1] ^ k[0], q.low, p.high ^ c[3] ^ k[1], p.low]
      k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
  }

  @Test("the reference meets the published vectors, the kernel meets the reference")
  func reference() {
    #expect(philox([.max, .max, .max, .max], [.max, .max]) == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    #expect(
      philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    let seeds: [(UInt64, UInt64)] = [(0, 0), (.max, .max), (0x299f_31d0_a409_3822, 0x85a3_08d3_243f_6a88), (7, 0xffff_fffe)]
    for (key, counter) in seeds {
      var words = [UInt32](repeating: 0, count: 400)
      apus_random_bits32(key, counter, 0, words.count, &words)
      for block in 0..<100 {
        let c = counter &+ UInt64(block)
        let keyWords = [UInt32(truncatingIfNeeded: key), UInt32(key >> 32)]
        let want = philox([UInt32(truncatingIfNeeded: c), UInt32(c >> 32), 0, 0], keyWords)
        #expect(Array(words[4 * block..<4 * block + 4]) == want)
      }
      var pairs = [UInt64](repeating: 0, count: 200)
      apus_random_bits64(key, counter, 0, pairs.count, &pairs)
      #expect(pairs == (0..<200).map { UInt64(words[2 * $0]) | UInt64(words[2 * $0 + 1]) << 32 })
    }
  }

  /// One fill in one piece equals the same fill in pieces of any length.
  private func checkCuts<T: Equatable & Sendable>(_ zero: T, _ fill: (Int, Int, UnsafeMutablePointer<T>) -> Void) {
    let n = 1000
    var whole = [T](repeating: zero, count: n)
    fill(0, n, &whole)
    for step in [1, 2, 3, 7, 63, 64, 65, 129, 500] {
      var pieces = [T](repeating: zero, count: n)
      pieces.withUnsafeMutableBufferPointer { buffer in
        for first in stride(from: 0, to: n, by: step) { fill(first, min(step, n - first), buffer.baseAddress! + first) }
      }
      #expect(pieces == whole, "step \(step)")
    }
  }

  @Test("a fill can be cut anywhere")
  func cuts() {
    checkCuts(UInt32(0)) { apus_random_bits32(5, 77, $0, $1, $2) }
    checkCuts(UInt64(0)) { apus_random_bits64(5, 77, $0, $1, $2) }
    checkCuts(Float(0)) { apus_random_uniform_f32(5, 77, $0, $1, $2) }
    checkCuts(Double(0)) { apus_random_uniform_f64(5, 77, $0, $1, $2) }
    checkCuts(Float(0)) { apus_random_normal_f32(5, 77, $0, $1, $2) }
    checkCuts(Double(0)) { apus_random_normal_f64(5, 77, $0, $1, $2) }
  }

  @Test("uniform numbers are the top bits of the words")
  func uniformBits() {
    var words = [UInt32](repeating: 0, count: 300), x = [Float](repeating: 0, count: 300)
    apus_random_bits32(1, 2, 3, 300, &words)
    apus_random_uniform_f32(1, 2, 3, 300, &x)
    #expect(x == words.map { Float($0 >> 8) * 0x1p-24 })
  }

  private func moments(_ x: [Double]) -> (mean: Double, variance: Double, kurtosis: Double) {
    let n = Double(x.count), mean = x.reduce(0, +) / n
    let squares = x.map { ($0 - mean) * ($0 - mean) }
    let second = squares.reduce(0, +) / n, fourth = squares.reduce(0) { $0 + $1 * $1 } / n
    return (mean, second, fourth / (second * second))
  }

  @Test("a million numbers have the moments of their distribution")
  func distributions() {
    let n = 1_000_000
    var f = [Float](repeating: 0, count: n), d = [Double](repeating: 0, count: n)
    apus_random_uniform_f32(3, 0, 0, n, &f)
    apus_random_uniform_f64(4, 0, 0, n, &d)
    for x in [f.map(Double.init), d] {
      let m = moments(x)
      #expect(abs(m.mean - 0.5) < 0.002 && abs(m.variance - 1 / 12.0) < 0.001 && x.min()! >= 0 && x.max()! < 1)
    }
    apus_random_normal_f32(3, 0, 0, n, &f)
    apus_random_normal_f64(4, 0, 0, n, &d)
    for x in [f.map(Double.init), d] {
      let m = moments(x)
      #expect(abs(m.mean) < 0.005 && abs(m.variance - 1) < 0.007 && abs(m.kurtosis - 3) < 0.03)
      let inOneSigma = Double(x.count { abs($0) < 1 }) / Double(n)
      #expect(abs(inOneSigma - 0.6827) < 0.002 && x.max()! > 4.2 && x.max()! < 7)
    }
    // Neighbours come from one radius and one angle: they must still be uncorrelated.
    var products = 0.0
    for i in stride(from: 0, to: n, by: 2) { products += d[i] * d[i + 1] }
    #expect(abs(products) / Double(n / 2) < 0.006)
  }
}
