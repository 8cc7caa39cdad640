import Apus
import Foundation

/// A reader to be fuzzed.
enum Target: String, CaseIterable {
  case safetensors, npy, npz, pth, pickle, idx, png, tokenizer, csv

  var suffix: String {
    switch self {
    case .safetensors, .npy, .npz, .pth, .png, .csv: rawValue
    case .pickle: "pth"
    case .idx: "idx"
    case .tokenizer: "json"
    }
  }

  /// The file that an input makes. Where checksums would end nearly every try at once they are made right.
  func prepared(_ input: [UInt8]) -> [UInt8] {
    switch self {
    case .pickle: StoredArchive.torch(pickle: input)
    case .png: PNGChunks.repaired(input)
    default: input
    }
  }

  /// Reads the file, and every byte of what came of it.
  func read(_ path: String) throws {
    switch self {
    case .safetensors: touch(try Safetensors.read(path).tensors)
    case .npy: touch([("", try Npy.read(path))])
    case .npz: touch(try Npz.read(path))
    case .pth, .pickle: touch(try PthFile(path).tensors())
    case .idx:
      let file = try IDX.read(path)
      Harness.require(file.bytes.count == file.shape.reduce(1, *), "\(file.shape)")
    case .png: touch([("", try PNG.read(path))])
    case .tokenizer:
      let tokenizer = try BPETokenizer.load(path)
      let tokens = tokenizer.encode("The quick, brown fox")
      Harness.require(tokens.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) }, "\(tokens)")
    case .csv: _ = try CSV.read(path)
    }
  }

  private func touch(_ tensors: [(name: String, tensor: Tensor)]) {
    for (_, tensor) in tensors {
      Harness.require(tensor.count == tensor.shape.reduce(1, *), "\(tensor.shape)")
      tensor.withUnsafeBytes { bytes in Harness.require(bytes.count == tensor.count * tensor.dtype.itemSize, "\(bytes.count)") }
    }
  }
}

// MARK: - Seeds

extension Target {
  /// Sound files, one for each dtype and feature.
  func seeds() throws -> [[UInt8]] {
    switch self {
    case .safetensors: try Self.written("safetensors", Self.samples.map { [$0] } + [Self.samples])
    case .npy: try Self.written("npy", Self.numpySamples.map { [$0] })
    case .npz:
      try Self.written("npz", [Self.numpySamples])
        + [try Self.file("npz") { try Npz.write(Self.numpySamples, to: $0, isCompressed: true) }]
    case .pth: try Self.written("pth", Self.samples.map { [$0] } + [Self.samples])
    case .pickle: try Self.written("pth", Self.samples.map { [$0] } + [Self.samples]).compactMap(StoredArchive.pickle)
    case .idx: [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4], [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]]
    case .png:
      try (1...4).map { channels in
        try Self.file("png") { try PNG.write(Tensor.full([channels, 5, 3], 100, dtype: .uint8), to: $0) }
      }
    case .tokenizer:
      [
        try Self.file("json") { try BPETokenizer.train(["the cat and the other cat"], vocabularySize: 270).save(to: $0) }
      ]
    case .csv: [Array("a,b\r\n1,\"x\"\"y\"\r\n-2.5e3,\"z\n\"\r\n".utf8), Array("x;y\n1;2\n".utf8)]
    }
  }

  private static let dtypes: [DType] = [
    .float32, .float64, .float16, .bfloat16, .int64, .int32, .int16, .int8, .uint8, .bool,
  ]

  private static let samples: [(name: String, tensor: Tensor)] =
    dtypes.map { (name: "\($0)", tensor: Tensor.ones([2, 3], dtype: $0)) } + [
      ("scalar", Tensor.full([], 1)), ("empty", Tensor.zeros([0, 2])), ("turned", Tensor.ones([2, 3]).transpose(0, 1)),
    ]

  /// NumPy has no bfloat16.
  private static let numpySamples = samples.filter { $0.tensor.dtype != .bfloat16 }

  private static func written(_ suffix: String, _ files: [[(name: String, tensor: Tensor)]]) throws -> [[UInt8]] {
    try files.map { tensors in try file(suffix) { try TensorFile.write(tensors, to: $0) } }
  }

  private static func file(_ suffix: String, _ write: (String) throws -> Void) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + "apus-fuzz-seed-\(getpid()).\(suffix)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(path)
    return try Array(Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
