import Apus

extension Command {
  private static let dataFolder = Option.text(
    "data", "DIR", accepts: "a folder", "Folder to look in first, then come those in APUS_DATA and the user's cache")

  static let data = Command(
    name: "data", summary: "Show the data sets and where they are",
    operands: [
      Operand(name: "action", plural: "actions", help: "", choices: [("list", "List the data sets that recipes can take")])
    ],
    options: [dataFolder],
    examples: [Example(line: "apus data list --data ~/data", help: "Is my copy found?")],
    run: { arguments in
      Terminal.standardOutput.write(
        table(DataCatalog.rows(DataLocator(folder: arguments[dataFolder])).map { [$0, printable($1)] }))
      return 0
    })
}
