import ApusCore
import ApusFormats
import TestSupport
import Testing

@Suite struct TensorFileTests {
  @Test(
    "tensors go through every format: names, order, dtypes, values", arguments: TensorFile.Format.allCases.filter { $0 != .npy })
  func formats(format: TensorFile.Format) throws {
    let folder = try TemporaryFolder()
    let tensors: [(name: String, tensor: Tensor)] = [
      ("b.weight", samples([2, 3], seed: 1)), ("a", Tensor([1, 2])), ("half", Tensor([[0.5], [1]]).to(.float16)),
      ("flag", Tensor(true)),
    ]
    for suffix in format.suffixes {
      let path = folder.file("x" + suffix.uppercased())
      try TensorFile.write(tensors, metadata: ["k": "v"], to: path)
      let contents = try TensorFile.read(path)
      let listing = try TensorFile.list(path)
      #expect(contents.format == format && listing.format == format)
      #expect(contents.metadata == (format == .safetensors ? ["k": "v"] : [:]))
      // safetensors puts larger elements first.
      let names = format == .safetensors ? ["b.weight", "a", "half", "flag"] : tensors.map(\.name)
      #expect(contents.tensors.map(\.name) == names && listing.entries.map(\.name) == names)
      #expect(listing.entries.map(\.dtype) == ["float64", "int64", "float16", "bool"])
      #expect(listing.entries.map(\.byteCount) == [48, 16, 4, 1])
      for (name, tensor) in tensors {
        let back = try #require(contents.tensors.first { $0.name == name }?.tensor)
        #expect(back.dtype == tensor.dtype && back.shape == tensor.shape)
        #expect(back.withUnsafeBytes(Array.init) == tensor.withUnsafeBytes(Array.init))
      }
    }
  }

  @Test("one tensor without a name has the file's")
  func single() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("some.weights.npy")
    try TensorFile.write([("anything", Tensor([1.5]))], to: path)
    #expect(try TensorFile.read(path).tensors.map(\.name) == ["some.weights"])
    #expect(try TensorFile.list(path).entries.map(\.name) == ["some.weights"])
    #expect(try TensorFile.read(folder.write(bytes(ClientFiles.pthTensor), "t.pth")).tensors.map(\.name) == ["t"])
    let error = formatError { try TensorFile.write([("a", Tensor(1)), ("b", Tensor(2))], to: path) }
    #expect(error?.kind == .unsupported && error?.reason == "a .npy file holds one array, not 2; .npz holds several")
  }

  @Test("what a PyTorch file holds besides tensors is metadata")
  func metadata() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes(ClientFiles.pthProtocol2), "c.pth")
    let contents = try TensorFile.read(path)
    #expect(contents.tensors.map(\.name) == ["model.w", "model.none"])
    #expect(contents.metadata["epoch"] == "7" && contents.metadata["name"] == "näme" && contents.metadata["betas.1"] == "0.75")
    #expect(try TensorFile.list(path).metadata == contents.metadata)
  }

  @Test("a suffix that says nothing: the first bytes decide when reading, nothing is written")
  func suffixes() throws {
    let folder = try TemporaryFolder()
    for (file, format) in [
      (ClientFiles.npyFloat32, .npy), (ClientFiles.npzStored, .npz), (ClientFiles.pthShared, .pth),
    ] as [(String, TensorFile.Format)] {
      #expect(try TensorFile.list(folder.write(bytes(file), "model.x")).format == format)
    }
    #expect(try TensorFile.list(folder.write(SafetensorsTests.reference, "model")).format == .safetensors)
    #expect(formatError { _ = try TensorFile.list(folder.write(bytes(ClientFiles.pthLegacy), "old")) }?.kind == .unsupported)
    // No second guess: what isn't what its name says is an error.
    #expect(formatError { _ = try TensorFile.read(folder.write(bytes(ClientFiles.npyFloat32), "x.npz")) }?.kind == .notThisFormat)
    #expect(formatError { _ = try TensorFile.read(folder.write(bytes(ClientFiles.npzStored), "x.npy")) }?.kind == .notThisFormat)
    let error = formatError { try TensorFile.write([("a", Tensor(1))], to: folder.file("a.txt")) }
    #expect(error?.reason == "its name ends with none of .safetensors, .npz, .npy, .pth, .pt, .ckpt, .bin")
    #expect(
      formatError { try TensorFile.write([("a", Tensor(1))], to: folder.file("a.pth"), isCompressed: true) }?.kind == .unsupported
    )
    #expect(
      formatError { try TensorFile.write([("a", Tensor(1)), ("a", Tensor(1))], to: folder.file("a.pth")) }?.kind == .duplicateKey)
    #expect(!folder.exists("a.txt") && !folder.exists("a.pth"))
  }
}
