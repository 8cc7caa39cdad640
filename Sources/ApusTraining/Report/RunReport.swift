import ApusFormats

/// A run on one page: what it was, how it went, and every picture of it, in one HTML file that needs no network and no other file, and
/// is readable on a phone, light or dark.
public struct RunReport: Sendable {
  public let title: String
  /// One line below the title.
  public let summary: String
  /// What was asked for and what came out, in order.
  public let facts: [(name: String, value: String)]
  /// The passes of the run.
  public let history: [PassResult]
  public let pictures: [Drawing]
  /// Texts of several lines, such as the layers of the model, with their headings.
  public let listings: [(name: String, text: String)]

  public init(
    title: String, summary: String = "", facts: [(name: String, value: String)] = [], history: [PassResult] = [],
    pictures: [Drawing] = [], listings: [(name: String, text: String)] = []
  ) {
    (self.title, self.summary, self.facts) = (title, summary, facts)
    (self.history, self.pictures, self.listings) = (history, pictures, listings)
  }

  /// Writes the page; it appears whole or not at all.
  public func write(to path: String) throws(FileError) { try AtomicFile.write(html(), to: path) }

  /// The page.
  public func html() -> String {
    let body = [
      "<h1>\(escaped(title))</h1>", summary.isEmpty ? "" : "<p class=\"lead\">\(escaped(summary))</p>", factTable,
      pictures.map(figure).joined(separator: "\n"), historyTable, listings.map(listing).joined(separator: "\n"),
    ]
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(escaped(title))</title>
      <style>
      \(Self.pageStyle)\(Drawing.style)</style>
      </head>
      <body>
      <main>
      \(body.filter { !$0.isEmpty }.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  private var factTable: String {
    guard !facts.isEmpty else { return "" }
    let rows = facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }
    return "<dl>\n\(rows.joined(separator: "\n"))\n</dl>"
  }

  private func figure(_ drawing: Drawing) -> String {
    // Pictures that are wider than the page can be pushed; letters would become too small otherwise.
    "<figure tabindex=\"0\"><div style=\"min-width:\(Int(min(drawing.width, 560)))px;max-width:\(Int(drawing.width))px\">\n"
      + "\(drawing.inlineSVG())</div></figure>"
  }

  private func listing(_ item: (name: String, text: String)) -> String {
    "<details>\n<summary>\(escaped(item.name))</summary>\n<pre tabindex=\"0\">\(escapedLines(item.text))</pre>\n</details>"
  }

  private func escapedLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }.joined(separator: "\n")
  }
}

// MARK: - The passes

extension RunReport {
  /// A row for each epoch: training, test, time.
  private var historyTable: String {
    guard !history.isEmpty else { return "" }
    let metrics = Self.ordered(history.flatMap { $0.metrics.map(\.name) })
    let splits = Self.ordered(history.map(\.pass.split.rawValue))
    let columns = splits.flatMap { split in (["loss"] + metrics).map { (split: split, name: $0) } }
    let head = ["epoch"] + columns.map { "\($0.split) \($0.name)" } + ["time"]
    let rows = Self.ordered(history.map(\.pass.epoch)).map { epoch in
      let passes = history.filter { $0.pass.epoch == epoch }
      let cells = columns.map { column in
        passes.last { $0.pass.split.rawValue == column.split }.flatMap { $0[column.name] }.map { Self.text($0, column.name) }
          ?? ""
      }
      return ["\(epoch)"] + cells + [duration(passes.reduce(0) { $0 + $1.seconds })]
    }
    func row(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
    }
    return """
      <h2>Epochs</h2>
      <div class="scroll" tabindex="0"><table>
      <thead>\(row(head, "th"))</thead>
      <tbody>
      \(rows.map { row($0, "td") }.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }

  private static func text(_ value: Double, _ name: String) -> String {
    name.hasSuffix("accuracy") ? percent(value) : short(value)
  }

  /// Each value once, in the order of their first places.
  private static func ordered<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen = Set<Value>()
    return values.filter { seen.insert($0).inserted }
  }
}

// MARK: - Style

extension RunReport {
  private static let pageStyle = """
      :root { color-scheme: light dark; --page: #ffffff; --text: #222222; --faint: #666666; --rule: #e3e3e3; --soft: #f6f7f8 }
      @media (prefers-color-scheme: dark) {
        :root { --page: #15181c; --text: #dddddd; --faint: #a0a6ad; --rule: #2c3138; --soft: #1c2026 }
      }
      body { margin: 0; background: var(--page); color: var(--text);
        font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
      main { max-width: 60rem; margin: 0 auto; padding: 1rem }
      h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 .25rem; overflow-wrap: anywhere }
      h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
      .lead { color: var(--faint); margin: 0 0 1rem }
      dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1rem; padding: .75rem 1rem;
        background: var(--soft); border-radius: .5rem }
      dt { color: var(--faint) }
      dd { margin: 0; overflow-wrap: anywhere }
      figure { margin: 1.5rem 0; overflow-x: auto }
      figure svg { display: block; width: 100%; height: auto }
      .scroll, pre { overflow-x: auto }
      table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
      th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap }
      th { color: var(--faint); font-weight: 600 }
      details { margin: 1rem 0 }
      summary { cursor: pointer }
      pre { background: var(--soft); padding: .75rem 1rem; border-radius: .5rem; font-size: .8rem; line-height: 1.4 }

    """
}
