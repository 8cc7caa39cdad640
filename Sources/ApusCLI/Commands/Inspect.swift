import Apus

extension Command {
  static let inspect = Command(
    name: "inspect", summary: "List the tensors of a file",
    discussion:
      "Safetensors (.safetensors), NumPy (.npy, .npz) and PyTorch files (.pth, .pt): nothing in a file is ever executed.",
    operands: [Operand(name: "file", plural: "files", help: "A file with tensors, of Apus or any other program")],
    examples: [Example(line: "apus inspect runs/digits/model.safetensors", help: "What a run has saved")],
    run: { arguments in
      let listing = try TensorFile.list(arguments.operands[0])
      let output = Terminal.standardOutput
      let rows = listing.entries.map {
        [printable($0.name), printable($0.dtype, limit: 40), "\($0.shape)", byteCount($0.byteCount)]
      }
      let bytes = listing.entries.reduce(0) { $0 + $1.byteCount }
      let elements = listing.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
      output.write(table([["name", "dtype", "shape", "size"]] + rows, rightAligned: 3))
      output.line()
      output.line(
        "\(counted(rows.count, "tensor", "tensors")), \(counted(elements, "element", "elements")), \(byteCount(bytes))"
          + (listing.isVerified ? ", content verified" : ""))
      for (key, value) in listing.metadata.sorted(by: { $0.key < $1.key }) {
        output.line("\(printable(key, limit: 80)): \(printable(value, limit: 200))")
      }
      return 0
    })
}

/// Rows with aligned columns.
func table(_ rows: [[String]], rightAligned: Int? = nil) -> String {
  let widths = (0..<(rows.first?.count ?? 0)).map { i in rows.map { $0[i].count }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { i, cell in
      let space = String(repeating: " ", count: widths[i] - cell.count)
      return i == rightAligned ? space + cell : i == row.count - 1 ? cell : cell + space
    }
    return cells.joined(separator: "  ") + "\n"
  }.joined()
}
