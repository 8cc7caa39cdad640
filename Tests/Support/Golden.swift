import ApusCore
import Foundation
import Testing

/// Values from PyTorch, as `Tests/Golden/make_golden.py` wrote them.
public struct Golden<Case: Decodable>: Decodable {
  let torch: String
  let cases: [Case]

  /// Reads `Golden/<name>.json` beside the tests.
  public static func load(_ name: String, file: String = #filePath) throws -> [Case] {
    var folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    if folder.lastPathComponent == "Support" { folder.deleteLastPathComponent() }
    let data = try Data(contentsOf: folder.appendingPathComponent("Golden/\(name).json"))
    let golden = try JSONDecoder().decode(Self.self, from: data)
    #expect(!golden.cases.isEmpty)
    return golden.cases
  }
}

/// A tensor in a golden file.
public struct GoldenTensor: Decodable {
  public let tensor: Tensor

  private enum Keys: CodingKey { case dtype, shape, values }

  /// A number, or one of the words that JSON has no number for.
  private struct Number: Decodable {
    let value: Double
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        value = number
      } else {
        value = Double(try container.decode(String.self))!
      }
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    let dtype = try #require(DType(name: try container.decode(String.self, forKey: .dtype)))
    let shape = Shape(try container.decode([Int].self, forKey: .shape))
    let values = try container.decode([Number].self, forKey: .values).map(\.value)
    tensor = Tensor(scalars: values, shape: shape, dtype: dtype)
  }
}

extension DType {
  /// What a golden value may differ by.
  public var goldenTolerance: (relative: Double, absolute: Double) { self == .float64 ? (1e-10, 1e-12) : (1e-5, 1e-6) }
}

/// Compares with a golden value, in its dtype's tolerance.
public func expectGolden(
  _ x: Tensor, _ expected: GoldenTensor, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let (relative, absolute) = expected.tensor.dtype.goldenTolerance
  expectClose(x, expected.tensor, relative: relative, absolute: absolute, comment, sourceLocation: sourceLocation)
}

/// Compares the gradients of Σ y · (1, 2, 3, …)/10 by some leaves with those in a golden file.
///
/// - Parameter slack: by how much more than in `expectGolden` they may differ near 0.
public func expectGoldenGradients(
  of y: Tensor, by leaves: [Tensor], _ expected: [GoldenTensor], _ comment: String, slack: Double = 1,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let weights = Tensor.arange(1.0, Double(y.count) + 0.5, dtype: y.dtype).reshape(y.shape) / 10
  let gradients = grad(of: y, withRespectTo: leaves, gradient: weights)
  #expect(gradients.count == expected.count, "\(comment)", sourceLocation: sourceLocation)
  for (gradient, golden) in zip(gradients, expected) {
    let (relative, absolute) = golden.tensor.dtype.goldenTolerance
    expectClose(
      gradient, golden.tensor, relative: relative, absolute: slack * absolute, "gradient of \(comment)",
      sourceLocation: sourceLocation)
  }
}
