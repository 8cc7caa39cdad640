import ApusCore
import ApusNN

/// Scales the loss so that small gradients don't vanish in float16, and finds the largest scale that overflows nothing.
///
/// ```swift
/// let scaler = GradScaler()
/// for batch in loader {
///   let loss = autocast(to: .float16) { crossEntropy(model(batch.input), batch.target) }
///   optimizer.zeroGrad()
///   scaler.scale(loss).backward()
///   scaler.unscale(optimizer)  // only where the gradients are looked at, as by clipping
///   clipGradNorm(model.parameters(), maxNorm: 1)
///   scaler.step(optimizer)
///   scaler.update()
/// }
/// ```
///
/// A step whose gradients have an infinity or NaN is left out, and the scale is multiplied by `backoffFactor`; after `growthInterval` steps
/// in a row without any it is multiplied by `growthFactor`. bfloat16 has the range of float32 and needs none of this.
public final class GradScaler {
  /// What the loss is multiplied by.
  public private(set) var scale: Double
  public let growthFactor: Double
  public let backoffFactor: Double
  public let growthInterval: Int
  /// Without it `scale` returns the loss as it is and `step` is the optimizer's.
  public let isEnabled: Bool
  /// Steps without an infinity since the scale last changed.
  public private(set) var growthTracker = 0

  /// What has happened to each optimizer since the last `update`.
  private var progress: [ObjectIdentifier: Progress] = [:]
  private struct Progress {
    var isFinite: Bool
    var hasStepped = false
  }

  public init(
    initScale: Double = 65536, growthFactor: Double = 2, backoffFactor: Double = 0.5, growthInterval: Int = 2000,
    isEnabled: Bool = true
  ) {
    let name = "GradScaler"
    _ =
      check(initScale > 0, .value, name, "initScale = \(initScale) is not greater than 0")
      && check(growthFactor > 1, .value, name, "growthFactor = \(growthFactor) is not greater than 1")
      && check(backoffFactor > 0 && backoffFactor < 1, .value, name, "backoffFactor = \(backoffFactor) is not between 0 and 1")
      && check(growthInterval > 0, .value, name, "growthInterval = \(growthInterval) is not greater than 0")
    (scale, self.growthFactor, self.backoffFactor) = (initScale, growthFactor, backoffFactor)
    (self.growthInterval, self.isEnabled) = (growthInterval, isEnabled)
  }

  /// The loss times the scale; `backward()` of it leaves gradients that are as much too large.
  public func scale(_ loss: Tensor) -> Tensor {
    isEnabled ? loss.to(loss.dtype == .float16 ? .float32 : loss.dtype) * scale : loss
  }

  /// Divides the gradients of the optimizer's parameters by the scale, once between two `update`s; `step` does it where nobody has.
  ///
  /// float16 gradients lose in it what the scale has saved, so parameters in float16 need an optimizer with `keepsMasterWeights`: their
  /// gradients become float32.
  public func unscale(_ optimizer: Optimizer) {
    guard isEnabled else { return }
    let id = ObjectIdentifier(optimizer)
    guard
      check(
        progress[id] == nil, .value, "GradScaler.unscale",
        progress[id]?.hasStepped == true ? "after step(); call update() first" : "called twice since the last update()")
    else { return }
    let inverse: Double = 1 / scale
    var isFinite = true
    for cell in optimizer.parameters {
      guard let gradient = cell.grad?.detach(), gradient.isValid else { continue }
      guard let wide = wide(gradient, optimizer) else { return }
      let unscaled = wide * inverse
      cell.grad = unscaled
      if unscaled.isFinite().all().item() == 0 { isFinite = false }
    }
    progress[id] = Progress(isFinite: isFinite)
  }

  private func wide(_ gradient: Tensor, _ optimizer: Optimizer) -> Tensor? {
    if optimizer.keepsMasterWeights, gradient.dtype.itemSize == 2 { return gradient.to(.float32) }
    guard
      check(
        gradient.dtype != .float16, .dtype, "GradScaler.unscale",
        "gradients of float16 parameters cannot be unscaled in float16; set the optimizer's keepsMasterWeights, or keep the parameters "
          + "in float32 and use autocast")
    else { return nil }
    return gradient
  }

  /// Takes the optimizer's step, unless a gradient has an infinity or NaN.
  ///
  /// - Returns: whether the step was taken.
  @discardableResult
  public func step(_ optimizer: Optimizer) -> Bool {
    guard isEnabled else {
      optimizer.step()
      return true
    }
    let id = ObjectIdentifier(optimizer)
    guard check(progress[id]?.hasStepped != true, .value, "GradScaler.step", "called twice since the last update()") else {
      return false
    }
    if progress[id] == nil { unscale(optimizer) }
    guard let isFinite = progress[id]?.isFinite else { return false }
    if isFinite { optimizer.step() }
    progress[id]?.hasStepped = true
    return isFinite
  }

  /// Adapts the scale to what was found since the last call: once for each iteration, after the steps of all optimizers.
  ///
  /// - Parameter newScale: a scale to go on with instead.
  public func update(newScale: Double? = nil) {
    guard isEnabled else { return }
    defer { progress = [:] }
    if let newScale {
      guard check(newScale > 0, .value, "GradScaler.update", "newScale = \(newScale) is not greater than 0") else { return }
      scale = newScale
      return
    }
    guard check(!progress.isEmpty, .value, "GradScaler.update", "no step() or unscale() since the last update()") else { return }
    if progress.values.contains(where: { !$0.isFinite }) {
      scale *= backoffFactor
      growthTracker = 0
      return
    }
    growthTracker += 1
    guard growthTracker == growthInterval else { return }
    growthTracker = 0
    // Beyond float32's range the product with a loss could only be infinite.
    if scale * growthFactor <= Double(Float.greatestFiniteMagnitude) { scale *= growthFactor }
  }
}

extension GradScaler {
  /// Scale and tracker, with PyTorch's names, for a checkpoint.
  public func stateDict() -> OptimizerState {
    OptimizerState(numbers: [
      "scale": scale, "growth_factor": growthFactor, "backoff_factor": backoffFactor, "growth_interval": Double(growthInterval),
      "_growth_tracker": Double(growthTracker),
    ])
  }

  /// Goes on with the scale where the scaler that saved `state` stopped; the factors stay those that this one was made with.
  ///
  /// - Throws: one error that names everything that does not fit; then nothing is taken.
  public func loadStateDict(_ state: OptimizerState) throws(OptimizerStateError) {
    var reader = StateReader(state)
    let (scale, tracker) = (reader.number("scale") ?? 1, reader.number("_growth_tracker") ?? 0)
    for name in ["growth_factor", "backoff_factor", "growth_interval"] { _ = reader.take(name) }
    if !(scale > 0 && scale.isFinite) {
      reader.problems.append(.value(name: "scale", found: scale, rule: "is not greater than 0"))
    }
    if !(tracker >= 0 && tracker < 1e15 && tracker == tracker.rounded()) {
      reader.problems.append(.value(name: "_growth_tracker", found: tracker, rule: "is not a number of steps"))
    }
    try reader.finish("GradScaler")
    (self.scale, growthTracker) = (scale, Int(tracker))
  }
}
