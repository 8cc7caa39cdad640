import CKernels

/// A chain of element-wise ops as instructions over tiles.
///
/// Everything in a program has one shape and one layout without gaps, so a tile is a range of positions in memory. A value is written
/// where it belongs if somebody wants to see it, and to a register (a tile of scratch memory) if not.
struct Program {
  /// The most elements of a tile: few enough that the registers stay in the first-level cache, enough that the calls don't count.
  private static let largestTile = 1024
  /// Of one op whose result goes past the caches: so little that the next tile is read while this one is still being written.
  private static let streamedTile = 128

  /// Where an instruction finds an operand or leaves its result, for the tile that starts at an element.
  enum Place: BitwiseCopyable {
    case scalar(UnsafeRawPointer)
    case memory(UnsafeMutableRawPointer, itemSize: Int)
    case register(Int)
    /// The memory that is given for a piece of the last result.
    case piece(itemSize: Int)
  }

  /// One C kernel with its operands. Plain numbers and pointers: anything counted by reference would be counted for every tile.
  struct Instruction: BitwiseCopyable {
    enum Kernel: BitwiseCopyable {
      /// Brings a tile of an operand that lies in another order, or is broadcast, into a register: one of `sources`.
      case load(Int)
      /// The same for an operand of which every tile is alike.
      case loadOnce(Int)
      case unary(apus_unary_kernel)
      case binary(apus_binary_kernel)
      case select(apus_select_kernel)
      case random(Distribution, DType, key: UInt64, counter: UInt64)
      /// Writes a tile of a large result past the caches, so many bytes an element.
      case stream(apus_stream_kernel, itemSize: Int)
      /// Adds a tile up; the result is the chunk's accumulator.
      case reduce(apus_reduce_inner_kernel)
    }
    let kernel: Kernel
    var inputs: (Place, Place, Place) = (.register(0), .register(0), .register(0))
    var output: Place = .register(0)
  }

  let count: Int
  /// Elements of a tile: whole lines of operands that repeat.
  private(set) var tile: Int
  private(set) var instructions: [Instruction] = []
  private(set) var sources: [TileSource] = []
  private(set) var registerCount = 0
  /// Bytes from one register to the next.
  let registerStride: Int
  /// Set where the program ends in a reduction.
  private(set) var reduction: (op: Reduce, dtype: DType, result: UnsafeMutableRawPointer, resultType: DType)?

  /// The length of the lines of operands that repeat: pieces start with one.
  let period: Int?

  // While it is put together:
  private var places: [Place] = []
  private var lastUse: [Int] = []
  private var loads: [(source: TensorData, register: Int)] = []
  private var freeRegisters: [Int] = []

  /// - Parameters:
  ///   - ops: operands first.
  ///   - outputs: the memory of those whose results are wanted; nil for pieces of the last one alone, to be asked for by
  ///     `run(piece:into:)`.
  init(_ ops: [DeferredOp], outputs: [UnsafeMutableRawPointer?]?) {
    let last = ops[ops.count - 1]
    count = last.shape.product
    period = Self.period(ops)
    tile = period.map { max(1, Self.largestTile / $0) * $0 } ?? Self.largestTile
    var size = 1
    for op in ops {
      size = max(size, op.dtype.itemSize)
      for case .ready(let x) in op.operands { size = max(size, x.dtype.itemSize) }
    }
    registerStride = tile * size
    lastUse = [Int](repeating: -1, count: ops.count)
    for (i, op) in ops.enumerated() {
      for case .deferred(let operand) in op.operands where operand.result == nil { lastUse[operand.place] = i }
    }
    for (i, op) in ops.enumerated() {
      if let outputs {
        add(op, i, result: outputs[i].map { .memory($0, itemSize: op.dtype.itemSize) })
      } else {
        add(op, i, result: op === last ? .piece(itemSize: op.dtype.itemSize) : nil)
      }
    }
    (places, lastUse, loads, freeRegisters) = ([], [], [], [])
  }

