import ApusCore

/// The states that a reading of each sequence goes through: its labels with a blank before, between and after them. From step to step a
/// reading stays in its state, goes on to the next, or skips a blank between two different labels.
struct CTCStates {
  /// The class of each state, row by row; blank beyond a sequence's own states.
  let labels: [Int]
  /// States of the longest target: 2 S + 1.
  let count: Int
  let inputLengths: [Int]
  let targetLengths: [Int]
  private let blank: Int

  var sequences: Int { targetLengths.count }

  /// Checks targets and lengths for log-probabilities of shape `[T, N, C]`; nil after a reported mistake.
  init?(_ targets: Tensor, _ shape: Shape, _ inputLengths: [Int], _ targetLengths: [Int], _ blank: Int, _ operation: String) {
    let (steps, sequences, classes) = (shape[0], shape[1], shape[2])
    guard check((0..<classes).contains(blank), .index, operation, "blank = \(blank) is not one of the \(classes) classes"),
      check(targets.dtype.isInteger, .dtype, operation, "targets are integers, not \(targets.dtype)"),
      check(
        inputLengths.count == sequences && targetLengths.count == sequences, .shape, operation,
        "\(inputLengths.count) input lengths and \(targetLengths.count) target lengths for \(sequences) sequences"),
      check(
        inputLengths.allSatisfy { (0...steps).contains($0) }, .value, operation,
        "input lengths \(inputLengths) for \(steps) steps"),
      Self.fit(targets.shape, targetLengths, sequences, operation),
      let rows = Self.rows(targets, targetLengths, classes: classes, operation)
    else { return nil }
    count = 2 * (targetLengths.max() ?? 0) + 1
    var labels = [Int](repeating: blank, count: sequences * count)
    for (n, row) in rows.enumerated() {
      for (k, label) in row.enumerated() { labels[n * count + 2 * k + 1] = label }
    }
    self.labels = labels
    self.inputLengths = inputLengths
    self.targetLengths = targetLengths
    self.blank = blank
  }

  /// Checks that the targets hold what their lengths say.
  private static func fit(_ shape: Shape, _ lengths: [Int], _ sequences: Int, _ operation: String) -> Bool {
    let isNonNegative = lengths.allSatisfy { $0 >= 0 }
    let fits =
      shape.rank == 1
      ? lengths.reduce(0, +) == shape[0]
      : shape.rank == 2 && shape[0] == sequences && (lengths.max() ?? 0) <= shape[1]
    return check(isNonNegative && fits, .shape, operation, "targets \(shape) for \(sequences) sequences of lengths \(lengths)")
  }

  /// The labels of each sequence; nil after a reported mistake.
  private static func rows(_ targets: Tensor, _ lengths: [Int], classes: Int, _ operation: String) -> [ArraySlice<Int>]? {
    let all = targets.scalars(as: Int.self)
    var start = 0
    let rows = lengths.map { length in
      defer { start += targets.rank == 1 ? length : targets.shape[1] }
      return all[start..<start + length]
    }
    let wrong = rows.joined().first { !(0..<classes).contains($0) }
    guard check(wrong == nil, .index, operation, "label \(wrong ?? 0) is not one of the \(classes) classes") else { return nil }
    return rows
  }

  /// The classes of the states as an index (int64) into log-probabilities: `[steps, N, count]`.
  func classes(steps: Int) -> Tensor {
    Tensor(scalars: labels, shape: [sequences, count]).unsqueeze(dim: 0).expand(steps, sequences, count)
  }

  /// For each state of a sequence whether it may be entered from the one before the last.
  func skips(_ n: Int) -> [Bool] {
    let own = labels[n * count..<(n + 1) * count]
    return own.indices.map { $0 >= own.startIndex + 2 && own[$0] != blank && own[$0] != own[$0 - 2] }
  }
}
