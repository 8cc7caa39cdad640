import ApusCore
import ApusFormats
import Foundation
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  @Test("every dtype and awkward shape comes back bit for bit", arguments: DType.allCases)
  func roundTrip(dtype: DType) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    for shape: Shape in [[], [0], [1], [7], [2, 3], [3, 0, 2], [1, 2, 1, 3, 1]] {
      // All bit patterns are allowed, NaNs too; of bool only two.
      let bytes = (0..<shape.elementCount * dtype.itemSize).map {
        dtype == .bool ? UInt8($0 & 1) : UInt8(truncatingIfNeeded: $0 &* 151 &+ 77)
      }
      let tensor = bytes.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: dtype) }
      for digest in [false, true] {
        try Safetensors.write([("x", tensor)], metadata: ["k": "v"], to: path, digest: digest)
        let contents = try Safetensors.read(path, requireDigest: digest)
        #expect(contents.metadata == ["k": "v"])
        #expect(contents.tensors.map(\.name) == ["x"])
        let back = try #require(contents["x"])
        #expect(back.shape == shape && back.dtype == dtype)
        #expect(back.withUnsafeBytes(Array.init) == bytes)
      }
    }
  }

  // from safetensors.numpy import save; import numpy as np        # safetensors 0.8.0
  // save({'b': np.arange(6, dtype=np.float32).reshape(2, 3), 'a': np.array([-1, 2], np.int64), 'flag': np.array(True),
  //       'none': np.zeros((0, 4), np.float16)}, metadata={'format': 'pt'})
  static let reference: [UInt8] =
    [8, 1, 0, 0, 0, 0, 0, 0]
    + Array(
      (#"{"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"#
        + #""b":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]},"none":{"dtype":"F16","shape":[0,4],"data_offsets":[40,40]},"#
        + #""flag":{"dtype":"BOOL","shape":[],"data_offsets":[40,41]}}   "#).utf8)
    + [255, 255, 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 0]
    + [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64, 1]

  @Test("a file of the reference implementation is read")
  func readsReference() throws {
    let folder = try TemporaryFolder()
    let contents = try Safetensors.read(folder.write(Self.reference, "r.safetensors"))
    #expect(contents.tensors.map(\.name) == ["a", "b", "none", "flag"])
    #expect(contents["a"]?.scalars(as: Int.self) == [-1, 2])
    #expect(contents["b"]?.array(as: [[Float]].self) == [[0, 1, 2], [3, 4, 5]])
    #expect(contents["none"]?.shape == [0, 4])
    #expect(contents["flag"]?.item(as: Bool.self) == true)
    #expect(contents.metadata == ["format": "pt"])
  }

  @Test("and the same bytes are written: larger elements first, otherwise in order, padded to 8")
  func writesReference() throws {
    let folder = try TemporaryFolder()
    let tensors: [(String, Tensor)] = [
      ("flag", Tensor(true)), ("none", Tensor.zeros([0, 4], dtype: .float16)), ("a", Tensor([-1, 2])),
      ("b", Tensor([[0.0, 1, 2], [3, 4, 5]])),
    ]
    try Safetensors.write(tensors.map { (name: $0, tensor: $1) }, metadata: ["format": "pt"], to: folder.file("w.safetensors"))
    #expect(try folder.read("w.safetensors") == Self.reference)
  }

  @Test("views are written as what they show")
  func views() throws {
    let folder = try TemporaryFolder()
    let x = Tensor([[0.0, 1, 2], [3, 4, 5]])
    try Safetensors.write(
      [("t", x.T), ("row", x[1]), ("wide", Tensor([7.0]).expand([2, 2]))], to: folder.file("v.safetensors"))
    let contents = try Safetensors.read(folder.file("v.safetensors"))
    #expect(contents["t"]?.array(as: [[Float]].self) == [[0, 3], [1, 4], [2, 5]])
    #expect(contents["row"]?.array(as: [Float].self) == [3, 4, 5])
    #expect(contents["wide"]?.array(as: [[Float]].self) == [[7, 7], [7, 7]])
  }

  @Test("names and metadata may hold any text")
  func anyText() throws {
    let folder = try TemporaryFolder()
    let texts = [
      "", "\"", "\\", "/", "\u{0}\u{1f}\u{7f}", "line\nbreak\ttab", "é ü 日本語 한국어 🐦", "__metadata", "a.b.0.weight", "\u{2028}",
    ]
    let tensors = texts.enumerated().map { (name: $1, tensor: Tensor([$0])) }
    let metadata = Dictionary(uniqueKeysWithValues: texts.map { ($0, String($0.reversed())) })
    try Safetensors.write(tensors, metadata: metadata, to: folder.file("t.safetensors"))
    let contents = try Safetensors.read(folder.file("t.safetensors"))
    #expect(contents.tensors.map(\.name) == texts)
    #expect(contents.tensors.map { $0.tensor.item(as: Int.self) } == Array(texts.indices))
    #expect(contents.metadata == metadata)
  }

  @Test("with a digest, every flipped bit and every cut is noticed")
  func digest() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("d.safetensors")
    try Safetensors.write([("w", Tensor([1.5, -2])), ("n", Tensor([3]))], metadata: ["step": "7"], to: path, digest: true)
    let bytes = try folder.read("d.safetensors")
    #expect(throws: Never.self) { try Safetensors.read(path, requireDigest: true) }
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let other = try folder.write(damaged, "x")
      #expect(throws: FormatError.self, "bit \(bit % 8) of byte \(bit / 8)") { try Safetensors.read(other, requireDigest: true) }
    }
    for count in 0..<bytes.count {
      let other = try folder.write(Array(bytes[..<count]), "x")
      #expect(throws: FormatError.self, "cut to \(count) bytes") { try Safetensors.read(other, requireDigest: true) }
    }
  }

  @Test("a digest can be demanded, and is no tensor's or user's metadata")
  func demandedDigest() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("d.safetensors")
    try Safetensors.write([("w", Tensor([1.5]))], to: path)
    let error = #expect(throws: FormatError.self) { try Safetensors.read(path, requireDigest: true) }
    #expect(error?.kind == .digest)
    try Safetensors.write([("w", Tensor([1.5]))], metadata: ["apus.sha256": "mine"], to: path, digest: true)
    #expect(try Safetensors.read(path, requireDigest: true).metadata == [:])
    let file = try SafetensorsFile(path)
    #expect(try file.verifyDigest())
    #expect(file.metadata["apus.sha256"]?.count == 64)
    let text = #"{"__metadata__":{"apus.sha256":"short"}}"#
    let faked = #expect(throws: FormatError.self) { try Safetensors.read(folder.write(safetensors(text), "f")) }
    #expect(faked?.kind == .digest)
  }

  @Test("one tensor at a time")
  func lazy() throws {
    let folder = try TemporaryFolder()
    let file = try SafetensorsFile(folder.write(Self.reference, "r.safetensors"))
    #expect(file.entries.map(\.shape) == [[2], [2, 3], [0, 4], []])
    #expect(file.entries.map(\.dtype) == [.i64, .f32, .f16, .bool])
    #expect(try file.tensor(named: "a").scalars(as: Int.self) == [-1, 2])
    let error = #expect(throws: FormatError.self) { try file.tensor(named: "c") }
    #expect(error?.kind == .missingTensor)
    #expect(error?.description.hasSuffix("r.safetensors: 'c': no such tensor among the 4 of the file") == true)
  }

  @Test("dtypes without an Apus tensor are listed, and refused when read")
  func foreignDTypes() throws {
    let folder = try TemporaryFolder()
    for dtype in SafetensorsDType.allCases where dtype.dtype == nil {
      let text = #"{"a":{"dtype":"\#(dtype.rawValue)","shape":[4],"data_offsets":[0,\#(dtype.bitWidth / 2)]}}"#
      let path = try folder.write(safetensors(text, data: dtype.bitWidth / 2), "f")
      #expect(try SafetensorsFile(path).entries.first?.dtype == dtype)
      let error = #expect(throws: FormatError.self) { try Safetensors.read(path) }
      #expect(error?.kind == .unsupportedDType)
      #expect(error?.description.contains(dtype.rawValue) == true)
    }
    for dtype in DType.allCases { #expect(SafetensorsDType(dtype).dtype == dtype) }
  }

  @Test("a bool is 0 or 1")
  func bools() throws {
    let folder = try TemporaryFolder()
    var bytes = Self.reference
    bytes[bytes.count - 1] = 2
    let error = #expect(throws: FormatError.self) { try Safetensors.read(folder.write(bytes, "b")) }
    #expect(error?.kind == .value)
    #expect(error?.place == .byte(bytes.count - 1))
  }

  @Test("what the format cannot hold isn't written, and the old file stays")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("w.safetensors")
    try Safetensors.write([("old", Tensor(1))], to: path)
    let one = Tensor([1.0])
    func kind(_ tensors: [(name: String, tensor: Tensor)]) -> FormatError.Kind? {
      #expect(throws: FormatError.self) { try Safetensors.write(tensors, to: path) }?.kind
    }
    #expect(kind([("a", one), ("a", one)]) == .duplicateKey)
    #expect(kind([("__metadata__", one)]) == .duplicateKey)
    #expect(kind([(String(repeating: "n", count: 64 << 10 + 1), one)]) == .nameTooLong)
    #expect(kind([("a", one.reshape(Shape([Int](repeating: 1, count: 65))))]) == .rankTooLarge)
    #expect(throws: FileError.self) { try Safetensors.write([("a", one)], to: folder.file("no/folder/a")) }
    #expect(folder.names() == ["w.safetensors"])
    #expect(try Safetensors.read(path).tensors.map(\.name) == ["old"])
  }

  @Test("files that aren't there, or aren't files")
  func missingFiles() throws {
    let folder = try TemporaryFolder()
    let missing = #expect(throws: FileError.self) { try Safetensors.read(folder.file("nothing")) }
    #expect(missing?.isNotFound == true)
    #expect(throws: FileError.self) { try Safetensors.read(folder.path) }
    #expect(throws: FileError.self) { try Safetensors.read("/dev/null") }
    let empty = #expect(throws: FormatError.self) { try Safetensors.read(folder.write([], "empty")) }
    #expect(empty?.kind == .truncated)
  }
}
