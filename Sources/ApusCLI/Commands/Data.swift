import Apus

extension Command {
  private static let dataFolder = Option.text(
    "data", "DIR", accepts: "a folder", "Folder to look in first, then come those in APUS_DATA and the user's cache")

  static let data = Command(
    name: "data", summary: "Show the data sets and where they are, download one, or look into it",
    operands: [
      Operand(
        name: "action", plural: "actions", help: "",
        choices: [
          ("list", "List the data sets and where they are"), ("get", "Download a data set, or verify the copy that is there"),
          ("show", "Say what is in a data set, and show its first samples"),
        ]),
      Operand(
        name: "set", plural: "sets", help: "", choices: DataCatalog.sets.map { ($0.name, $0.help) } + DataShow.builtIn,
        isOptional: true),
    ],
    options: [dataFolder, DataShow.output, DataShow.count],
    examples: [
      Example(line: "apus data list --data ~/data", help: "Is my copy found?"),
      Example(line: "apus data get cifar-10", help: "To have it before the network is gone"),
      Example(line: "apus data show mnist -o mnist.png", help: "The first 64 pictures"),
    ],
    run: { arguments in
      let locator = DataLocator(folder: arguments[dataFolder])
      let set = arguments.operands.dropFirst().first
      switch arguments.operands.first {
      case "get": try get(set, locator)
      case "show":
        guard let set else { throw UsageError("data: show needs a set: \(all.joined(separator: ", "))") }
        try DataShow.show(set, locator, arguments)
      case _:
        if let set { throw UsageError("data: list takes no set, not '\(set)'") }
        Terminal.standardOutput.write(table(DataCatalog.rows(locator).map { [$0, printable($1)] }))
      }
      return 0
    })

  private static let all = DataCatalog.sets.map(\.name) + DataShow.builtIn.map(\.name)

  private static func get(_ name: String?, _ locator: DataLocator) throws {
    guard let set = DataCatalog.sets.first(where: { $0.name == name }) else {
      throw UsageError("data: get needs a set: \(DataCatalog.sets.map(\.name).joined(separator: ", "))")
    }
    let report = DownloadReport(on: .standardError)
    defer { report.clear() }
    try set.load(locator) { report.show($0) }
    Terminal.standardOutput.line("\(set.name): \(printable(set.place(locator)))")
  }
}
