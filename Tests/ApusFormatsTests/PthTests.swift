import ApusCore
import ApusFormats
import TestSupport
import Testing

private func open(_ file: [UInt8], growthLimit: Int? = nil) throws -> PthFile {
  try PthFile(MappedFile(file, path: "t.pth"), growthLimit: growthLimit)
}

private func value(_ file: [UInt8]) throws -> PthValue { try open(file).value() }

@Suite struct PthTests {
  @Test("a state dictionary of PyTorch: names, order, dtypes, values")
  func stateDictionary() throws {
    let file = try open(bytes(ClientFiles.pthStateDictionary))
    #expect(
      file.entries.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
      ])
    #expect(file.entries.map(\.shape) == [[1, 2], [1], [1], [1], [1], [1], []])
    #expect(file.entries.last?.dtype == .int64 && file.entries.last?.byteCount == 8)
    for (i, (_, tensor)) in try file.tensors().enumerated() {
      #expect(Array(tensor.shape) == file.entries[i].shape)
      #expect(tensor.scalars(as: Int.self).allSatisfy { $0 == i + 1 })
      #expect(try file.tensor(file.entries[i]).scalars(as: Int.self) == tensor.scalars(as: Int.self))
    }
    #expect(try file.value()["1.bias"]?.tensor?.item() == 4)
  }

  @Test("strides, offsets and shared storages")
  func shared() throws {
    let file = try open(bytes(ClientFiles.pthShared))
    #expect(file.entries.map(\.name) == ["0", "1", "2", "3"])
    let tensors = try file.tensors().map(\.tensor)
    #expect(tensors[0].scalars(as: Int.self) == [0, 1, 2, 3, 4, 5])
    #expect(tensors[1].array(as: [[Float]].self) == [[0, 3], [1, 4], [2, 5]])
    #expect(tensors[1].strides == [1, 3])
    #expect(tensors[2].scalars(as: Int.self) == [4, 5])
    #expect(tensors[3].array(as: [[Float]].self) == [[1, 1], [1, 1]])
    #expect(tensors[0].data.storage === tensors[1].data.storage && tensors[0].data.storage === tensors[2].data.storage)
    #expect(tensors[0].data.storage !== tensors[3].data.storage)
  }

  @Test("every dtype")
  func dtypes() throws {
    let tensors = try open(bytes(ClientFiles.pthDTypes)).tensors()
    #expect(tensors.map(\.name) == DType.allCases.map { "torch.\($0.name)" })
    #expect(tensors.map(\.tensor.dtype) == DType.allCases)
    for (_, tensor) in tensors { #expect(tensor.scalars(as: Int.self) == [0, 1]) }
  }

  @Test(
    "a checkpoint with all kinds of values, protocols 2 and 5", arguments: [ClientFiles.pthProtocol2, ClientFiles.pthProtocol5])
  func checkpoint(file: String) throws {
    let text = """
      {'model': {'w': tensor([1, 1], float32), 'none': tensor([0, 3], float32)}, 'epoch': 7, 'lr': 0.25, 'name': 'näme', \
      'big': -0x56bc75e2d63100000, 'ok': True, 'nothing': None, 'betas': (0.5, 0.75), 'list': [1, -300, 70000, 1099511627776], \
      'size': torch.Size([2, 3]), 'dtype': torch.float16, 'device': device('cpu'), 'set': {5}, 'bytes': 2 bytes, \
      'complex': (1.0+2.0j), 3: 'three', 'counter': {8: 1}}
      """
    let checkpoint = try value(bytes(file))
    #expect(checkpoint.description == text)
    guard case .bytes([0, 255]) = checkpoint["bytes"] else { return #expect(Bool(false)) }
    // And back again.
    let folder = try TemporaryFolder()
    try Pth.write(checkpoint, to: folder.file("c.pth"))
    #expect(try Pth.read(folder.file("c.pth")).description == text)
    let metadata = try PthFile(folder.file("c.pth")).metadata
    #expect(metadata.contains { $0 == ("name", "näme") } && metadata.contains { $0 == ("betas.1", "0.75") })
  }

  @Test("every dtype and awkward shape comes back bit for bit", arguments: DType.allCases)
  func roundTrip(dtype: DType) throws {
    let folder = try TemporaryFolder()
    let shapes: [Shape] = [[], [0], [1], [7], [2, 3], [3, 0, 2], [1, 2, 1, 3, 1]]
    let tensors = shapes.map { shape in
      let bytes = (0..<shape.elementCount * dtype.itemSize).map {
        dtype == .bool ? UInt8($0 & 1) : UInt8(truncatingIfNeeded: $0 &* 151 &+ 77)
      }
      return bytes.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: dtype) }
    }
    try Pth.write(.stateDictionary(tensors.enumerated().map { ("t\($0)", $1) }), to: folder.file("x.pth"))
    let back = try PthFile(folder.file("x.pth")).tensors()
    for (tensor, (_, other)) in zip(tensors, back) {
      #expect(tensor.shape == other.shape && tensor.dtype == other.dtype)
      #expect(tensor.withUnsafeBytes(Array.init) == other.withUnsafeBytes(Array.init))
    }
    let first = try folder.read("x.pth")
    try Pth.write(.stateDictionary(back.map { ($0.name, $0.tensor) }), to: folder.file("y.pth"))
    #expect(try folder.read("y.pth") == first)
  }

  @Test("what shares memory shares it in the file, and what it doesn't show stays out")
  func sharing() throws {
    let folder = try TemporaryFolder()
    let x = samples([100, 10], seed: 3)
    let tensors: [Tensor] = [x.T, x[3], x, x[5], Tensor([7.0]).expand([2, 3]), samples([50, 50], seed: 4).T[1]]
    try Pth.write(.list(tensors.map { .tensor($0) }), to: folder.file("s.pth"))
    let back = try PthFile(folder.file("s.pth")).tensors().map(\.tensor)
    for (tensor, other) in zip(tensors, back) {
      #expect(tensor.shape == other.shape)
      #expect(tensor.withUnsafeBytes { Array($0) } == other.withUnsafeBytes { Array($0) })
    }
    #expect(back[0].strides == [1, 10] && back[4].strides == [0, 0] && back[5].strides == [1])
    #expect(back[0].data.storage === back[1].data.storage && back[0].data.storage === back[2].data.storage)
    #expect(try folder.read("s.pth").count < 8000 + 400 + 3000)
    // Two pieces of one tensor that don't meet are two storages.
    try Pth.write(.list([.tensor(x[0]), .tensor(x[99])]), to: folder.file("p.pth"))
    #expect(try folder.read("p.pth").count < 2000)
  }

  @Test("single tensors, and plain values without one")
  func plain() throws {
    #expect(try value(bytes(ClientFiles.pthTensor)).tensor?.item() == 2.5)
    #expect(try open(bytes(ClientFiles.pthTensor)).entries.map(\.name) == [""])
    let folder = try TemporaryFolder()
    for (value, text) in [
      (.null, "None"), (.int(.min), "-9223372036854775808"), (.int(-1), "-1"), (.int(256), "256"), (.list([]), "[]"),
      (.tuple([]), "()"),
      (.tuple([.int(1)]), "(1,)"), (.dictionary([], isOrdered: true), "{}"), (.size([]), "torch.Size([])"), (.string(""), "''"),
      (.float(-0.5), "-0.5"), (.bytes([]), "0 bytes"),
    ] as [(PthValue, String)] {
      try Pth.write(value, to: folder.file("v.pth"))
      #expect(try Pth.read(folder.file("v.pth")).description == text)
    }
    #expect(formatError { try Pth.write(.dictionary([(.list([]), .int(1))]), to: folder.file("k")) }?.kind == .type)
  }

  @Test("what isn't data, or isn't ours, is refused by name")
  func refusals() {
    for (file, kind, text) in [
      (ClientFiles.pthFunction, .global, "t.pth: archive/data.pkl, byte 2: names '__builtin__.print', which isn't on the list"),
      (ClientFiles.pthLegacy, .unsupported, "t.pth: byte 0: PyTorch's format from before version 1.6"),
      (ClientFiles.pthScript, .unsupported, "t.pth: a TorchScript program, not weights"),
      (ClientFiles.npzStored, .notThisFormat, "t.pth: a zip archive without a.npy/data.pkl: not a PyTorch file"),
      (ClientFiles.npyFloat32, .notThisFormat, "t.pth: byte 0: doesn't begin as a zip archive"),
      (
        ClientFiles.pthUnsigned, .unsupportedDType, "t.pth: archive/data/0: its dtype uint16 is none that an Apus tensor can have"
      ),
      (ClientFiles.pthComplex, .unsupportedDType, "t.pth: archive/data/0: its dtype complex64 is none"),
    ] as [(String, FormatError.Kind, String)] {
      let error = formatError { _ = try value(bytes(file)) }
      #expect(error?.kind == kind)
      #expect(error?.description.hasPrefix(text) == true, "\(error?.description ?? "nothing")")
    }
  }

  @Test("every flipped bit of the content is noticed, and no flipped bit is ever a crash")
  func flips() throws {
    let sound = bytes(ClientFiles.pthTensor)
    for bit in 0..<sound.count * 8 {
      var damaged = sound
      damaged[bit / 8] ^= 1 << (bit % 8)
      if let value = try? value(damaged) { #expect(value.tensor?.item() == 2.5, "bit \(bit)") }
    }
    for count in 0..<sound.count { #expect(throws: FormatError.self) { try value(Array(sound[..<count])) } }
  }
}
