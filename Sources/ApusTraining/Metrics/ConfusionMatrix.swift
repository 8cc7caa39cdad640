import ApusCore

/// How often each class was taken for each: the numbers behind precision, recall and F1.
///
/// ```swift
/// var matrix = ConfusionMatrix(classes: 10)
/// for batch in loader { matrix.update(model(batch.input), batch.target) }
/// print(matrix.recall(of: 3), matrix.f1(.macro))
/// ```
public struct ConfusionMatrix: Hashable, Sendable {
  /// How many there are.
  public let classes: Int
  /// Row by row: first the samples of class 0, by the class that they were taken for.
  public internal(set) var counts: [Int]

  /// - Parameter classes: how many there are, at least 2.
  public init(classes: Int) {
    let isFine = check(classes >= 2, .value, "ConfusionMatrix", "\(classes) classes; at least 2 are needed")
    self.classes = isFine ? classes : 2
    counts = Array(repeating: 0, count: self.classes * self.classes)
  }

  /// Samples of class `target` that were taken for class `predicted`.
  public subscript(target target: Int, predicted predicted: Int) -> Int {
    guard
      check(
        (0..<classes).contains(target) && (0..<classes).contains(predicted), .index, "ConfusionMatrix",
        "class \(target) or \(predicted) is not in 0..<\(classes)")
    else { return 0 }
    return counts[target * classes + predicted]
  }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - output: `[batch, classes]`, scores; or, of two classes, `[batch]` or `[batch, 1]`: the logit of class 1.
  ///   - target: `[batch]` or of the output's shape, class indices.
  public mutating func update(_ output: Tensor, _ target: Tensor) {
    let isLogit = output.rank == 1 || (output.rank == 2 && output.shape[1] == 1)
    let predicted = isLogit ? (output .> 0).to(.int64) : output.argmax(dim: 1)
    add(predicted: predicted.flatten().scalars(as: Int.self), target: target.flatten().scalars(as: Int.self))
  }

  /// Adds samples by their classes.
  ///
  /// - Parameters:
  ///   - predicted: what each was taken for.
  ///   - target: what each is.
  public mutating func add(predicted: [Int], target: [Int]) {
    let range = 0..<classes
    guard
      check(
        predicted.count == target.count, .shape, "ConfusionMatrix", "\(predicted.count) answers for \(target.count) samples"),
      check(
        (predicted + target).allSatisfy(range.contains), .index, "ConfusionMatrix",
        "class \((predicted + target).first { !range.contains($0) } ?? 0) is not in \(range)")
    else { return }
    for (p, t) in zip(predicted, target) { counts[t * classes + p] += 1 }
  }
}

// MARK: - Scores

/// How the scores of the classes become one number.
public enum ClassAverage: Hashable, Sendable {
  /// Their mean. Classes that occur neither as target nor as answer don't count.
  case macro
  /// That of all samples together: for a single label per sample precision, recall and F1 are then the accuracy.
  case micro
  /// Their mean, each weighing as much as it has samples.
  case weighted
  /// That of one class alone, such as the positive one of two.
  case of(Int)
}

extension ConfusionMatrix {
  /// Samples so far.
  public var total: Int { counts.reduce(0, +) }

  /// The share of right answers; 0 without samples.
  public var accuracy: Double { ratio((0..<classes).reduce(0) { $0 + self[target: $1, predicted: $1] }, total) }

  /// Samples of class `index`.
  public func support(of index: Int) -> Int { (0..<classes).reduce(0) { $0 + self[target: index, predicted: $1] } }

  /// Samples that were taken for class `index`.
  public func answers(_ index: Int) -> Int { (0..<classes).reduce(0) { $0 + self[target: $1, predicted: index] } }

  /// Of those taken for class `index`, the share that it is; 0 where none was.
  public func precision(of index: Int) -> Double { ratio(self[target: index, predicted: index], answers(index)) }

  /// Of the samples of class `index`, the share that was found; 0 where there are none.
  public func recall(of index: Int) -> Double { ratio(self[target: index, predicted: index], support(of: index)) }

  /// The harmonic mean of precision and recall of class `index`; 0 where both are.
  public func f1(of index: Int) -> Double {
    ratio(2 * self[target: index, predicted: index], support(of: index) + answers(index))
  }

  /// Precision of all classes in one number.
  public func precision(_ average: ClassAverage) -> Double { averaged(average, precision(of:)) }

  /// Recall of all classes in one number.
  public func recall(_ average: ClassAverage) -> Double { averaged(average, recall(of:)) }

  /// F1 of all classes in one number: the mean of theirs, not that of the means.
  public func f1(_ average: ClassAverage) -> Double { averaged(average, f1(of:)) }

  private func averaged(_ average: ClassAverage, _ score: (Int) -> Double) -> Double {
    switch average {
    case .micro: return accuracy
    case .of(let index): return score(index)
    case .macro:
      let seen = (0..<classes).filter { support(of: $0) + answers($0) > 0 }
      return seen.reduce(0) { $0 + score($1) } / Double(max(seen.count, 1))
    case .weighted:
      return (0..<classes).reduce(0) { $0 + score($1) * Double(support(of: $1)) } / Double(max(total, 1))
    }
  }

  private func ratio(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : Double(a) / Double(b) }
}

/// Precision, recall or F1 as a metric of a pass.
public struct ClassificationScore: Metric {
  /// Which of the three scores.
  public enum Kind: String, CaseIterable, Sendable { case precision, recall, f1 }

  public let name: String
  /// What the score is made of.
  public private(set) var matrix: ConfusionMatrix
  private let kind: Kind
  private let average: ClassAverage

  /// - Parameters:
  ///   - kind: which of the three.
  ///   - classes: how many there are.
  ///   - average: how the classes' scores become one number.
  ///   - name: its key in `metrics.jsonl`; the kind's if nil.
  public init(_ kind: Kind, classes: Int, average: ClassAverage = .macro, name: String? = nil) {
    (self.kind, self.average, self.name) = (kind, average, name ?? kind.rawValue)
    matrix = ConfusionMatrix(classes: classes)
  }

  public var sums: [Double] {
    get { matrix.counts.map(Double.init) }
    set { matrix.counts = newValue.map { Int($0) } }
  }

  public var value: Double {
    switch kind {
    case .precision: matrix.precision(average)
    case .recall: matrix.recall(average)
    case .f1: matrix.f1(average)
    }
  }

  public mutating func update(_ output: Tensor, _ target: Tensor) { matrix.update(output, target) }
}
