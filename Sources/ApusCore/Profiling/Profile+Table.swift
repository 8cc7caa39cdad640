extension Profile: CustomStringConvertible {
  /// The table of all ops, then that of the spans.
  public var description: String { table() }

  /// Ops with their calls, time, share, time for a call, and what they achieved: GFLOP/s where arithmetic is the limit, GB/s of operands and
  /// results.
  ///
  /// - Parameter limit: rows to show; the others are summed up in one.
  public func table(limit: Int = .max) -> String {
    var lines = [line("op", ["calls", "time", "share", "per call", "GFLOP/s", "GB/s"])]
    for row in ops.prefix(limit) {
      lines.append(
        line(
          row.name,
          [
            "\(row.calls)", time(row.ownTime), share(row.ownTime), time(row.ownTime / Double(row.calls)),
            row.flops > 0 ? formatted("%.1f", row.flopRate / 1e9) : "", formatted("%.1f", row.bandwidth / 1e9),
          ]))
    }
    let rest = ops.dropFirst(limit)
    if !rest.isEmpty {
      let restTime = rest.reduce(0) { $0 + $1.ownTime }
      lines.append(
        line("\(rest.count) more", ["\(rest.reduce(0) { $0 + $1.calls })", time(restTime), share(restTime), "", "", ""]))
    }
    let outside = max(duration - opTime, 0)
    lines.append(line("outside of ops", ["", time(outside), share(outside), "", "", ""]))
    lines.append(line("in all", ["", time(duration), share(duration), "", "", ""]))
    lines.append("\(blocks) blocks of memory for tensors, \(formatted("%.1f", Double(blockBytes) / 1e6)) MB together")
    guard !spans.isEmpty else { return lines.joined(separator: "\n") }
    lines += ["", line("span", ["calls", "time", "share", "per call", "", ""])]
    for row in spans {
      lines.append(
        line(row.name, ["\(row.calls)", time(row.time), share(row.time), time(row.time / Double(row.calls)), "", ""]))
    }
    return lines.joined(separator: "\n")
  }

  private func line(_ name: String, _ cells: [String]) -> String {
    let width = 36
    let name = name.count <= width ? name : name.prefix(width - 1) + "…"
    var text = name + String(repeating: " ", count: width - name.count)
    for cell in cells { text += String(repeating: " ", count: max(10 - cell.count, 1)) + cell }
    while text.last == " " { text.removeLast() }
    return text
  }

  private func share(_ seconds: Double) -> String { duration > 0 ? formatted("%.1f", 100 * seconds / duration) + " %" : "" }

  private func time(_ seconds: Double) -> String {
    if seconds >= 1 { return formatted("%.3f", seconds) + " s" }
    return seconds >= 1e-3 ? formatted("%.2f", seconds * 1e3) + " ms" : formatted("%.1f", seconds * 1e6) + " µs"
  }
}
