import Apus
import Foundation

extension Command {
  static let info = Command(
    name: "info", summary: "Show version, instruction set, threads, memory limit and data folders",
    examples: [Example(line: "APUS_NUM_THREADS=4 apus info", help: "What a setting does")],
    run: { _ in
      let locator = DataLocator()
      let folders = locator.folders.map { folder in
        FileManager.default.fileExists(atPath: folder) ? folder : "\(folder) (not there)"
      }
      let sets = DataCatalog.rows(locator)
      let width = sets.map(\.0.count).max() ?? 0
      let rows = [
        ("version", [Runtime.version]),
        ("instruction set", [Runtime.instructionSet]),
        ("threads", ["\(Runtime.threadCount)"]),
        ("memory limit", [Memory.limit.map { byteCount($0) } ?? "none"]),
        ("data folders", folders.map { printable($0) }),
        ("data sets", sets.map { $0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + printable($1) }),
      ]
      for (name, lines) in rows {
        for (i, line) in lines.enumerated() {
          let heading = (i == 0 ? name : "").padding(toLength: 17, withPad: " ", startingAt: 0)
          Terminal.standardOutput.line(heading + line)
        }
      }
      return 0
    })
}
