import ApusCore

/// Sequences of several lengths without padding: the first step of all of them, then the second of those that have one, and so on.
///
/// Made by `packPaddedSequence` or `packSequence`, taken by recurrent layers, undone by `padPackedSequence`.
public struct PackedSequence: Sendable {
  /// `[sum of the lengths, …]`: the rows of step 0, one for each sequence, longest sequence first; then those of step 1, …
  public let data: Tensor
  /// How many sequences have a step 0, 1, ….
  public let batchSizes: [Int]
  /// Which of the given sequences is the longest, the next, …; nil where they came in this order.
  public let sortedIndices: [Int]?
  /// Where each given sequence is in the order of length: the inverse of `sortedIndices`.
  public let unsortedIndices: [Int]?

  init(data: Tensor, lengths: [Int], sortedIndices: [Int]?) {
    self.data = data
    batchSizes = (0..<(lengths.max() ?? 0)).map { step in lengths.count { $0 > step } }
    self.sortedIndices = sortedIndices
    unsortedIndices = sortedIndices.map(inverse)
  }

  private init(_ other: PackedSequence, data: Tensor) {
    self.data = data
    batchSizes = other.batchSizes
    sortedIndices = other.sortedIndices
    unsortedIndices = other.unsortedIndices
  }

  /// The same sequences with other numbers.
  public func with(_ data: Tensor) -> PackedSequence { PackedSequence(self, data: data) }

  /// The lengths of the sequences in their own order.
  public var lengths: [Int] {
    let sorted = (0..<(batchSizes.first ?? 0)).map { i in batchSizes.count { $0 > i } }
    return unsortedIndices.map { $0.map { sorted[$0] } } ?? sorted
  }
}

private func inverse(_ order: [Int]) -> [Int] {
  var result = order
  for (i, index) in order.enumerated() { result[index] = i }
  return result
}

/// Packs padded sequences.
///
/// - Parameters:
///   - x: `[steps, batch, …]`, with `batchFirst` `[batch, steps, …]`; what lies behind the end of a sequence is ignored.
///   - lengths: of each sequence; 1 … steps.
///   - batchFirst: whether the batch is the first axis.
///   - enforceSorted: whether the sequences must come longest first. If false they are sorted, and recurrent layers and
///     `padPackedSequence` put them back.
public func packPaddedSequence(_ x: Tensor, lengths: [Int], batchFirst: Bool = false, enforceSorted: Bool = true)
  -> PackedSequence
{
  let invalid = PackedSequence(data: .invalid, lengths: [], sortedIndices: nil)
  guard x.isValid, check(x.rank >= 2, .shape, "packPaddedSequence", "\(x.shape) has no steps and batch") else { return invalid }
  let (length, batch) = batchFirst ? (x.shape[1], x.shape[0]) : (x.shape[0], x.shape[1])
  guard
    check(lengths.count == batch, .shape, "packPaddedSequence", "\(lengths.count) lengths for \(batch) sequences"),
    check(
      lengths.allSatisfy { $0 > 0 && $0 <= length }, .value, "packPaddedSequence",
      "lengths \(lengths) are not all in 1...\(length), the number of steps"),
    let order = lengthOrder(lengths, enforceSorted, "packPaddedSequence")
  else { return invalid }
  let sequences = order ?? Array(0..<batch)
  var rows: [Int] = []
  for step in 0..<(lengths.max() ?? 0) {
    for sequence in sequences where lengths[sequence] > step {
      rows.append(batchFirst ? sequence * length + step : step * batch + sequence)
    }
  }
  let data = x.flatten(startDim: 0, endDim: 1).indexSelect(dim: 0, index: Tensor(rows))
  return PackedSequence(data: data, lengths: sequences.map { lengths[$0] }, sortedIndices: order)
}

/// The order of falling length, nil inside where it is the given one; nil, after a reported mistake, where it must be and isn't.
private func lengthOrder(_ lengths: [Int], _ enforceSorted: Bool, _ operation: String) -> [Int]?? {
  if enforceSorted {
    let isSorted = zip(lengths, lengths.dropFirst()).allSatisfy { $0 >= $1 }
    let message = "lengths \(lengths) do not fall; sort the sequences, or pass enforceSorted: false"
    return check(isSorted, .value, operation, message) ? .some(nil) : nil
  }
  return .some(lengths.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) })
}

/// Packs sequences of several lengths, each `[length, …]`.
///
/// - Parameter enforceSorted: as for `packPaddedSequence`.
public func packSequence(_ sequences: [Tensor], enforceSorted: Bool = true) -> PackedSequence {
  packPaddedSequence(padSequence(sequences), lengths: sequences.map { $0.shape.first ?? 0 }, enforceSorted: enforceSorted)
}

