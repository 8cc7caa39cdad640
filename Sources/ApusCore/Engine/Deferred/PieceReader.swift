/// An operand of a kernel that goes through memory piece by piece: numbers that are there, or a short chain of ops that still waits and is
/// computed for the piece at hand.
///
/// The chain stays as it is, so others who need it compute it again. For a few cheap ops that is less work than writing the result to
/// memory and reading it back.
struct PieceReader {
  private enum Source {
    case memory(UnsafeRawPointer)
    /// And what it reads.
    case program(Program, [TensorData])
  }
  private let source: Source
  private let itemSize: Int

  /// - Parameters:
  ///   - x: without gaps.
  ///   - unit: every piece starts at a multiple of so many elements.
  init(_ x: TensorData, unit: Int) {
    itemSize = x.dtype.itemSize
    if let (program, operands) = DeferredOp.pieces(of: x, unit: unit) {
      source = .program(program, operands)
    } else {
      source = .memory(UnsafeRawPointer(x.base))
    }
  }

  /// How long pieces should be, about: what is computed should still be in the first-level cache when it is read.
  var goodLength: Int {
    if case .memory = source { StridedLoop.grain } else { 1 << 13 }
  }

  /// Calls `body` with the elements at the given positions of memory.
  func withPiece(_ piece: Range<Int>, _ body: (UnsafeRawPointer) -> Void) {
    switch source {
    case .memory(let base): body(base + piece.lowerBound * itemSize)
    case .program(let program, _):
      withUnsafeTemporaryAllocation(byteCount: max(piece.count * itemSize, 1), alignment: 64) { buffer in
        let memory = buffer.baseAddress!
        program.run(piece: piece, into: memory, itemSize: itemSize)
        body(memory)
      }
    }
  }
}

extension DeferredOp {
  /// The most ops of a chain that is computed for every reader.
  private static let longestPiece = 6

  /// A program for pieces of what `x` waits for, and the memory that it reads; nil where that is there, or had better be computed for good.
  fileprivate static func pieces(of x: TensorData, unit: Int) -> (Program, [TensorData])? {
    lock.withLock { _ in
      guard let root = x.storage.deferred, root.length <= longestPiece, x.offset == 0, x.lies(root.shape, root.strides) else {
        return nil
      }
      let ops = root.collect()
      defer { for op in ops { op.place = -1 } }
      guard ops.allSatisfy(\.kind.isCheap) else { return nil }
      let program = Program(ops, outputs: nil)
      return program.takesPieces(of: unit) ? (program, ops.flatMap(\.operandsInMemory)) : nil
    }
  }

  private var operandsInMemory: [TensorData] {
    operands.compactMap {
      switch $0 {
      case .ready(let x): x
      case .deferred(let op): op.result
      }
    }
  }
}

extension DeferredOp.Kind {
  /// Whether computing it takes less time than reading its operands.
  fileprivate var isCheap: Bool {
    switch self {
    case .unary(let op): [.neg, .abs, .sign, .square, .relu].contains(op)
    case .binary(let op): [.add, .sub, .mul].contains(op) || op.isComparison
    case .select, .cast: true
    case .random, .reduce: false
    }
  }
}
