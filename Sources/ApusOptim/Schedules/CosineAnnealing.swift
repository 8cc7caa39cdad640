/// Half a cosine from the base rate to `etaMin` in `tMax` steps (SGDR without restarts; Loshchilov & Hutter 2017):
///
///     lr = etaMin + (base − etaMin) · (1 + cos(π t / tMax)) / 2
///
/// After `tMax` steps the rate rises again, as PyTorch's does. In steps, so that what else changes the rate is kept:
///
///     lr = etaMin + (lr − etaMin) · (1 + cos(π t / tMax)) / (1 + cos(π (t − 1) / tMax))
///
/// With an `etaMin` above 0, a rate that something else brings below `etaMin` may so come below 0, which the optimizer refuses.
public final class CosineAnnealingLR: Schedule {
  private let tMax: Int
  private let etaMin: Double

  public init(_ optimizer: Optimizer, tMax: Int, etaMin: Double = 0) {
    let options = OptionCheck("CosineAnnealingLR")
    self.tMax = options.positive(tMax, "tMax")
    self.etaMin = options.nonNegative(etaMin, "etaMin")
    super.init(optimizer)
  }

  public override func lr(of group: Int, current: Double) -> Double {
    if stepCount == 0 { return current }
    // From the lowest point there is no way up by multiplying.
    if (stepCount - 1) % (2 * tMax) == tMax {
      return current + (baseLRs[group] - etaMin) * (1 - cosine(.pi / Double(tMax))) / 2
    }
    // Rounding must not make a rate negative that is to be 0.
    let lr = etaMin + (current - etaMin) * height(stepCount) / height(stepCount - 1)
    return lr < 0 && lr > -1e-12 * baseLRs[group] ? 0 : lr
  }

  private func height(_ t: Int) -> Double { 1 + cosine(.pi * Double(t) / Double(tMax)) }
}

/// Half a cosine from the base rate to `etaMin`, again and again: the first takes `t0` steps, each further one `tMult` times as many
/// (SGDR; Loshchilov & Hutter 2017). With the step s in a cycle of T steps:
///
///     lr = etaMin + (base − etaMin) · (1 + cos(π s / T)) / 2
public final class CosineAnnealingWarmRestarts: Schedule {
  private let t0, tMult: Int
  private let etaMin: Double

  public init(_ optimizer: Optimizer, t0: Int, tMult: Int = 1, etaMin: Double = 0) {
    let options = OptionCheck("CosineAnnealingWarmRestarts")
    self.t0 = options.positive(t0, "t0")
    self.tMult = options.positive(tMult, "tMult")
    self.etaMin = options.nonNegative(etaMin, "etaMin")
    super.init(optimizer)
  }

  public override func lr(of group: Int, current: Double) -> Double {
    let (step, length) = positionInCycle
    return etaMin + (baseLRs[group] - etaMin) * (1 + cosine(.pi * Double(step) / Double(length))) / 2
  }

  private var positionInCycle: (step: Int, length: Int) {
    if tMult == 1 { return (stepCount % t0, t0) }
    var (step, length) = (stepCount, t0)
    while step >= length {
      step -= length
      length *= tMult
    }
    return (step, length)
  }
}
