import ApusCore
import TestSupport
import Testing

/// One call of a spatial function in PyTorch: inputs, options, outputs, and the gradients of Σ output · weights by the inputs that are
/// differentiated by, where the weights count 0.1, 0.2, … 0.7, 0.1, ….
struct SpatialCase: Decodable {
  let function: String
  let options: [String: Option]
  let inputs: [GoldenTensor]
  let outputs: [GoldenTensor]
  let gradients: [GoldenTensor]

  enum Option: Decodable {
    case missing
    case flag(Bool)
    case numbers([Double?])
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .missing
      } else if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .numbers([number])
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .numbers(try container.decode([Double?].self))
      }
    }
  }

  var comment: String { "\(function) \(inputs.map(\.tensor.shape)) \(options)" }

  func flag(_ name: String, otherwise: Bool = false) -> Bool {
    if case .flag(let flag) = options[name] { flag } else { otherwise }
  }
  func text(_ name: String) -> String? {
    if case .text(let text) = options[name] { text } else { nil }
  }
  func numbers(_ name: String) -> [Double?]? {
    if case .numbers(let numbers) = options[name] { numbers } else { nil }
  }
  func integers(_ name: String) -> [Int]? { numbers(name)?.compactMap { $0.map { Int($0) } } }

  /// Compares outputs and gradients of a function of the inputs, whose first `gradients.count` ones are differentiated by.
  func check(sourceLocation: SourceLocation = #_sourceLocation, _ function: ([Tensor]) -> [Tensor]) {
    var x = inputs.map(\.tensor)
    for i in gradients.indices { x[i].requiresGrad = true }
    let ys = function(x)
    #expect(ys.count == outputs.count)
    for (y, expected) in zip(ys, outputs) { expectGolden(y, expected, comment, sourceLocation: sourceLocation) }
    guard !gradients.isEmpty else { return }
    let weights = (Tensor.arange(ys[0].count).remainder(Tensor(7)) + 1).to(ys[0].dtype).reshape(ys[0].shape) / 10
    let found = grad(of: ys[0], withRespectTo: Array(x.prefix(gradients.count)), gradient: weights)
    for (gradient, expected) in zip(found, gradients) {
      expectGolden(gradient, expected, "gradient of \(comment)", sourceLocation: sourceLocation)
    }
  }
}
