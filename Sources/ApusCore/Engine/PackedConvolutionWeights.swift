import CKernels

/// The weights of every sweep and group in the order in which the kernel reads them.
struct PackedConvolutionWeights {
  private let storage: Storage
  let isNarrow: Bool
  private let starts: [Int]  // of each sweep, in bytes
  private let groupBytes: [Int]

  init?(
    _ convolution: CPUConvolution, _ part: ConvolutionPart, _ weight: TensorData, _ sweeps: [ConvolutionSweep], isNarrow: Bool
  ) {
    self.isNarrow = isNarrow
    let (shape, kernels, size) = (convolution.shape, convolution.kernels, convolution.size)
    let (outs, ins) = (shape.outChannels / shape.groups, shape.inChannels / shape.groups)
    // Forwards a row of the matrix is an input channel, backwards an output channel.
    let isForward = part == .output
    let (depth, columns) = isForward ? (ins, outs) : (outs, ins)
    let (depthStride, columnStride) = isForward ? (weight.strides[1], weight.strides[0]) : (weight.strides[0], weight.strides[1])
    let padded = kernels.padded(columns)
    let groupBytes = sweeps.map { $0.tapCount * depth * padded * size }
    let starts = groupBytes.indices.map { i in groupBytes[..<i].reduce(0, +) * shape.groups }
    let total = groupBytes.reduce(0, +) * shape.groups
    guard let storage = Storage.allocate(max(total, 64), for: "convolution") else { return nil }
    self.storage = storage
    // A task packs one block of columns.
    let blocks = (columns + kernels.columns - 1) / kernels.columns
    (self.starts, self.groupBytes) = (starts, groupBytes)
    let matrices = weight.base
    let bytesPerTask = max(1, total / max(1, sweeps.count * shape.groups * blocks))
    ThreadPool.shared.forEachChunk(
      of: sweeps.count * shape.groups * blocks, grain: max(1, StridedLoop.grain / bytesPerTask)
    ) { range in
      for i in range {
        let (sweep, group, block) = (i / blocks / shape.groups, i / blocks % shape.groups, i % blocks)
        let (taps, first) = (sweeps[sweep].tapCount, block * kernels.columns)
        let from = matrices + (group * outs * weight.strides[0] + first * columnStride) * size
        kernels.pack(
          isNarrow, taps, depth, min(kernels.columns, columns - first), from, sweeps[sweep].weights, depthStride, columnStride,
          storage.pointer + starts[sweep] + group * groupBytes[sweep] + first * taps * depth * size)
      }
    }
  }

  func pointer(_ sweep: Int, _ group: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(storage.pointer + starts[sweep] + group * groupBytes[sweep])
  }
}

extension apus_conv_kernels {
  /// Columns with the padding of the last block.
  func padded(_ count: Int) -> Int {
    let rest = count % columns
    return count - rest + (rest == 0 ? 0 : rest <= lanes ? lanes : columns)
  }
}
