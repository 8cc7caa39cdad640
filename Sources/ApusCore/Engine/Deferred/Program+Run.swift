import CKernels

extension Program {
  /// Computes everything, in chunks that the threads share and tiles that fit the cache.
  func run() {
    guard let reduction else {
      ThreadPool.shared.forEachChunk(of: count, grain: grain) { run(over: $0, into: nil) }
      return
    }
    // A chunk adds up its tiles; then the chunks' sums are added in order.
    let accumulators = Accumulators(reduction.op.kernel, reduction.dtype)
    let (grain, chunks) = (grain, (count + grain - 1) / grain)
    accumulators.withBuffer(chunks) { buffer in
      let sums = SendablePointer(buffer)
      ThreadPool.shared.run(chunks: chunks) { chunk in
        let start = chunk * grain
        let sum = sums.pointer + chunk * 8
        accumulators.reset(sum)
        run(over: start..<min(start + grain, count), into: sum)
      }
      accumulators.combine(buffer, count: chunks)
      apus_reduce_finish(
        reduction.dtype.kernel, 1, buffer, reduction.op == .mean ? 1 / Double(count) : 1, reduction.resultType.kernel,
        reduction.result)
    }
  }

  /// What the threads take at a time: whole tiles.
  private var grain: Int { max(1, StridedLoop.grain / tile) * tile }

  /// Computes some elements of the last result, of a program that was made for pieces.
  func run(piece: Range<Int>, into memory: UnsafeMutableRawPointer, itemSize: Int) {
    run(over: piece, into: memory - piece.lowerBound * itemSize)
  }

  /// Whether pieces may start at multiples of `count`.
  func takesPieces(of count: Int) -> Bool { period.map { count % $0 == 0 } ?? true }

  /// - Parameter result: a reduction's accumulator; where the result of a piece would start if it were whole.
  private func run(over chunk: Range<Int>, into result: UnsafeMutableRawPointer?) {
    withUnsafeTemporaryAllocation(byteCount: max(registerCount * registerStride, 1), alignment: 64) { registers in
      let scratch = registers.baseAddress!
      instructions.withUnsafeBufferPointer { instructions in
        var start = chunk.lowerBound
        while start < chunk.upperBound {
          let n = min(tile, chunk.upperBound - start)
          for instruction in instructions { run(instruction, start, n, chunk.lowerBound, scratch, result) }
          start += n
        }
        if case .stream? = instructions.last?.kernel { apus_stream_end() }
      }
    }
  }

  @inline(__always)
  private func run(
    _ instruction: Instruction, _ start: Int, _ n: Int, _ first: Int, _ scratch: UnsafeMutableRawPointer,
    _ result: UnsafeMutableRawPointer?
  ) {
    let address = { (place: Place) in self.address(place, start, scratch, result) }
    let y = address(instruction.output).pointer
    let a = address(instruction.inputs.0)
    switch instruction.kernel {
    case .unary(let kernel): kernel(n, a.pointer, a.stride, y, 1)
    case .binary(let kernel):
      let b = address(instruction.inputs.1)
      kernel(n, a.pointer, a.stride, b.pointer, b.stride, y, 1)
    case .select(let kernel):
      let (b, c) = (address(instruction.inputs.1), address(instruction.inputs.2))
      kernel(n, a.pointer, a.stride, b.pointer, b.stride, c.pointer, c.stride, y, 1)
    case .load(let source): sources[source].load(start, n, into: y)
    case .loadOnce(let source): if start == first { sources[source].load(start, n, into: y) }
    case .random(let distribution, let dtype, let key, let counter):
      distribution.fill(dtype, key: key, counter: counter, first: start, n, y)
    case .stream(let kernel, let itemSize): kernel(n * itemSize, a.pointer, y)
    case .reduce(let kernel): kernel(n, a.pointer, a.stride, result!)
    }
  }

  @inline(__always)
  private func address(
    _ place: Place, _ start: Int, _ scratch: UnsafeMutableRawPointer, _ result: UnsafeMutableRawPointer?
  ) -> (pointer: UnsafeMutableRawPointer, stride: Int) {
    switch place {
    case .scalar(let pointer): (UnsafeMutableRawPointer(mutating: pointer), 0)
    case .memory(let pointer, let itemSize): (pointer + start * itemSize, 1)
    case .register(let index): (scratch + index * registerStride, 1)
    case .piece(let itemSize): (result! + start * itemSize, 1)
    }
  }
}

/// An operand that lies in another order than the program's, or is broadcast: gathered row by row.
struct TileSource {
  private let base: UnsafeRawPointer
  private let itemSize: Int
  private let kernel: apus_cast_kernel
  /// The axes in the order of the program's memory, neighbours merged where the operand allows it.
  private var sizes = Dims()
  private var strides = Dims()

  /// - Parameter strides: the program's layout, without gaps.
  init(_ x: TensorData, shape: Dims, strides layout: Dims) {
    base = UnsafeRawPointer(x.base)
    itemSize = x.dtype.itemSize
    kernel = apus_cast(Runtime.isa, x.dtype.kernel, x.dtype.kernel)!
    let steps = x.expanded(to: shape).strides
    for axis in shape.indices.filter({ shape[$0] != 1 }).sorted(by: { layout[$0] > layout[$1] }) {
      if let last = sizes.indices.last, strides[last] == steps[axis] * shape[axis] {
        sizes[last] *= shape[axis]
        strides[last] = steps[axis]
      } else {
        sizes.append(shape[axis])
        strides.append(steps[axis])
      }
    }
  }

  /// The length of the line of which the operand is a repetition, if it is one.
  var period: Int? { sizes.count == 2 && strides[0] == 0 && strides[1] != 0 ? sizes[1] : nil }

  /// Copies the elements at positions `start ..< start + n`.
  func load(_ start: Int, _ n: Int, into target: UnsafeMutableRawPointer) {
    let inner = sizes.count - 1
    var (index, offset) = position(start)
    var done = 0
    while true {
      let piece = min(sizes[inner] - index[inner], n - done)
      kernel(piece, base + offset * itemSize, strides[inner], target + done * itemSize, 1)
      done += piece
      if done == n { return }
      offset -= index[inner] * strides[inner]
      index[inner] = 0
      var axis = inner - 1
      while true {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < sizes[axis] { break }
        offset -= sizes[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }

  private func position(_ start: Int) -> (index: Dims, offset: Int) {
    var (index, offset, rest) = (sizes, 0, start)
    for axis in sizes.indices.reversed() {
      index[axis] = rest % sizes[axis]
      rest /= sizes[axis]
      offset += index[axis] * strides[axis]
    }
    return (index, offset)
  }
}
