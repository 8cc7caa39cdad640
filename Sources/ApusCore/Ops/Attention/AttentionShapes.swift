/// Checks attention's operands, and says what follows from their shapes.
struct AttentionShapes {
  static let name = "scaledDotProductAttention"
  /// The heads of key and value, where they are fewer than the query's and serve several each.
  let groupedHeads: Int?
  /// `[batch…, L, S]`
  private let weights: Dims

  /// Nil after a reported mistake.
  init?(_ x: AttentionInputs, isGrouped: Bool) {
    guard Self.areOperands(x) else { return nil }
    let text = Self.text(x)
    var batches = [x.query, x.key, x.value].map { Dims($0.data.shape.dropLast(2)) }
    groupedHeads = isGrouped ? Self.groupedHeads(batches) : nil
    guard
      check(
        !isGrouped || groupedHeads != nil || batches.allSatisfy { $0.last == batches[0].last }, .shape, Self.name,
        "\(text): with enableGQA key and value have the same number of heads, which divides the query's")
    else { return nil }
    if groupedHeads != nil { for i in 1...2 { batches[i][batches[i].count - 1] = batches[0].last! } }
    guard let some = Dims.broadcast(batches[0], batches[1]), let batch = Dims.broadcast(some, batches[2]) else {
      fail(TensorError(.shape, Self.name, "\(text): the axes before the last two do not broadcast"))
      return nil
    }
    weights = Dims(Array(batch) + [x.query.shape[-2], x.key.shape[-2]])
    guard x.mask.map({ Self.isMask($0, for: x.query.dtype, weights) }) ?? true else { return nil }
  }

  private static func text(_ x: AttentionInputs) -> String {
    "query \(x.query.shape), key \(x.key.shape) and value \(x.value.shape)"
  }

  private static func areOperands(_ x: AttentionInputs) -> Bool {
    let (q, k, v) = (x.query, x.key, x.value)
    return check(min(q.rank, k.rank, v.rank) >= 2, .shape, name, "\(text(x)): each needs two axes, [tokens, features]")
      && check(q.dtype.isFloatingPoint, .dtype, name, "\(q.dtype) is not floating-point")
      && check(
        q.dtype == k.dtype && q.dtype == v.dtype, .dtype, name,
        "query is \(q.dtype), key \(k.dtype) and value \(v.dtype); they must be the same")
      && check(x.all.allSatisfy { $0.device == q.device }, .device, name, "tensors on \(x.all.map(\.device))")
      && check(q.shape[-1] == k.shape[-1], .shape, name, "\(text(x)): query and key must have the same features")
      && check(k.shape[-2] == v.shape[-2], .shape, name, "\(text(x)): key and value must have the same number of tokens")
  }

  private static func isMask(_ mask: Tensor, for dtype: DType, _ weights: Dims) -> Bool {
    check(
      mask.dtype == .bool || mask.dtype == dtype, .dtype, name,
      "the mask is \(mask.dtype); it must be bool, or \(dtype) as the query")
      && check(
        Dims.broadcast(mask.data.shape, weights) == weights, .shape, name,
        "a mask of shape \(mask.shape) does not broadcast to the weights, \(Shape(dims: weights))")
  }

  private static func groupedHeads(_ batches: [Dims]) -> Int? {
    guard let all = batches[0].last, let heads = batches[1].last, heads == batches[2].last, heads > 0, heads < all,
      all % heads == 0
    else { return nil }
    return heads
  }

  /// `[batch…, L, S]`, or with the heads in groups.
  func weights(grouped heads: Int?) -> Dims {
    guard let heads else { return weights }
    let axis = weights.count - 3
    return weights.replacing(axis, with: weights[axis] / heads).inserting(heads, at: axis)
  }

  /// A piece of the stream with a number for each weight.
  func draw(_ p: Double, _ generator: Generator) -> AttentionDropout {
    let (key, counter) = generator.take(blocks: ((weights.checkedProduct ?? 0) + 3) / 4)
    return AttentionDropout(p: p, key: key, counter: counter)
  }
}
