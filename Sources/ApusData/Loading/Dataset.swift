import ApusCore

/// A finite collection of samples that can be read in any order, from any thread.
///
/// Two members are enough: `count` and a subscript, which may throw. Batches are stacked from samples (examples, tensors, whatever is
/// `Stackable`); a data set that can do better writes `batch(at:)` itself.
///
/// ```swift
/// struct Squares: Dataset {
///   let count = 1000
///   subscript(i: Int) -> Example { Example(input: Tensor([Float(i)]), target: Tensor([Float(i * i)])) }
/// }
/// ```
public protocol Dataset: Sendable {
  /// One sample.
  associatedtype Element: Sendable
  /// Several samples together.
  associatedtype Batched: Sendable

  var count: Int { get }

  /// Sample `index` of 0..<`count`.
  subscript(index: Int) -> Element { get throws }

  /// The samples at `indices`, in that order.
  func batch(at indices: [Int]) throws -> Batched
}

/// What a model gets and what it should answer.
public struct Example: Sendable {
  public let input: Tensor
  public let target: Tensor

  public init(input: Tensor, target: Tensor) {
    self.input = input
    self.target = target
  }
}

/// Examples stacked along a new first axis.
public struct Batch: Sendable {
  public let input: Tensor  // [batch, …]
  public let target: Tensor  // [batch, …]

  public init(input: Tensor, target: Tensor) {
    self.input = input
    self.target = target
  }

  /// Number of examples.
  public var count: Int { input.rank == 0 ? 0 : input.shape[0] }
}

/// Samples that can be put together: what a data set needs to make batches by itself.
public protocol Stackable: Sendable {
  associatedtype Stacked: Sendable

  static func stacked(_ samples: [Self]) throws -> Stacked
}

extension Example: Stackable {
  /// Inputs and targets, each stacked along a new first axis: all must have the same shape.
  public static func stacked(_ samples: [Example]) -> Batch {
    Batch(input: stack(samples.map(\.input)), target: stack(samples.map(\.target)))
  }
}

extension Tensor: Stackable {
  /// The tensors stacked along a new first axis: all must have the same shape.
  public static func stacked(_ samples: [Tensor]) -> Tensor { stack(samples) }
}

extension Dataset where Element: Stackable {
  /// The samples at `indices`, stacked.
  public func batch(at indices: [Int]) throws -> Element.Stacked { try Element.stacked(indices.map { try self[$0] }) }
}
