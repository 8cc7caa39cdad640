import ApusCore
import ApusNN
import Foundation

/// A number that says how good a model is, added up batch by batch.
///
/// A value: each pass begins with a fresh copy of the one that the trainer was given. To write one: what `update` adds up lies in `sums`, from
/// which `value` follows; then a run that was interrupted in the middle of a pass goes on with the same digits.
///
/// ```swift
/// struct MeanError: Metric {
///   let name = "mae"
///   var sums = [0.0, 0.0]
///   var value: Double { sums[0] / max(sums[1], 1) }
///
///   mutating func update(_ output: Tensor, _ target: Tensor) {
///     sums[0] += (output - target).abs().sum().item()
///     sums[1] += Double(target.count)
///   }
/// }
/// ```
public protocol Metric {
  /// Its key in `metrics.jsonl`.
  var name: String { get }
  /// Everything that was added up so far: as many numbers at any time.
  var sums: [Double] { get set }
  /// The result for what was added up so far.
  var value: Double { get }

  /// Adds a batch; no gradients are recorded meanwhile.
  mutating func update(_ output: Tensor, _ target: Tensor)
}

/// The mean over the samples of what `body` says of each batch: `Mean("mae") { ($0 - $1).abs().mean() }`.
public struct Mean: Metric {
  public let name: String
  public var sums = [0.0, 0.0]
  private let body: (_ output: Tensor, _ target: Tensor) -> Tensor

  /// - Parameters:
  ///   - name: its key in `metrics.jsonl`.
  ///   - body: the mean of a batch, a scalar.
  public init(_ name: String, _ body: @escaping (_ output: Tensor, _ target: Tensor) -> Tensor) {
    (self.name, self.body) = (name, body)
  }

  public var value: Double { sums[0] / max(sums[1], 1) }

  public mutating func update(_ output: Tensor, _ target: Tensor) {
    let samples = rowCount(target)
    sums[0] += body(output, target).item() * Double(samples)
    sums[1] += Double(samples)
  }
}

/// How surprised a language model is by each token: exp of the mean cross entropy, between 1 and the number of tokens.
public struct Perplexity: Metric {
  public let name: String
  public var sums = [0.0, 0.0]
  private let ignoreIndex: Int

  /// - Parameters:
  ///   - name: its key in `metrics.jsonl`.
  ///   - ignoreIndex: targets of this value don't count.
  public init(name: String = "perplexity", ignoreIndex: Int = -100) { (self.name, self.ignoreIndex) = (name, ignoreIndex) }

  /// 1 where there are no tokens.
  public var value: Double { exp(sums[0] / max(sums[1], 1)) }

  /// - Parameters:
  ///   - output: logits, `[batch, tokens]` or `[batch, tokens, …]`.
  ///   - target: indices of tokens, `[batch]` or `[batch, …]`.
  public mutating func update(_ output: Tensor, _ target: Tensor) {
    sums[0] += crossEntropy(output, target, ignoreIndex: ignoreIndex, reduction: .sum).item()
    sums[1] += (target .!= ignoreIndex).to(.int64).sum().item()
  }
}

/// Samples in a batch of targets.
func rowCount(_ target: Tensor) -> Int { target.rank == 0 ? 1 : target.shape[0] }
