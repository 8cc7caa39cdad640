import ApusFormats
import Testing

/// A safetensors file with the given header text.
func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
  let text = Array(header.utf8)
  let count = length ?? UInt64(text.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * UInt64($0))) } + text + [UInt8](repeating: 0, count: data)
}

func header(_ bytes: [UInt8]) throws(FormatError) -> SafetensorsHeader {
  try bytes.withUnsafeBufferPointer { bytes throws(FormatError) in
    try SafetensorsHeader(of: UnsafeRawBufferPointer(bytes), file: "test.safetensors")
  }
}

/// The kind of error that reading `bytes` ends with; nil where they are accepted.
func refusal(_ bytes: [UInt8]) -> FormatError.Kind? {
  do throws(FormatError) {
    _ = try header(bytes)
    return nil
  } catch { return error.kind }
}

@Suite struct SafetensorsHeaderTests {
  static let one = #""dtype":"F32","shape":[2],"data_offsets":[0,8]"#

  @Test(
    "sound files are accepted",
    arguments: [
      (#"{}"#, 0),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8),
      (#"{ "a" : { "shape" : [ 2 , 1 ] , "data_offsets" : [ 0 , 8 ] , "dtype" : "F32" } }   "#, 8),
      (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, 4),
      (#"{"a":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]}}"#, 0),
      (#"{"__metadata__":{},"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1),
      (#"{"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, 5),
      (#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#, 1),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":[1.5e-3,{"x":null},true,false,"y",-0]}}"#, 1),
    ])
  func accepted(text: String, data: Int) {
    #expect(throws: Never.self) { try header(safetensors(text, data: data)) }
  }

  @Test(
    "each fault has its name",
    arguments: [
      // Length and frame.
      (#"[]"#, 0, .notThisFormat),
      (#" {}"#, 0, .notThisFormat),
      (#"{}x"#, 0, .syntax),
      (#"{"a""#, 0, .syntax),
      (#"{"a":{"#, 0, .syntax),
      (#"{"#, 0, .truncated),
      (#""#, 0, .truncated),
      // Grammar.
      (#"{,}"#, 0, .type),
      (#"{"a":{\#(one)},}"#, 8, .type),
      (#"{"a":{\#(one)},,}"#, 8, .type),
      (#"{'a':{\#(one)}}"#, 8, .type),
      (#"{"a" {\#(one)}}"#, 8, .syntax),
      (#"{"a":{"dtype":"F32" "shape":[2],"data_offsets":[0,8]}}"#, 8, .syntax),
      (#"{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}"#, 8, .type),
      (#"{"a":{"dtype":"F32","shape":[2 2],"data_offsets":[0,8]}}"#, 8, .syntax),
      (#"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#, 8, .syntax),
      ("{\"a\nb\":{\(one)}}", 8, .syntax),
      (#"{"a\x":{\#(one)}}"#, 8, .syntax),
      (#"{"a\u12g4":{\#(one)}}"#, 8, .syntax),
      (#"{"a\ud800":{\#(one)}}"#, 8, .encoding),
      (#"{"a\ud800\u0041":{\#(one)}}"#, 8, .encoding),
      (#"{"a\udc00":{\#(one)}}"#, 8, .encoding),
      (#"{"a":{"x":nul,\#(one)}}"#, 8, .syntax),
      (#"{"a":{"x":1.,\#(one)}}"#, 8, .syntax),
      (#"{"a":{"x":1e,\#(one)}}"#, 8, .syntax),
      (#"{"a":{"x":-,\#(one)}}"#, 8, .syntax),
      (#"{"a":{"x":+1,\#(one)}}"#, 8, .syntax),
      (#"{"a":{"x":NaN,\#(one)}}"#, 8, .syntax),
      // Kinds of values.
      (#"{"a":1}"#, 0, .type),
      (#"{"a":null}"#, 0, .type),
      (#"{"__metadata__":[]}"#, 0, .type),
      (#"{"__metadata__":null}"#, 0, .type),
      (#"{"__metadata__":{"a":1}}"#, 0, .type),
      (#"{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}"#, 8, .type),
      (#"{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#, 8, .type),
      (#"{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}"#, 8, .type),
      // Numbers.
      (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, .number),
      (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, 8, .number),
      (#"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#, 8, .number),
      (#"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}"#, 8, .number),
      (#"{"a":{"dtype":"F32","shape":[99999999999999999999999999],"data_offsets":[0,8]}}"#, 8, .number),
      // Keys and fields.
      (#"{"a":{\#(one)},"a":{\#(one)}}"#, 8, .duplicateKey),
      (#"{"a":{\#(one)},"\u0061":{\#(one)}}"#, 8, .duplicateKey),
      (#"{"__metadata__":{},"__metadata__":{}}"#, 0, .duplicateKey),
      (#"{"__metadata__":{"a":"1","a":"1"}}"#, 0, .duplicateKey),
      (#"{"a":{"dtype":"F32",\#(one)}}"#, 8, .duplicateKey),
      (#"{"a":{"x":1,"x":1,\#(one)}}"#, 8, .duplicateKey),
      (#"{"a":{"x":{"y":1,"y":1},\#(one)}}"#, 8, .duplicateKey),
      (#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, 8, .missingField),
      (#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, 8, .missingField),
      (#"{"a":{"dtype":"F32","shape":[2]}}"#, 8, .missingField),
      // Meaning.
      (#"{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}"#, 8, .unknownDType),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, .sizeMismatch),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, .offsets),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#, 8, .offsets),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[]}}"#, 8, .offsets),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12, .offsets),
      (#"{"a":{\#(one)},"b":{\#(one)}}"#, 8, .offsets),
      (#"{"a":{\#(one)},"b":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}}"#, 10, .offsets),
      (#"{"a":{\#(one)},"b":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}}"#, 8, .offsets),
      (#"{"a":{\#(one)}}"#, 7, .truncated),
      (#"{"a":{\#(one)}}"#, 9, .offsets),
      (#"{}"#, 1, .offsets),
      (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1, .sizeOverflow),
      // These sizes multiply to 4 in 64 bits that wrap.
      (#"{"a":{"dtype":"U8","shape":[4194305,4194305,211106198978564],"data_offsets":[0,4]}}"#, 4, .sizeOverflow),
      (#"{"a":{"dtype":"U8","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, .sizeOverflow),
    ] as [(String, Int, FormatError.Kind)])
  func refused(text: String, data: Int, kind: FormatError.Kind) {
    #expect(refusal(safetensors(text, data: data)) == kind)
  }

  @Test("bytes that aren't UTF-8 are refused")
  func encoding() {
    var bytes = safetensors(#"{"a":{\#(Self.one)}}"#, data: 8)
    bytes[10] = 0xFF
    #expect(refusal(bytes) == .encoding)
  }

  @Test("limits: the last value that fits, and the first that doesn't")
  func limits() {
    // Length of the header: against the limit, and against the file.
    let long = [UInt8](safetensors("{}", length: 100_000_000)) + [UInt8](repeating: 0x20, count: 100_000_000 - 2)
    #expect(refusal(long) == nil)
    #expect(refusal(safetensors("{}", length: 100_000_001)) == .headerTooLong)
    #expect(refusal(safetensors("{}", length: .max)) == .headerTooLong)
    #expect(refusal(safetensors("{}", length: 2)) == nil)
    #expect(refusal(safetensors("{}", length: 3)) == .truncated)
    for count in 0..<8 { #expect(refusal([UInt8](repeating: 0, count: count)) == .truncated) }
    // Depth: the extra field's own value is on level 3.
    func nested(_ levels: Int) -> [UInt8] {
      let value = String(repeating: "[", count: levels - 2) + String(repeating: "]", count: levels - 2)
      return safetensors(#"{"a":{"x":\#(value),\#(Self.one)}}"#, data: 8)
    }
    #expect(refusal(nested(8)) == nil)
    #expect(refusal(nested(9)) == .tooDeep)
    #expect(refusal(nested(100_000)) == .tooDeep)
    // Rank.
    func rank(_ n: Int) -> [UInt8] {
      let shape = [String](repeating: "1", count: n).joined(separator: ",")
      return safetensors(#"{"a":{"dtype":"U8","shape":[\#(shape)],"data_offsets":[0,1]}}"#, data: 1)
    }
    #expect(refusal(rank(64)) == nil)
    #expect(refusal(rank(65)) == .rankTooLarge)
    // Names.
    func name(_ n: Int) -> [UInt8] { safetensors(#"{"\#(String(repeating: "n", count: n))":{\#(Self.one)}}"#, data: 8) }
    #expect(refusal(name(64 << 10)) == nil)
    #expect(refusal(name(64 << 10 + 1)) == .nameTooLong)
    // Numbers and sizes: 2^63 − 1 is read, and then it is too much.
    func size(_ n: String) -> [UInt8] { safetensors(#"{"a":{"dtype":"U8","shape":[\#(n)],"data_offsets":[0,1]}}"#, data: 1) }
    #expect(refusal(size("1")) == nil)
    #expect(refusal(size("1152921504606846975")) == .sizeMismatch)
    #expect(refusal(size("1152921504606846976")) == .sizeOverflow)
    #expect(refusal(size("9223372036854775807")) == .sizeOverflow)
    #expect(refusal(size("9223372036854775808")) == .number)
  }

  @Test("an error says file, place and reason in one line, whatever the file holds")
  func messages() {
    func message(_ text: String, _ data: Int) -> String {
      do throws(FormatError) {
        _ = try header(safetensors(text, data: data))
        return "accepted"
      } catch { return error.description }
    }
    #expect(
      message(#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,8]}}"#, 8)
        == "test.safetensors: 'a': shape [2, 3] of F32 needs 24 bytes; its data_offsets hold 8")
    #expect(message(#"{"a":[]}"#, 0) == "test.safetensors: byte 13: expected '{', found '['")
    let hostile = message(#"{"\u001b[31m\n\u202e":{"dtype":"X","shape":[],"data_offsets":[0,0]}}"#, 0)
    #expect(hostile == #"test.safetensors: '\u{1b}[31m\u{a}\u{202e}': unknown dtype 'X'"#)
    #expect(message(#"{"\#(String(repeating: "n", count: 60_000))":1}"#, 0).count < 300)
  }

  @Test("a header of many entries is read in linear time")
  func manyEntries() throws {
    func parse(_ count: Int) throws -> Duration {
      var text = "{"
      // The worst order for the sort: every second one out of place.
      for i in 0..<count {
        let at = i ^ 1
        text += #"\#(i > 0 ? "," : "")"\#(i)":{"dtype":"U8","shape":[1],"data_offsets":[\#(at),\#(at + 1)]}"#
      }
      let bytes = safetensors(text + "}", data: count)
      var found = 0
      let time = try ContinuousClock().measure { found = try header(bytes).entries.count }
      #expect(found == count)
      return time
    }
    let (small, large) = (try parse(10_000), try parse(80_000))
    #expect(large < small * 40 + .milliseconds(500), "\(small) for 10,000, \(large) for 80,000 entries")
  }
}
