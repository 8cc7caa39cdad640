import CKernels

/// One step of an optimizer for one parameter, in one pass over its memory (ApusOptim holds the formulas in tensor ops).
package enum ParameterUpdate {
  /// State: the momentum buffer, or nothing without momentum.
  case sgd(lr: Double, momentum: Double, dampening: Double, weightDecay: Double, isNesterov: Bool, maximize: Bool, isFirst: Bool)
  /// State: first and second moment, and with amsgrad the greatest second moment. `bias1` and `bias2` are 1 − βᵗ.
  case adam(
    lr: Double, beta1: Double, beta2: Double, eps: Double, weightDecay: Double, bias1: Double, bias2: Double, isDecoupled: Bool,
    maximize: Bool)
}

extension Tensor {
  /// Applies a step to this parameter and its optimizer state, in place where each is uniquely held.
  ///
  /// Float32 and float64 only, one dtype for all; shapes agree.
  package mutating func apply(_ update: ParameterUpdate, gradient: Tensor, state: inout [Tensor]) {
    guard isValid, gradient.isValid else { return }
    // The three are walked side by side, so they must have one order.
    data = data.contiguous()
    makeWritable()
    for i in state.indices {
      state[i].data = state[i].data.contiguous()
      state[i].makeWritable()
    }
    guard isValid, state.allSatisfy(\.isValid) else { return }
    device.backend.update(update, parameter: data, gradient: gradient.data.contiguous(), state: state.map(\.data))
  }
}

extension CPUBackend {
  package func update(_ update: ParameterUpdate, parameter: TensorData, gradient: TensorData, state: [TensorData]) {
    let size = parameter.dtype.itemSize
    let (p, g) = (SendablePointer(parameter.base), UnsafeRawPointer(gradient.base))
    let buffers = state.map { SendablePointer($0.base) }
    let dtype = parameter.dtype.kernel
    let isa = Runtime.isa
    let buffer = { (i: Int, offset: Int) in i < buffers.count ? buffers[i].pointer + offset : nil }
    ThreadPool.shared.forEachChunk(of: parameter.count, grain: StridedLoop.grain) { range in
      let offset = range.lowerBound * size
      switch update {
      case .sgd(let lr, let momentum, let dampening, let weightDecay, let isNesterov, let maximize, let isFirst):
        var options = apus_sgd_options(
          lr: lr, momentum: momentum, dampening: dampening, weight_decay: weightDecay, nesterov: isNesterov, maximize: maximize,
          first: isFirst)
        apus_sgd(isa, dtype, range.count, p.pointer + offset, g + offset, buffer(0, offset), &options)
      case .adam(
        let lr, let beta1, let beta2, let eps, let weightDecay, let bias1, let bias2, let isDecoupled, let maximize):
        var options = apus_adam_options(
          lr: lr, beta1: beta1, beta2: beta2, eps: eps, weight_decay: weightDecay, bias1: bias1, bias2: bias2,
          decoupled: isDecoupled, maximize: maximize)
        apus_adam(
          isa, dtype, range.count, p.pointer + offset, g + offset, buffer(0, offset), buffer(1, offset), buffer(2, offset),
          &options)
      }
    }
  }
}
