import Apus

/// A workload by name: builds its data and model, and gives back one step and how many items it handles.
struct Workload {
  let name: String
  let items: Double
  let make: () -> () -> Void

  init(_ name: String, items: Double, _ make: @escaping () -> () -> Void) {
    self.name = name
    self.items = items
    self.make = make
  }

  static var all: [Workload] { training + inference + operationWorkloads }
  static var training: [Workload] { networkWorkloads + convolutionWorkloads + languageWorkloads }
  static var inference: [Workload] { convolutionInferenceWorkloads + languageInferenceWorkloads }

  /// The workloads that a list of names and groups (`train`, `infer`, `op`, `all`) stands for.
  static func named(_ names: [String]) throws(UsageError) -> [String] {
    var result: [String] = []
    for name in names {
      switch name {
      case "all": result += all.map(\.name)
      case "train": result += training.map(\.name)
      case "infer": result += inference.map(\.name)
      case "op": result += operationWorkloads.map(\.name)
      default:
        guard all.contains(where: { $0.name == name }) else {
          throw UsageError("no workload '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
        }
        result.append(name)
      }
    }
    return result
  }
}
