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

/// A step for one parameter: where the numbers are.
package struct ParameterStep {
  package let update: ParameterUpdate
  /// The parameter, its gradient and its state, row-major and side by side; all but the gradient are written.
  package let parameter, gradient: TensorData
  package let state: [TensorData]
}

/// Steps that are taken together, as one pass over the memory of all parameters: what threads share is cut from the whole.
package struct ParameterSteps {
  private var steps: [ParameterStep] = []

  /// - Parameter count: of parameters, about.
  package init(_ count: Int) { steps.reserveCapacity(count) }

  /// Notes down a step for a parameter and its optimizer state, in place where each is uniquely held.
  ///
  /// Float32 and float64 only, one dtype for all; shapes agree. Nobody may look at the two before `take`.
  package mutating func add(_ update: ParameterUpdate, _ p: inout Tensor, gradient: Tensor, state: inout [Tensor]) {
    guard p.isValid, gradient.isValid else { return }
    // The three are walked side by side, so they must have one order.
    p.data = p.data.contiguous()
    p.makeWritable()
    for i in state.indices {
      state[i].data = state[i].data.contiguous()
      state[i].makeWritable()
    }
    guard p.isValid, state.allSatisfy(\.isValid) else { return }
    steps.append(
      ParameterStep(update: update, parameter: p.data, gradient: gradient.data.contiguous(), state: state.map(\.data)))
  }

  /// Takes the steps.
  package mutating func take() {
    guard let first = steps.first else { return }
    first.parameter.device.backend.take(steps)
    steps.removeAll(keepingCapacity: true)
  }
}

extension CPUBackend {
  package func take(_ steps: [ParameterStep]) {
    let grain = StridedLoop.grain
    let total = steps.reduce(0) { $0 + $1.parameter.count }
    guard total > grain else {
      for step in steps { step.take(0..<step.parameter.count) }
      return
    }
    var pieces: [(step: Int, start: Int)] = []
    for (i, step) in steps.enumerated() {
      // What still waits, as a clipped gradient does, is computed by all threads; a chunk would have to do it alone.
      for x in [step.parameter, step.gradient] + step.state { _ = x.base }
      for start in stride(from: 0, to: step.parameter.count, by: grain) { pieces.append((i, start)) }
    }
    ThreadPool.shared.run(chunks: pieces.count) { i in
      let (step, start) = (steps[pieces[i].step], pieces[i].start)
      step.take(start..<min(start + grain, step.parameter.count))
    }
  }
}

extension ParameterStep {
  /// Updates a range of the elements.
  fileprivate func take(_ range: Range<Int>) {
    let (dtype, isa) = (parameter.dtype.kernel, Runtime.isa)
    let offset = range.lowerBound * parameter.dtype.itemSize
    let (p, g) = (parameter.base + offset, UnsafeRawPointer(gradient.base + offset))
    let buffer = { (i: Int) in i < state.count ? state[i].base + offset : nil }
    switch update {
    case .sgd(let lr, let momentum, let dampening, let weightDecay, let isNesterov, let maximize, let isFirst):
      var options = apus_sgd_options(
        lr: lr, momentum: momentum, dampening: dampening, weight_decay: weightDecay, nesterov: isNesterov, maximize: maximize,
        first: isFirst)
      apus_sgd(isa, dtype, range.count, p, g, buffer(0), &options)
    case .adam(
      let lr, let beta1, let beta2, let eps, let weightDecay, let bias1, let bias2, let isDecoupled, let maximize):
      var options = apus_adam_options(
        lr: lr, beta1: beta1, beta2: beta2, eps: eps, weight_decay: weightDecay, bias1: bias1, bias2: bias2,
        decoupled: isDecoupled, maximize: maximize)
      apus_adam(isa, dtype, range.count, p, g, buffer(0), buffer(1), buffer(2), &options)
    }
  }
}
