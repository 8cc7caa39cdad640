import Apus

extension Command {
  static let inspect = Command(
    name: "inspect", summary: "List the tensors of a safetensors file",
    operands: [Operand(name: "file", plural: "files", help: "A .safetensors file, of Apus or any other program")],
    examples: [Example(line: "apus inspect runs/digits/model.safetensors", help: "What a run has saved")],
    run: { arguments in
      let file = try SafetensorsFile(arguments.operands[0])
      let isVerified = try file.verifyDigest()
      let output = Terminal.standardOutput
      // A dtype that Apus doesn't have goes by its name in the file.
      let rows = file.entries.map { entry in
        [
          printable(entry.name), entry.dtype.dtype?.name ?? entry.dtype.rawValue, "\(entry.shape)",
          byteCount(entry.bytes.count),
        ]
      }
      let bytes = file.entries.reduce(0) { $0 + $1.bytes.count }
      let elements = file.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
      output.write(table([["name", "dtype", "shape", "size"]] + rows, rightAligned: 3))
      output.line()
      output.line(
        "\(counted(rows.count, "tensor", "tensors")), \(counted(elements, "element", "elements")), \(byteCount(bytes))"
          + (isVerified ? ", content verified" : ""))
      for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) {
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
