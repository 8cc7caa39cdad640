import ApusCore

/// How many rows of `output` have their largest number where `target` says.
///
/// - Parameter output: `[batch, classes]`, scores or probabilities.
/// - Parameter target: `[batch]`, class indices.
public func correctClasses(_ output: Tensor, _ target: Tensor) -> Int {
  (output.argmax(dim: 1) .== target).to(.int64).sum().item(as: Int.self)
}

/// The share of right answers.
public struct Accuracy: Metric {
  public let name: String
  public var sums = [0.0, 0.0]
  private let correct: (_ output: Tensor, _ target: Tensor) -> Int
  private let count: (_ target: Tensor) -> Int

  /// Right is the class with the largest score: outputs `[batch, classes]` or `[batch, classes, …]`, targets `[batch]` or `[batch, …]`,
  /// each element of which is an answer.
  ///
  /// - Parameter name: its key in `metrics.jsonl`.
  public init(name: String = "accuracy") { (self.name, correct, count) = (name, correctClasses, { $0.count }) }

  /// Right is what `correct` counts, of as many answers as there are samples.
  ///
  /// - Parameters:
  ///   - name: its key in `metrics.jsonl`.
  ///   - correct: the number of right answers in a batch.
  public init(name: String = "accuracy", _ correct: @escaping (_ output: Tensor, _ target: Tensor) -> Int) {
    (self.name, self.correct, count) = (name, correct, rowCount)
  }

  public var value: Double { sums[0] / max(sums[1], 1) }

  public mutating func update(_ output: Tensor, _ target: Tensor) {
    sums[0] += Double(correct(output, target))
    sums[1] += Double(count(target))
  }
}

/// The share of samples whose class is among the `k` with the largest scores.
public struct TopKAccuracy: Metric {
  public let name: String
  /// How many classes may be named.
  public let k: Int
  public var sums = [0.0, 0.0]

  /// - Parameters:
  ///   - k: how many classes may be named; not more than there are.
  ///   - name: its key in `metrics.jsonl`; `top5_accuracy` for a `k` of 5 if nil.
  public init(_ k: Int, name: String? = nil) {
    self.k = check(k > 0, .value, "TopKAccuracy", "k = \(k) is not 1 or more") ? k : 1
    self.name = name ?? "top\(k)_accuracy"
  }

  public var value: Double { sums[0] / max(sums[1], 1) }

  /// - Parameters:
  ///   - output: `[batch, classes]`, scores or probabilities.
  ///   - target: `[batch]`, class indices.
  public mutating func update(_ output: Tensor, _ target: Tensor) {
    let named = output.topk(k, dim: 1).indices
    sums[0] += (named .== target.unsqueeze(dim: 1)).to(.int64).sum().item()
    sums[1] += Double(rowCount(target))
  }
}
