import Apus
import Foundation

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") || arguments.contains("-h") {
  print(Options.usage)
  exit(0)
}
if arguments == ["--list"] {
  print(Workload.all.map(\.name).joined(separator: "\n"))
  exit(0)
}
do {
  let options = try Options(arguments)
  // Before anything touches the pool.
  setenv("APUS_NUM_THREADS", String(options.threads), 1)
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  for name in try Workload.named(options.workloads) {
    guard let workload = Workload.all.first(where: { $0.name == name }) else { continue }
    manualSeed(0)
    let line = try encoder.encode(measure(name, items: workload.items, seconds: options.seconds, workload.make()))
    FileHandle.standardOutput.write(line + Data("\n".utf8))
  }
} catch let error as UsageError {
  FileHandle.standardError.write(Data("apus-bench: \(error.text); see --help\n".utf8))
  exit(2)
}
