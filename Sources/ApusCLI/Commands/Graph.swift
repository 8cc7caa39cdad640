import Apus
import Foundation

extension Command {
  private static let output = Option.text(
    "output", letter: "o", "FILE", accepts: "a file", "File to write: .svg, .png or .dot [default: DOT text on standard output]")

  static let graph = Command(
    name: "graph", summary: "Draw the network of a recipe: layers, shapes, and what flows where",
    discussion: """
      The suffix of the file says what it becomes: a picture (.svg, .png), or text in the DOT language (.dot), which Graphviz and \
      many editors draw. N stands for the size of the batch.
      """,
    operands: [
      Operand(
        name: "recipe", plural: "recipes", help: "Whose network to draw", choices: Recipe.all.map { ($0.name, $0.summary) })
    ],
    options: [output],
    examples: [
      Example(line: "apus graph mnist-cnn -o mnist-cnn.svg", help: "A picture for a browser"),
      Example(line: "apus graph cifar10-cnn | dot -Tpdf > graph.pdf", help: "With Graphviz"),
    ],
    run: { arguments in
      let recipe = Recipe.named(arguments.operands[0])!
      let graph = try catching { try recipe.graph() }
      guard let path = arguments[output] else {
        Terminal.standardOutput.write(graph.dot(title: recipe.name))
        return 0
      }
      switch (path as NSString).pathExtension.lowercased() {
      case "svg": try graph.drawing(title: recipe.name).writeSVG(to: path)
      case "png": try graph.drawing(title: recipe.name).writePNG(to: path)
      case "dot", "gv": try AtomicFile.write(graph.dot(title: recipe.name), to: path)
      default:
        throw UsageError("graph: --output takes a file that ends with .svg, .png or .dot, not '\(printable(path, limit: 80))'")
      }
      let layers = graph.nodes.count { $0.kind == .layer }
      Terminal.standardOutput.line("\(printable(path)): \(counted(layers, "layer", "layers"))")
      return 0
    })
}

extension Recipe {
  /// What flows through the network.
  ///
  /// - Throws: `UsageError` where the network doesn't make one tensor of one tensor.
  fileprivate func graph() throws -> ModelGraph {
    var facts = task.facts
    // The size of a vocabulary changes nothing but a number.
    facts.tokenizer = SavedTokenizer(CharacterTokenizer("abc"))
    guard let layer = try task.makeModel(facts) as? any Layer, let sample = task.sampleInput(facts) else {
      throw UsageError("graph: \(name) has several networks, or one of several inputs, which this drawing cannot show")
    }
    return ModelGraph(of: layer, input: sample)
  }
}
