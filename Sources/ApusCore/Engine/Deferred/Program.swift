import CKernels

/// A chain of element-wise ops as instructions over tiles.
///
/// Everything in a program has one shape and one layout without gaps, so a tile is a range of positions in memory. A value is written
/// where it belongs if somebody wants to see it, and to a register (a tile of scratch memory) if not.
struct Program {
  /// Elements of a tile: few enough that the registers stay in the first-level cache, enough that the calls don't count.
  static let tile = 1024

  /// Where an instruction finds an operand or leaves its result, for the tile that starts at an element.
  enum Place: BitwiseCopyable {
    case scalar(UnsafeRawPointer)
    case memory(UnsafeMutableRawPointer, itemSize: Int)
    case register(Int)
  }

  /// One C kernel with its operands. Plain numbers and pointers: anything counted by reference would be counted for every tile.
  struct Instruction: BitwiseCopyable {
    enum Kernel: BitwiseCopyable {
      /// Brings a tile of an operand that lies in another order, or is broadcast, into a register: one of `sources`.
      case load(Int)
      case unary(apus_unary_kernel)
      case binary(apus_binary_kernel)
      case select(apus_select_kernel)
      case random(Distribution, DType, key: UInt64, counter: UInt64)
      /// Adds a tile up; the result is the chunk's accumulator.
      case reduce(apus_reduce_inner_kernel)
    }
    let kernel: Kernel
    var inputs: (Place, Place, Place) = (.register(0), .register(0), .register(0))
    var output: Place = .register(0)
  }

  let count: Int
  private(set) var instructions: [Instruction] = []
  private(set) var sources: [TileSource] = []
  private(set) var registerCount = 0
  /// Bytes from one register to the next.
  let registerStride: Int
  /// Set where the program ends in a reduction.
  private(set) var reduction: (op: Reduce, dtype: DType, result: UnsafeMutableRawPointer, resultType: DType)?

  // While it is put together:
  private var places: [Place] = []
  private var lastUse: [Int] = []
  private var loads: [(source: TensorData, register: Int)] = []
  private var freeRegisters: [Int] = []

  /// - Parameters:
  ///   - ops: operands first.
  ///   - outputs: the memory of those whose results are wanted.
  init(_ ops: [DeferredOp], outputs: [UnsafeMutableRawPointer?]) {
    let last = ops[ops.count - 1]
    count = last.shape.product
    var size = 1
    for op in ops {
      size = max(size, op.dtype.itemSize)
      for case .ready(let x) in op.operands { size = max(size, x.dtype.itemSize) }
    }
    registerStride = Self.tile * size
    lastUse = [Int](repeating: -1, count: ops.count)
    for (i, op) in ops.enumerated() {
      for case .deferred(let operand) in op.operands where operand.result == nil { lastUse[operand.place] = i }
    }
    for (i, op) in ops.enumerated() { add(op, i, output: outputs[i]) }
    (places, lastUse, loads, freeRegisters) = ([], [], [], [])
  }

  private mutating func add(_ op: DeferredOp, _ index: Int, output: UnsafeMutableRawPointer?) {
    let operands = op.operands.map { place(of: $0, in: op) }
    var instruction = Instruction(kernel: kernel(of: op, output))
    if operands.count > 0 { instruction.inputs.0 = operands[0] }
    if operands.count > 1 { instruction.inputs.1 = operands[1] }
    if operands.count > 2 { instruction.inputs.2 = operands[2] }
    if case .reduce = op.kind {
      instructions.append(instruction)
      return
    }
    let result = output.map { Place.memory($0, itemSize: op.dtype.itemSize) } ?? .register(takeRegister())
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
    let register = takeRegister()
    loads.append((x, register))
    instructions.append(Instruction(kernel: .load(sources.count), output: .register(register)))
    sources.append(TileSource(x, shape: op.shape, strides: op.strides))
    return .register(register)
  }

  private mutating func kernel(of op: DeferredOp, _ output: UnsafeMutableRawPointer?) -> Instruction.Kernel {
    let isa = Runtime.isa
    let inputType = op.operands.last.map(Self.dtype) ?? op.dtype
    switch op.kind {
    case .unary(let unary): return .unary(apus_unary(isa, unary.kernel, inputType.kernel)!)
    case .binary(let binary): return .binary(apus_binary(isa, binary.kernel, inputType.kernel)!)
    case .select: return .select(apus_select(isa, op.dtype.itemSize)!)
    case .cast: return .unary(apus_cast(isa, inputType.kernel, op.dtype.kernel)!)
    case .random(let distribution, let key, let counter): return .random(distribution, op.dtype, key: key, counter: counter)
    case .reduce(let reduce):
      reduction = (reduce, inputType, output!, op.dtype)
      return .reduce(apus_reduce_inner(isa, reduce.kernel, inputType.kernel)!)
    }
  }

  private static func dtype(_ operand: DeferredOp.Operand) -> DType {
    switch operand {
    case .ready(let x): x.dtype
    case .deferred(let op): op.dtype
    }
  }

  private mutating func takeRegister() -> Int {
    if let register = freeRegisters.popLast() { return register }
    registerCount += 1
    return registerCount - 1
  }

  private mutating func release(_ place: Place) {
    if case .register(let register) = place { freeRegisters.append(register) }
  }
}
