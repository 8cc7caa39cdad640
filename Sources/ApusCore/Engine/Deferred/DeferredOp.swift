import Synchronization

/// An element-wise op that has been asked for and not computed yet.
///
/// Tensors are values, so nobody can tell when one is computed. On large tensors an element-wise op is therefore only noted down. Whoever
/// needs the numbers (`Storage.pointer`) runs the whole chain of ops that led there, tile by tile through the first-level cache: what
/// would have been a pass over memory per op is one pass for all, and a result that nobody can see any more is never written at all.
///
/// The result's memory is taken when the op is noted down, so that an error comes from the line that made it.
package final class DeferredOp: @unchecked Sendable {
  enum Kind {
    case unary(Unary)
    case binary(Binary)
    case select
    case cast
    case random(Distribution, key: UInt64, counter: UInt64)
    /// The only one that is not element-wise: all elements of its operand to one. It is the last of its program.
    case reduce(Reduce)
  }

  enum Operand {
    /// Numbers in memory, in any layout, broadcast or not.
    case ready(TensorData)
    /// A result of the same shape and layout that isn't computed yet.
    case deferred(DeferredOp)
  }

  let kind: Kind
  /// dtype, shape and layout of the result; a reduction's shape and layout are those of its operand.
  let dtype: DType
  let shape: Dims
  let strides: Dims
  /// At least the number of ops of a program that ends here.
  let length: Int

  // Guarded by `lock` from here on.

  /// Given up when the result is computed, and with them what they hold on to.
  private(set) var operands: [Operand]
  /// Where the result goes; nil when nobody can see it any more.
  fileprivate(set) weak var storage: Storage?
  /// The result, once it is computed and as long as other deferred ops use it.
  fileprivate(set) var result: TensorData?
  /// How many deferred ops have this one as an operand.
  private let uses = Atomic<Int>(0)
  /// The op's place in the program that is being put together.
  var place = -1

  fileprivate init(_ kind: Kind, _ operands: [Operand], length: Int, dtype: DType, shape: Dims, strides: Dims) {
    self.kind = kind
    self.operands = operands
    self.length = length
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    for case .deferred(let op) in operands { op.uses.add(1, ordering: .relaxed) }
  }

  deinit { releaseOperands() }

  fileprivate func releaseOperands() {
    for case .deferred(let op) in operands { op.uses.subtract(1, ordering: .relaxed) }
    operands = []
  }

  var useCount: Int { uses.load(ordering: .relaxed) }
}

extension DeferredOp.Kind {
  var isReduction: Bool {
    if case .reduce = self { true } else { false }
  }

  var name: String {
    switch self {
    case .unary(let op): op.name
    case .binary(let op): op.name
    case .select: "where"
    case .cast: "to"
    case .random: "random"
    case .reduce(let op): "\(op.name)"
    }
  }
}

// MARK: - Noting down

extension DeferredOp {
  /// Results of at least so many elements are deferred: fewer are computed in less time than noting down takes. `APUS_DEFER_FROM`.
  package static let threshold: Int = {
    guard let text = environment("APUS_DEFER_FROM") else { return StridedLoop.grain }
    guard let count = Int(text), count > 1 else {
      fatalError("APUS_DEFER_FROM: '\(text)' is not a number of elements, 2 or more")
    }
    return count
  }()

  /// Longer programs are cut: their operands are computed first.
  private static let longest = 48

  /// One for all programs: they are put together and run one at a time, and threads that meet in one wait for each other.
  static let lock = Locked(())

  /// Notes an op down.
  ///
  /// - Parameters:
  ///   - shape: of the result, to which the operands broadcast. With `.reduce` that of the operand.
  ///   - strides: the result's layout, without gaps.
  /// - Returns: the result, which is computed when somebody looks at it; `invalid` where there is no memory for it.
  static func note(_ kind: Kind, _ inputs: [TensorData], dtype: DType, shape: Dims, strides: Dims) -> TensorData {
    let resultShape = kind.isReduction ? Dims(repeating: 1, count: shape.count) : shape
    let memory = TensorData.uninitialized(resultShape, dtype, for: kind.name)
    guard memory.isValid else { return memory }
    lock.withLock { _ in
      var length = inputs.reduce(1) { $0 + (waiting($1, shape, strides)?.length ?? 0) }
      // What can't be part of this program is computed first, and may settle some of the others.
      for input in inputs where length > longest || waiting(input, shape, strides) == nil {
        if let op = input.storage.deferred { compute(op) }
      }
      if length > longest { length = 1 }
      let operands = inputs.map { x in waiting(x, shape, strides).map { Operand.deferred($0) } ?? .ready(x) }
      let op = DeferredOp(kind, operands, length: length, dtype: dtype, shape: shape, strides: strides)
      op.storage = memory.storage
      memory.storage.deferred = op
      // Whoever has lent the memory may write to it at any moment.
      if inputs.contains(where: { $0.storage.isBorrowed }) { compute(op) }
    }
    return kind.isReduction || memory.strides == strides ? memory : memory.view(shape: shape, strides: strides)
  }

  /// The same for an op on one operand that keeps its shape.
  static func note(_ kind: Kind, _ x: TensorData, dtype: DType) -> TensorData {
    note(kind, [x], dtype: dtype, shape: x.shape, strides: TensorData.layout(x.shape, x))
  }

  /// The op that an operand still waits for, where it can be part of the same program.
  private static func waiting(_ x: TensorData, _ shape: Dims, _ strides: Dims) -> DeferredOp? {
    guard let op = x.storage.deferred, !op.kind.isReduction, x.offset == 0, x.lies(shape, strides), op.shape == shape else {
      return nil
    }
    return op
  }
}

// MARK: - Computing

extension DeferredOp {
  /// Computes what `storage` waits for.
  static func settle(_ storage: Storage) {
    lock.withLock { _ in
      if let op = storage.deferred { compute(op) }
    }
  }

  /// Runs the program that ends here. The lock is held.
  private static func compute(_ root: DeferredOp) {
    let ops = root.collect()
    var outputs = ops.map(\.storage)
    for (i, op) in ops.enumerated() where outputs[i] == nil && op.useCount > uses(of: i, in: ops) {
      // Other programs will need it too. (Where there is no memory, they compute it again.)
      let byteCount = op.shape.product * op.dtype.itemSize
      outputs[i] = Allocator.shared.allocate(byteCount).map { Storage(allocated: $0, byteCount: byteCount) }
    }
    Profiler.pass(ops, writes: outputs) { Program(ops, outputs: outputs.map { $0?.memory }).run() }
    for (op, storage) in zip(ops, outputs) {
      op.place = -1
      if storage != nil { op.releaseOperands() }
    }
    for (op, storage) in zip(ops, outputs) {
      guard let storage else { continue }
      if op.useCount > 0 {
        op.result = TensorData(dtype: op.dtype, shape: op.shape, strides: op.strides, offset: 0, storage: storage)
      }
      storage.deferred = nil
    }
  }

  /// The ops that are still to be computed for this one, operands first; sets their places.
  func collect() -> [DeferredOp] {
    var ops: [DeferredOp] = []
    func visit(_ op: DeferredOp) {
      guard op.place < 0, op.result == nil else { return }
      for case .deferred(let operand) in op.operands { visit(operand) }
      op.place = ops.count
      ops.append(op)
    }
    visit(self)
    return ops
  }

  private static func uses(of place: Int, in ops: [DeferredOp]) -> Int {
    var count = 0
    for op in ops {
      for case .deferred(let operand) in op.operands where operand === ops[place] { count += 1 }
    }
    return count
  }
}
