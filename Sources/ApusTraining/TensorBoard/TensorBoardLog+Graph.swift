import ApusCore
import ApusNN

extension TensorBoardLog {
  /// A model, for the tab `Graphs`: a node for each layer and op, those of one module in one box.
  public func graph(_ model: ModelGraph) {
    let names = Self.names(model)
    graph { graph in
      for (i, node) in model.nodes.enumerated() {
        graph.message(1) { message in
          message.string(1, names[i])
          message.string(2, node.name)
          for edge in model.edges where edge.to == i { message.string(3, names[edge.from]) }
          Self.attribute("_output_shapes", in: &message) { value in
            value.message(1) { list in list.message(7) { Self.shape(node.shape, in: &$0) } }
          }
          if !node.arguments.isEmpty { Self.attribute("arguments", in: &message) { $0.string(2, node.arguments) } }
          if node.parameterCount > 0 { Self.attribute("parameters", in: &message) { $0.integer(3, node.parameterCount) } }
        }
      }
      graph.message(4) { $0.integer(1, 22) }
    }
  }

  /// Paths with slashes; a number where one occurs again.
  private static func names(_ model: ModelGraph) -> [String] {
    var uses: [String: Int] = [:]
    return model.nodes.map { node in
      let name = node.path.isEmpty ? node.name : node.path.replacing(".", with: "/") + "/" + node.name
      uses[name, default: 0] += 1
      return uses[name] == 1 ? name : "\(name)_\(uses[name, default: 1] - 1)"
    }
  }

  private static func attribute(
    _ name: String, in message: inout ProtobufMessage, _ value: (inout ProtobufMessage) -> Void
  ) {
    message.message(5) { entry in
      entry.string(1, name)
      entry.message(2, value)
    }
  }

  private static func shape(_ shape: Shape, in message: inout ProtobufMessage) {
    for size in shape { message.message(2) { $0.integer(1, size) } }
  }
}