/// The sequences one beside the other again, in their own order, filled up to one length.
///
/// - Parameters:
///   - sequence: what was packed.
///   - batchFirst: whether the batch is to be the first axis.
///   - paddingValue: what stands behind the end of a sequence.
///   - totalLength: the number of steps; left out, the length of the longest sequence.
/// - Returns: `[steps, batch, …]` (or `[batch, steps, …]`) and the lengths.
public func padPackedSequence(
  _ sequence: PackedSequence, batchFirst: Bool = false, paddingValue: Double = 0, totalLength: Int? = nil
) -> (Tensor, [Int]) {
  let data = sequence.data
  let (longest, batch) = (sequence.batchSizes.count, sequence.batchSizes.first ?? 0)
  let length = totalLength ?? longest
  guard data.isValid,
    check(length >= longest, .value, "padPackedSequence", "totalLength \(length) is less than the longest sequence, \(longest)")
  else { return (.invalid, sequence.lengths) }
  var rows: [Int] = []
  for (step, count) in sequence.batchSizes.enumerated() {
    for i in 0..<count {
      let place = sequence.sortedIndices?[i] ?? i
      rows.append(batchFirst ? place * length + step : step * batch + place)
    }
  }
  let rest = Array(data.shape.dropFirst())
  let padding = Tensor.full(Shape([length * batch] + rest), paddingValue, dtype: data.dtype)
  let padded = padding.indexCopy(dim: 0, index: Tensor(rows), data)
  return (padded.reshape(Shape((batchFirst ? [batch, length] : [length, batch]) + rest)), sequence.lengths)
}

/// The sequences of a packed sequence, in their own order, each `[length, …]`.
public func unpackSequence(_ sequence: PackedSequence) -> [Tensor] {
  let (padded, lengths) = padPackedSequence(sequence, batchFirst: true)
  return unpadSequence(padded, lengths: lengths, batchFirst: true)
}

/// Which end of a sequence is filled up.
public enum PaddingSide: Sendable {
  /// Before the first step.
  case left
  /// After the last step.
  case right
}

/// Sequences of several lengths one beside the other, filled up to the longest.
///
/// - Parameters:
///   - sequences: each `[length, …]`, alike but for the length; at least one.
///   - batchFirst: whether the batch is to be the first axis.
///   - paddingValue: what to fill up with.
///   - paddingSide: where to.
/// - Returns: `[longest, batch, …]`, or `[batch, longest, …]`.
public func padSequence(
  _ sequences: [Tensor], batchFirst: Bool = false, paddingValue: Double = 0, paddingSide: PaddingSide = .right
) -> Tensor {
  guard sequences.allSatisfy(\.isValid) else { return .invalid }
  guard let first = sequences.first, sequences.allSatisfy({ $0.rank > 0 }) else {
    fail(TensorError(.shape, "padSequence", "takes at least one sequence, each with an axis of steps"))
    return .invalid
  }
  let rest = Array(first.shape.dropFirst())
  for (i, sequence) in sequences.enumerated() {
    guard
      check(
        Array(sequence.shape.dropFirst()) == rest && sequence.dtype == first.dtype, .shape, "padSequence",
        "sequence \(i), \(sequence.dtype) \(sequence.shape), and sequence 0, \(first.dtype) \(first.shape), "
          + "differ in more than length")
    else { return .invalid }
  }
  let longest = sequences.map { $0.shape[0] }.max() ?? 0
  let padded = sequences.map { sequence in
    let missing = longest - sequence.shape[0]
    if missing == 0 { return sequence }
    let padding = Tensor.full(Shape([missing] + rest), paddingValue, dtype: first.dtype)
    return cat(paddingSide == .right ? [sequence, padding] : [padding, sequence], dim: 0)
  }
  return stack(padded, dim: batchFirst ? 0 : 1)
}

/// The sequences in a padded tensor, each `[length, …]`: undoes `padSequence`.
public func unpadSequence(_ x: Tensor, lengths: [Int], batchFirst: Bool = false) -> [Tensor] {
  guard x.isValid else { return lengths.map { _ in .invalid } }
  guard
    check(
      x.rank >= 2 && x.shape[batchFirst ? 0 : 1] == lengths.count, .shape, "unpadSequence",
      "\(lengths.count) lengths for a tensor of shape \(x.shape)")
  else { return lengths.map { _ in .invalid } }
  return lengths.enumerated().map { i, length in
    x.select(dim: batchFirst ? 0 : 1, index: i).narrow(dim: 0, start: 0, count: length)
  }
}
