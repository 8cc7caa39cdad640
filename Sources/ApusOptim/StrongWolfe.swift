import ApusCore

/// A line search: along a direction to a point where the loss has fallen by a share of what its slope promised, and the slope has become
/// flat (the strong Wolfe conditions; Nocedal and Wright 2006, algorithms 3.5 and 3.6).
///
/// First the step grows until such a point lies in an interval, then the interval shrinks around it; trial points are minima of cubic
/// polynomials through the values and slopes at two points.
struct StrongWolfe {
  /// The loss at a distance along the direction.
  private struct Trial {
    var t: Double
    var loss: Double
    var gradient: Tensor
    var slope: Double
  }

  private let objective: Objective
  private let direction: Tensor
  /// An interval as short as this is not divided any more.
  private let tolerance: Double
  /// How many trials there may be, the first not counted.
  private let limit: Int

  private let enough: Double = 1e-4
  private let flat: Double = 0.9

  init(_ objective: Objective, _ direction: Tensor, tolerance: Double, limit: Int) {
    (self.objective, self.direction, self.tolerance, self.limit) = (objective, direction, tolerance, limit)
  }

  /// - Parameters:
  ///   - t: the first step to try.
  ///   - slope: of the loss along the direction at the start, below 0.
  /// - Returns: loss, gradient and length of the step that was found, and how often the loss was computed.
  func run(from t: Double, _ loss: Double, _ gradient: Tensor, _ slope: Double) -> (Double, Tensor, Double, Int) {
    let start = Trial(t: 0, loss: loss, gradient: gradient, slope: slope)
    var trials = 0
    var (a, b) = grow(from: start, t, &trials)
    // One point is the answer itself.
    if let b { a = shrink(a, b, start, &trials) }
    return (a.loss, a.gradient, a.t, trials + 1)
  }

  private func trial(_ t: Double) -> Trial {
    let (loss, gradient) = objective.probe(direction, t)
    return Trial(t: t, loss: loss, gradient: gradient, slope: gradient.isValid ? gradient.slope(along: direction) : .nan)
  }

  private func hasFallen(_ x: Trial, _ start: Trial) -> Bool { !(x.loss > start.loss + enough * x.t * start.slope) }
  private func isFlat(_ x: Trial, _ start: Trial) -> Bool { abs(x.slope) <= -flat * start.slope }

  /// Two points around one that fulfils the conditions; or that point, and nil.
  private func grow(from start: Trial, _ t: Double, _ trials: inout Int) -> (Trial, Trial?) {
    var (last, new) = (start, trial(t))
    while trials < limit {
      if !hasFallen(new, start) || (trials > 1 && new.loss >= last.loss) { return (last, new) }
      if isFlat(new, start) { return (new, nil) }
      if new.slope >= 0 { return (last, new) }
      let bounds = (new.t + 0.01 * (new.t - last.t), new.t * 10)
      let next = minimum(last, new, between: bounds)
      last = new
      new = trial(next)
      trials += 1
    }
    return (start, new)
  }

  /// The best point that was found in an interval.
  private func shrink(_ a: Trial, _ b: Trial, _ start: Trial, _ trials: inout Int) -> Trial {
    var ends = [a, b]
    var low = a.loss <= b.loss ? 0 : 1
    var isStuck = false
    let size: Double = direction.abs().max().item()
    while trials < limit {
      if abs(ends[1].t - ends[0].t) * size < tolerance { break }
      let next = awayFromEnds(minimum(ends[0], ends[1]), ends, &isStuck)
      let new = trial(next)
      trials += 1
      if !hasFallen(new, start) || new.loss >= ends[low].loss {
        ends[1 - low] = new
        low = ends[0].loss <= ends[1].loss ? 0 : 1
        continue
      }
      let isDone = isFlat(new, start)
      if !isDone, new.slope * (ends[1 - low].t - ends[low].t) >= 0 { ends[1 - low] = ends[low] }
      ends[low] = new
      if isDone { break }
    }
    return ends[low]
  }

  /// A trial point close to an end of the interval, if it is the second in a row or outside, is moved a tenth into it.
  private func awayFromEnds(_ t: Double, _ ends: [Trial], _ isStuck: inout Bool) -> Double {
    let (least, greatest) = (min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t))
    let margin: Double = 0.1 * (greatest - least)
    guard min(greatest - t, t - least) < margin else {
      isStuck = false
      return t
    }
    guard isStuck || t >= greatest || t <= least else {
      isStuck = true
      return t
    }
    isStuck = false
    return abs(t - greatest) < abs(t - least) ? greatest - margin : least + margin
  }

  /// Where the cubic polynomial through two points and their slopes is least, kept between bounds; the middle where it has no minimum.
  private func minimum(_ a: Trial, _ b: Trial, between bounds: (Double, Double)? = nil) -> Double {
    let (x, y) = a.t <= b.t ? (a, b) : (b, a)
    let (least, greatest) = bounds ?? (x.t, y.t)
    let d1: Double = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    let square: Double = d1 * d1 - a.slope * b.slope
    guard square >= 0 else { return (least + greatest) / 2 }
    let d2 = square.squareRoot()
    let t: Double = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2))
    return min(max(t, least), greatest)
  }
}
