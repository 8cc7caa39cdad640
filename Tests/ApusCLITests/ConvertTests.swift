import Apus
import Foundation
import TestSupport
import Testing

@Suite("convert")
struct ConvertTests {
  private let tensors: [(name: String, tensor: Tensor)] = [
    ("layer.weight", Tensor([[1.5, 2], [3, 4]])), ("layer.bias", Tensor([0.5, -1])), ("steps", Tensor(7)),
  ]

  @Test("round the formats: names, dtypes and values come back")
  func around() throws {
    let folder = try TemporaryFolder()
    try TensorFile.write(tensors, metadata: ["format": "pt"], to: folder.file("a.safetensors"))
    for (input, output) in [("a.safetensors", "b.npz"), ("b.npz", "c.pth"), ("c.pth", "d.pt"), ("d.pt", "e.safetensors")] {
      let run = try Apus.run("convert", input, output, in: folder)
      #expect(run.code == 0 && run.output == "\(output): 3 tensors, 32 B\n", "\(run.output) \(run.errors)")
      // Only the first has metadata.
      #expect(run.errors.isEmpty == (input != "a.safetensors"))
      let listed = try Apus.run("inspect", output, in: folder)
      #expect(listed.code == 0 && listed.output.contains("layer.weight") && listed.output.contains("3 tensors, 7 elements"))
    }
    let (before, after) = (try TensorFile.read(folder.file("a.safetensors")), try TensorFile.read(folder.file("e.safetensors")))
    #expect(before.tensors.map(\.name) == after.tensors.map(\.name))
    for (x, y) in zip(before.tensors, after.tensors) {
      #expect(x.tensor.dtype == y.tensor.dtype)
      #expect(x.tensor.withUnsafeBytes { Array($0) } == y.tensor.withUnsafeBytes { Array($0) })
    }
  }

  @Test("--compress makes a smaller .npz with the same content")
  func compress() throws {
    let folder = try TemporaryFolder()
    try TensorFile.write([("zeros", Tensor.zeros([1000]))], to: folder.file("a.npz"))
    #expect(try Apus.run("convert", "a.npz", "b.npz", "--compress", in: folder).code == 0)
    #expect(try folder.read("b.npz").count < 400)
    #expect(try TensorFile.read(folder.file("b.npz")).tensors[0].tensor.shape == [1000])
  }

  @Test("what cannot be read or written: one line with the file, the place and the reason, code 1, and no output")
  func failures() throws {
    let folder = try TemporaryFolder()
    try TensorFile.write(tensors, to: folder.file("a.pth"))
    try TensorFile.write([("half", Tensor([1.0]).to(.bfloat16))], to: folder.file("half.pth"))
    try Data("hello, world, hello".utf8).write(to: URL(fileURLWithPath: folder.file("text.npz")))
    var damaged = try folder.read("a.pth")
    damaged[70] ^= 0xFF  // in the pickle, which starts at byte 64
    try folder.write(damaged, "damaged.pth")
    for (input, output, message) in [
      ("missing.npz", "x.npz", "apus: missing.npz: cannot open: No such file or directory"),
      ("text.npz", "x.pth", "apus: text.npz: byte 0: doesn't begin as a zip archive"),
      ("damaged.pth", "x.npz", "apus: damaged.pth: archive/data.pkl: its content has changed since it was stored"),
      ("a.pth", "x.npy", "apus: x.npy: a .npy file holds one array, not 3"),
      ("half.pth", "x.npz", "apus: x.npz: 'half': NumPy has no bfloat16"),
      ("a.pth", "x.onnx", "apus: x.onnx: its name ends with none of .safetensors"),
      ("a.pth", "no/x.npz", "apus: no/x.npz: cannot create a file: No such file or directory"),
    ] {
      let run = try Apus.run("convert", input, output, in: folder)
      #expect(run.code == 1 && run.output.isEmpty)
      #expect(run.errorLines.count == 1 && run.errors.hasPrefix(message), "\(run.errors)")
    }
    #expect(folder.names() == ["a.pth", "damaged.pth", "half.pth", "text.npz"])
  }
}