  /// - Parameter result: where it goes; nil for a register.
  private mutating func add(_ op: DeferredOp, _ index: Int, result: Place?) {
    let operands = op.operands.map { place(of: $0, in: op) }
    var instruction = Instruction(kernel: kernel(of: op, result))
    if operands.count > 0 { instruction.inputs.0 = operands[0] }
    if operands.count > 1 { instruction.inputs.1 = operands[1] }
    if operands.count > 2 { instruction.inputs.2 = operands[2] }
    if case .reduce = op.kind {
      instructions.append(instruction)
      return
    }
    // The last result, which nobody in the program reads, may be too large for the caches.
    if case .memory(_, let itemSize)? = result, index == lastUse.count - 1,
      let stream = Streaming.kernel(forResultOf: count * itemSize)
    {
      instruction.output = .register(takeRegister())
      var writing = Instruction(kernel: .stream(stream, itemSize: itemSize), output: result!)
      writing.inputs.0 = instruction.output
      instructions += [instruction, writing]
      if instructions.count == 2 { tile = min(tile, Self.streamedTile) }
      return
    }
    let result = result ?? .register(takeRegister())
    instruction.output = result
    instructions.append(instruction)
    places.append(result)
    // After the result has its register: a kernel's result must not overlap operands of another width.
    for case .deferred(let operand) in op.operands where operand.result == nil && lastUse[operand.place] == index {
      release(places[operand.place])
      lastUse[operand.place] = -1
    }
  }

  private mutating func place(of operand: DeferredOp.Operand, in op: DeferredOp) -> Place {
    switch operand {
    case .deferred(let other): other.result.map { place(of: $0, in: op) } ?? places[other.place]
    case .ready(let x): place(of: x, in: op)
    }
  }

  /// Numbers in memory: read where they are if their layout is the program's, loaded otherwise, once for all that use them.
  private mutating func place(of x: TensorData, in op: DeferredOp) -> Place {
    if x.count == 1 { return .scalar(x.base) }
    if x.lies(op.shape, op.strides) { return .memory(x.base, itemSize: x.dtype.itemSize) }
    if let load = loads.first(where: { $0.source === x }) { return .register(load.register) }
    let source = TileSource(x, shape: op.shape, strides: op.strides)
    // Tiles and pieces start with the program's period, so with every one that divides it.
    let isAlike = source.period.map { (period ?? 1) % $0 == 0 } ?? false
    // One that keeps its numbers from tile to tile has a register of its own.
    let register = isAlike ? freshRegister() : takeRegister()
    loads.append((x, register))
    instructions.append(
      Instruction(kernel: isAlike ? .loadOnce(sources.count) : .load(sources.count), output: .register(register)))
    sources.append(source)
    return .register(register)
  }

  private mutating func kernel(of op: DeferredOp, _ result: Place?) -> Instruction.Kernel {
    let isa = Runtime.isa
    let inputType = op.operands.last.map(Self.dtype) ?? op.dtype
    switch op.kind {
    case .unary(let unary): return .unary(apus_unary(isa, unary.kernel, inputType.kernel)!)
    case .binary(let binary): return .binary(apus_binary(isa, binary.kernel, inputType.kernel)!)
    case .select: return .select(apus_select(isa, op.dtype.itemSize)!)
    case .cast: return .unary(apus_cast(isa, inputType.kernel, op.dtype.kernel)!)
    case .random(let distribution, let key, let counter): return .random(distribution, op.dtype, key: key, counter: counter)
    case .reduce(let reduce):
      guard case .memory(let memory, _) = result else { fatalError("a reduction without a place for its result") }
      reduction = (reduce, inputType, memory, op.dtype)
      return .reduce(apus_reduce_inner(isa, reduce.kernel, inputType.kernel)!)
    }
  }

  /// The length of the lines of the first operand that repeats, if a tile has room for one.
  private static func period(_ ops: [DeferredOp]) -> Int? {
    for op in ops {
      for case .ready(let x) in op.operands where x.count != 1 && !x.lies(op.shape, op.strides) {
        if let period = TileSource(x, shape: op.shape, strides: op.strides).period, period <= largestTile { return period }
      }
    }
    return nil
  }

  private static func dtype(_ operand: DeferredOp.Operand) -> DType {
    switch operand {
    case .ready(let x): x.dtype
    case .deferred(let op): op.dtype
    }
  }

  private mutating func takeRegister() -> Int {
    freeRegisters.popLast() ?? freshRegister()
  }

  private mutating func freshRegister() -> Int {
    registerCount += 1
    return registerCount - 1
  }

  private mutating func release(_ place: Place) {
    if case .register(let register) = place { freeRegisters.append(register) }
  }
}
