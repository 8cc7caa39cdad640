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

  static var all: [Workload] { trainingWorkloads + operationWorkloads }

  /// Workloads that need layers or ops that Apus does not have yet.
  static let missing = [
    "cnn-mnist", "cnn-cifar", "resnet18-cifar", "dcgan", "lstm-char", "gpt-char", "gpt-mid", "gpt2-generate", "resnet18-infer-b1",
    "resnet18-infer-b16", "op-gelu-4m", "op-layernorm-fwd", "op-layernorm-fwdbwd", "op-conv3x3-fwd", "op-conv3x3-fwdbwd",
    "op-conv1x1-fwd", "op-dwconv-fwd", "op-maxpool-fwd", "op-attention-fwd", "op-attention-fwdbwd",
  ]

  /// The workloads that a list of names and groups (`train`, `op`, `all`) stands for.
  static func named(_ names: [String]) throws(UsageError) -> [String] {
    var result: [String] = []
    for name in names {
      switch name {
      case "all": result += all.map(\.name)
      case "train": result += trainingWorkloads.map(\.name)
      case "op": result += operationWorkloads.map(\.name)
      default:
        guard all.contains(where: { $0.name == name }) || missing.contains(name) else {
          throw UsageError("no workload '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
        }
        result.append(name)
      }
    }
    return result
  }
}
