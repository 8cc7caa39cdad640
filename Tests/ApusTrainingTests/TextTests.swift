import ApusTraining
import Testing

@Suite("Numbers as text")
struct TextTests {
  @Test("four significant digits")
  func shortNumbers() {
    #expect(
      [2.30258, 0.0871234, 0, 12345.6, 1.5e-5, 3e7].map(short) == ["2.303", "0.08712", "0", "12346", "1.500e-05", "3.000e+07"])
    #expect(short(.nan) == "nan")
  }

  @Test("groups of three digits")
  func groups() {
    #expect([0, 999, 1000, 60_000, -1_234_567].map(grouped) == ["0", "999", "1,000", "60,000", "-1,234,567"])
  }

  @Test("bytes")
  func bytes() {
    #expect(
      [0, 999, 1000, 407_080, 999_960, .max].map { byteCount($0) } == ["0 B", "999 B", "1.0 kB", "407.1 kB", "1.0 MB", "9.2 EB"])
  }

  @Test("times")
  func times() {
    #expect([0, 59.6, 3599, 3600, 360_000].map(clockTime) == ["00:00", "01:00", "59:59", "1:00:00", "100:00:00"])
    #expect(clockTime(.infinity) == "?")
    #expect([0.351, 12.44, 187, 7380].map(duration) == ["0.35 s", "12.4 s", "3 min 7 s", "2 h 3 min"])
  }
}
