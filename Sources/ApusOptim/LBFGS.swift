import ApusCore
import ApusNN

extension Hyperparameter {
  public static let maxIter = Hyperparameter("max_iter", .nonNegative)
  public static let maxEval = Hyperparameter("max_eval", .nonNegative)
  public static let toleranceGrad = Hyperparameter("tolerance_grad", .nonNegative)
  public static let toleranceChange = Hyperparameter("tolerance_change", .nonNegative)
  public static let historySize = Hyperparameter("history_size", .nonNegative)
  /// 0 for none, 1 for strong Wolfe conditions.
  public static let lineSearch = Hyperparameter("line_search_fn", .flag)
}

/// Newton's method with an estimate of the Hessian from the last gradients (Liu and Nocedal 1989): for few parameters, and losses that are
/// the same each time they are computed.
///
/// With the gradient g over all parameters, steps s and changes of the gradient y:
///
///     d = −H g          (H from the last `historySize` pairs of y and s)
///     p = p + t · d     (t = lr, or found by the line search)
///
/// `maxIter` times in a step, or until the gradient or the change is small. The loss is computed several times, so a step takes it as a
/// closure, which forgets the gradients and makes new ones:
///
/// ```swift
/// let optimizer = LBFGS(model.parameters(), lineSearch: .strongWolfe)
/// let loss = optimizer.step {
///   optimizer.zeroGrad()
///   let loss = mseLoss(model(x), y)
///   loss.backward()
///   return loss
/// }
/// ```
///
/// One group, whose options hold for all parameters. Memory: 2 · `historySize` + 3 times that of the parameters.
public final class LBFGS: Optimizer {
  /// How far to go in a direction.
  public enum LineSearch: Sendable {
    /// To where the loss has fallen enough and its slope has become flat enough.
    case strongWolfe
  }

  private(set) var memory = LBFGSMemory()

  public init(
    _ parameters: some ParameterSource, lr: Double = 1, maxIter: Int = 20, maxEval: Int? = nil, toleranceGrad: Double = 1e-7,
    toleranceChange: Double = 1e-9, historySize: Int = 100, lineSearch: LineSearch? = nil
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .maxIter: Double(maxIter), .maxEval: Double(maxEval ?? maxIter * 5 / 4), .toleranceGrad: toleranceGrad,
        .toleranceChange: toleranceChange, .historySize: Double(historySize), .lineSearch: lineSearch == nil ? 0 : 1,
      ])
  }

  public override func validate(_ group: ParameterGroup) {
    guard check(groups.isEmpty, .value, "LBFGS", "takes one group of parameters, with the same options for all") else { return }
    for key in [Hyperparameter.maxIter, .maxEval, .historySize] {
      let value = group[key]
      guard check(value == value.rounded() && value < 1e15, .value, "LBFGS", "\(key.name) = \(value) is not an integer") else {
        return
      }
    }
  }

  public override func update(_ group: ParameterGroup) {
    fail(
      TensorError(.unsupported, "LBFGS", "computes the loss several times in a step: call step { … } with a closure that does"))
  }

  /// Takes one step of up to `maxIter` iterations.
  ///
  /// - Parameter closure: forgets the gradients, computes the loss, calls `backward()` on it and returns it.
  /// - Returns: the loss at the start.
  @discardableResult
  public override func step(_ closure: () -> Tensor) -> Tensor {
    withoutActuallyEscaping(closure) { closure in
      withHooks { noGrad { minimize(Objective(cells: parameters, closure: closure)) } }
    }
  }

  private func minimize(_ objective: Objective) -> Tensor {
    let group = groups[0]
    let (start, startGradient) = objective.evaluate()
    guard start.isValid, startGradient.isValid else { return start }
    var (loss, gradient): (Double, Tensor) = (start.item(), startGradient)
    var evaluations = 1
    memory.evaluations += 1
    if gradient.greatest <= group[.toleranceGrad] { return start }
    let (maxIter, maxEval) = (Int(group[.maxIter]), Int(group[.maxEval]))
    for iteration in 1...max(maxIter, 1) where maxIter > 0 {
      memory.turn(gradient, historySize: Int(group[.historySize]))
      let before = loss
      (memory.gradient, memory.loss) = (gradient, loss)
      memory.length = memory.iterations == 1 ? min(1, 1 / gradient.abs().sum().item()) * group.lr : group.lr
      let direction = memory.direction!
      let slope = gradient.slope(along: direction)
      if slope > -group[.toleranceChange] { break }
      var calls = 0
      if group.isSet(.lineSearch) {
        let search = StrongWolfe(objective, direction, tolerance: group[.toleranceChange], limit: maxEval - evaluations)
        (loss, gradient, memory.length, calls) = search.run(from: memory.length, loss, gradient, slope)
        objective.move(direction, memory.length)
      } else {
        objective.move(direction, memory.length)
        // After the last iteration nobody asks for the loss.
        if iteration < maxIter {
          let (tensor, new) = objective.evaluate()
          guard tensor.isValid, new.isValid else { return .invalid }
          (loss, gradient, calls) = (tensor.item(), new, 1)
        }
      }
      evaluations += calls
      memory.evaluations += calls
      let change = (direction * memory.length).greatest
      if evaluations >= maxEval || gradient.greatest <= group[.toleranceGrad] || change <= group[.toleranceChange]
        || abs(loss - before) < group[.toleranceChange]
      {
        break
      }
    }
    return start
  }

  // MARK: State

  override func saveShared(into state: inout OptimizerState) { memory.save(into: &state) }

  override func readShared(_ reader: inout StateReader) -> () -> Void {
    var loaded = LBFGSMemory()
    loaded.read(&reader, count: parameters.reduce(0) { $0 + $1.count }, dtype: parameters.first?.dtype ?? .float32)
    return { [self] in memory = loaded }
  }
}

/// The loss as a function of all parameters in one vector.
struct Objective {
  let cells: [ParameterCell]
  let closure: () -> Tensor

  /// Loss and gradient where the parameters are.
  func evaluate() -> (loss: Tensor, gradient: Tensor) {
    let loss = enableGrad(closure)
    let gradients = cells.map { cell in (cell.grad?.detach() ?? Tensor.zerosLike(cell.value.detach())).flatten() }
    return (loss.detach(), cat(gradients))
  }

  /// Moves the parameters by `length` times a part of `direction` each.
  func move(_ direction: Tensor, _ length: Double) {
    var start = 0
    for cell in cells {
      cell.value += length * direction.narrow(dim: 0, start: start, count: cell.count).reshape(cell.shape)
      start += cell.count
    }
  }

  /// Loss and gradient at a distance from where the parameters are, which stay there.
  func probe(_ direction: Tensor, _ length: Double) -> (loss: Double, gradient: Tensor) {
    let values = cells.map { $0.value.detach() }
    move(direction, length)
    let (loss, gradient) = evaluate()
    for (cell, value) in zip(cells, values) { cell.value.assign(value) }
    return (loss.isValid ? loss.item() : .nan, gradient)
  }
}

extension Tensor {
  /// The greatest |x|.
  fileprivate var greatest: Double { abs().max().item() }

  func slope(along direction: Tensor) -> Double { dot(direction).item() }
}
