import ApusCore

// Layers whose input size is left open: `Linear(nil, 10)` has 10 outputs and as many inputs as its first input has features.
//
// Until then the layer has no parameters, so nothing that needs them can be asked of it: an optimizer made too early would train
// without them.

/// What a layer does once it knows the size of its input.
final class PendingInput {
  /// What the parameters will be; `to` and `requiresGrad` change it.
  var dtype: DType
  var requiresGrad = true
  let size: (Shape) -> Int?
  let savedSize: ((_ key: String) -> Shape?) -> Int?
  let make: (Int, DType) -> Void

  init(
    dtype: DType, size: @escaping (Shape) -> Int?, savedSize: @escaping ((_ key: String) -> Shape?) -> Int?,
    make: @escaping (Int, DType) -> Void
  ) {
    self.dtype = dtype
    self.size = size
    self.savedSize = savedSize
    self.make = make
  }
}

extension Module {
  /// Calls `make` with the size of the input: now where it is given, otherwise when the first input comes or a state dictionary is
  /// loaded. For the end of a layer's `init`.
  ///
  /// The slots that `make` assigns start as `Parameter(isEmpty: true)`.
  ///
  /// - Parameters:
  ///   - size: nil to leave it open.
  ///   - dtype: handed to `make`, or what `to(_:)` has changed it to.
  ///   - axis: of the input, whose size it is.
  ///   - savedSize: the same size by the shapes of the layer's saved tensors; nil where they don't tell.
  ///   - make: assigns the parameters and buffers. It must not keep the module alive: `[unowned self]`.
  public func whenInputSizeIsKnown(
    _ size: Int?, dtype: DType, axis: Int, savedSize: @escaping (_ shape: (_ key: String) -> Shape?) -> Int?,
    make: @escaping (_ size: Int, _ dtype: DType) -> Void
  ) {
    if let size { return make(size, dtype) }
    let name = "\(type(of: self))"
    let inputSize = { (shape: Shape) -> Int? in
      let fits = check(
        axis < 0 ? shape.rank >= -axis : shape.rank > axis, .shape, name, "an input of shape \(shape) has no axis \(axis)")
      return fits ? shape[axis] : nil
    }
    postpone(PendingInput(dtype: dtype, size: inputSize, savedSize: savedSize, make: make))
  }

  private func postpone(_ pending: PendingInput) {
    let interception = self.interception ?? Interception()
    interception.pending = pending
    self.interception = interception
  }

  /// Whether this layer's input size was left open and no input has come yet.
  public var awaitsInput: Bool { interception?.pending != nil }

  /// Makes the parameters for an input of this shape, where they are missing.
  ///
  /// - Returns: false after a reported mistake.
  func materialize(for input: Shape) -> Bool {
    guard let pending = interception?.pending else { return true }
    guard let size = pending.size(input) else { return false }
    materialize(pending, size)
    return true
  }

  /// Makes the parameters for saved ones, as far as their shapes tell what to make.
  ///
  /// - Returns: a function that takes them away again; nil where nothing was made.
  func materialize(saved shape: (String) -> Shape?) -> (() -> Void)? {
    guard let pending = interception?.pending, let size = pending.savedSize(shape) else { return nil }
    let empty = Inventory(of: self).slots.map(\.slot).filter { $0.tensor == nil }
    materialize(pending, size)
    return { [self] in
      for slot in empty { slot.tensor = nil }
      postpone(pending)
    }
  }

  /// Reports that somebody asked for the input size before there was one.
  func unknownInputSize() -> Int {
    _ = isComplete(for: "\(kind)")
    return 0
  }

  private func materialize(_ pending: PendingInput, _ size: Int) {
    pending.make(size, pending.dtype)
    interception?.pending = nil
    forgetEmptyInterception()
    if !pending.requiresGrad { requiresGrad(false) }
  }

  /// Reports a layer that has no parameters yet, for functions that need all of them.
  func isComplete(for operation: String) -> Bool {
    var isComplete = true
    walk { path, module, _ in
      guard isComplete, module.awaitsInput else { return }
      isComplete = check(
        false, .value, operation,
        "\(path.isEmpty ? "" : "'\(path)', ")\(type(of: module))(\(module.arguments)), takes its input size from its first input and has "
          + "had none; call the model once or load a state dictionary before")
    }
    return isComplete
  }
}
