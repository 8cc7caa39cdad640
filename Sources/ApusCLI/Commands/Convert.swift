import Apus

extension Command {
  private static let compress = Option<Bool>.flag("compress", "Compress the arrays of a .npz file")

  static let convert = Command(
    name: "convert", summary: "Write the tensors of a file in another format",
    discussion:
      "The suffixes say which formats: .safetensors, .npz, .npy (one array), .pth or .pt (PyTorch). Names, order and dtypes stay, "
      + "as far as the format allows: .safetensors puts larger elements first, .npz and .npy have no bfloat16.",
    operands: [
      Operand(name: "input", plural: "inputs", help: "The file to read, of Apus or any other program"),
      Operand(
        name: "output", plural: "outputs", help: "The file to write; one that is there is replaced when the new one is whole"),
    ],
    options: [compress],
    examples: [
      Example(line: "apus convert resnet18.pth resnet18.safetensors", help: "Weights from PyTorch"),
      Example(line: "apus convert model.safetensors model.npz", help: "For NumPy"),
    ],
    run: { arguments in
      let (input, output) = (arguments.operands[0], arguments.operands[1])
      let contents = try TensorFile.read(input)
      try TensorFile.write(
        contents.tensors, metadata: contents.metadata, to: output, isCompressed: arguments.has(compress))
      let bytes = contents.tensors.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.itemSize }
      Terminal.standardOutput.line(
        "\(printable(output)): \(counted(contents.tensors.count, "tensor", "tensors")), \(byteCount(bytes))")
      if !contents.metadata.isEmpty, TensorFile.Format(suffixOf: output) != .safetensors {
        Terminal.standardError.line(
          "note: \(counted(contents.metadata.count, "metadata entry", "metadata entries")) left out: only .safetensors has a place for them"
        )
      }
      return 0
    })
}
