import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

// The forward–backward recursion of CTC over the states of each sequence, in logarithms. Emissions are the log-probabilities of the states'
// classes, float64 [T, N, states].

extension CTCStates {
  /// −ln P of each sequence, `[N]`.
  ///
  /// The gradient by an emission is minus the probability that a reading of the target is in that state at that step.
  func losses(_ emissions: Tensor) -> Tensor {
    guard emissions.isValid else { return emissions }
    let forward = CTCForward(self, emissions)
    return recorded(
      forward.losses.data, .named("ctcLoss"),
      .fromInputs { dy, x in
        guard isGradEnabled else { return [gradient(x[0], forward, dy)] }
        return grad(of: lossesTwin(x[0]), withRespectTo: [x[0]], gradient: dy, createGraph: true)
      }, [emissions])
  }

  private func gradient(_ emissions: Tensor, _ forward: CTCForward, _ dy: Tensor) -> Tensor {
    let (x, dy) = (emissions.contiguous(), dy.contiguous())
    let y = Tensor.zeros(x.shape, dtype: .float64)
    let (source, target) = (CTCMemory(x), CTCMemory(y))
    let (losses, alphas, scale) = (CTCMemory(forward.losses), CTCMemory(forward.alphas), CTCMemory(dy))
    ThreadPool.shared.forEachChunk(of: sequences, grain: 1) { range in
      for n in range where losses[n].isFinite {
        let (loss, factor) = (losses[n], -scale[n])
        walkBack(n, source) { i, beta in target.set(i, factor * exp(alphas[i] + beta + loss)) }
      }
    }
    withExtendedLifetime((x, dy, forward)) {}
    return y
  }

  /// Calls `body` with the place of each emission and ln of the probability of reading the rest of the target after it.
  private func walkBack(_ n: Int, _ emissions: CTCMemory, _ body: (_ place: Int, _ beta: Double) -> Void) {
    // Locals: reading a property of self would count references in the inner loop.
    let (last, step, first, skips) = (2 * targetLengths[n], sequences * count, n * count, skips(n))
    var beta = [Double](repeating: -.infinity, count: last + 3)
    beta[last] = 0
    if last > 0 { beta[last - 1] = 0 }
    for t in stride(from: inputLengths[n] - 1, through: 0, by: -1) {
      let row = t * step + first
      for state in 0...last { body(row + state, beta[state]) }
      for state in 0...last { beta[state] += emissions[row + state] }
      // From the first on, so that what a state leads to is still that of the later step.
      for state in 0...last {
        let skipped = state + 2 <= last && skips[state + 2] ? beta[state + 2] : -.infinity
        beta[state] = logSum(beta[state], beta[state + 1], skipped)
      }
    }
  }
}

/// ln of the probability of every beginning of a reading, `alphas` `[T, N, states]`, and the losses `[N]`.
private struct CTCForward {
  let alphas: Tensor
  let losses: Tensor

  init(_ states: CTCStates, _ emissions: Tensor) {
    let x = emissions.detach().contiguous()
    alphas = Tensor.zeros(x.shape, dtype: .float64)
    losses = Tensor.zeros([states.sequences], dtype: .float64)
    let (source, target, results) = (CTCMemory(x), CTCMemory(alphas), CTCMemory(losses))
    ThreadPool.shared.forEachChunk(of: states.sequences, grain: 1) { range in
      for n in range { results.set(n, -Self.logProbability(states, n, source, target)) }
    }
    withExtendedLifetime(x) {}
  }

  private static func logProbability(_ states: CTCStates, _ n: Int, _ emissions: CTCMemory, _ alphas: CTCMemory) -> Double {
    let (last, step, first, skips) = (
      2 * states.targetLengths[n], states.sequences * states.count, n * states.count, states.skips(n)
    )
    // Two places in front of the states; before the first step a reading is before its first blank.
    var alpha = [Double](repeating: -.infinity, count: last + 3)
    alpha[2] = 0
    for t in 0..<states.inputLengths[n] {
      let row = t * step + first
      for state in stride(from: last, through: 0, by: -1) {
        let skipped = skips[state] ? alpha[state] : -.infinity
        alpha[state + 2] = logSum(alpha[state + 2], alpha[state + 1], skipped) + emissions[row + state]
        alphas.set(row + state, alpha[state + 2])
      }
    }
    return logSum(alpha[last + 2], alpha[last + 1], -.infinity)
  }
}

/// ln(eᵃ + eᵇ + eᶜ)
private func logSum(_ a: Double, _ b: Double, _ c: Double) -> Double {
  let most = max(a, max(b, c))
  guard most > -.infinity else { return a + b + c }  // −∞, or NaN if one is
  return most + log(exp(a - most) + exp(b - most) + exp(c - most))
}

/// The numbers of a contiguous float64 tensor, for several threads that each write their own part.
private struct CTCMemory: @unchecked Sendable {
  private let base: UnsafeMutablePointer<Double>

  /// The tensor must outlive this.
  init(_ x: Tensor) { base = x.data.base.assumingMemoryBound(to: Double.self) }

  subscript(i: Int) -> Double { base[i] }

  func set(_ i: Int, _ value: Double) { base[i] = value }
}

// MARK: - Twin

extension CTCStates {
  /// The readable twin of `losses`: the forward recursion over all sequences at once, of ordinary ops.
  ///
  /// ln 0 is a number here, −10³⁰: sums of infinities would have NaN as gradient.
  func lossesTwin(_ emissions: Tensor) -> Tensor {
    let nothing = -1e30
    let x = emissions.clamp(min: nothing)
    let front = Tensor.full([sequences, 2], nothing, dtype: .float64)
    let skips = Tensor(scalars: (0..<sequences).flatMap(skips), shape: [sequences, count])
    let lengths = Tensor(inputLengths).unsqueeze(dim: 1)
    var alpha = Tensor.full([sequences, count], nothing, dtype: .float64)
    alpha[.all, 0] = Tensor(0.0, dtype: .float64)
    alpha = cat([front, alpha], dim: 1)
    for t in 0..<(inputLengths.max() ?? 0) {
      let skipped = `where`(skips, alpha.narrow(dim: 1, start: 0, count: count), nothing.asWeakTensor)
      let ways = stack([alpha.narrow(dim: 1, start: 2, count: count), alpha.narrow(dim: 1, start: 1, count: count), skipped])
      let next = cat([front, ways.logsumexp(dim: 0) + x[t]], dim: 1)
      alpha = `where`(lengths .> t, next, alpha)
    }
    let ends = Tensor(targetLengths.map { [2 * $0 + 1, 2 * $0 + 2] }).reshape(sequences, 2)
    let losses = -alpha.gather(dim: 1, index: ends).logsumexp(dim: 1)
    return `where`(losses.detach() .> 1e29, Double.infinity.asWeakTensor, losses)
  }
}
