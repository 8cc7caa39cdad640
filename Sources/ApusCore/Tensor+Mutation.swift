// Writing in place. A tensor is a value, so nobody else may see the change: the write goes to the tensor's own memory where it is
// uniquely held, and to a copy otherwise. Where a gradient flows, the result is a new node of the graph instead.

extension Tensor {
  /// Whether the result of an in-place op must be recorded.
  private func isRecorded(with other: Tensor? = nil) -> Bool { (node != nil || other?.node != nil) && isGradEnabled }

  /// Makes `data` memory that only this tensor sees, dense, every element in a place of its own.
  package mutating func makeWritable() {
    guard isValid else { return }
    if isKnownUniquelyReferenced(&data), data.ownsStorageAlone, data.isDense, !data.isWeak { return }
    data = device.backend.copy(data, to: dtype)
  }

  private mutating func update(_ op: Binary, _ other: Tensor) {
    guard isValid, other.isValid else {
      self = .invalid
      return
    }
    if isRecorded(with: other) {
      let y = Tensor.binary(op, self, other)
      guard keepsKind(y, op) else { return }
      self = y
      return
    }
    guard let (_, b, shape) = Tensor.operands(op, self, other) else {
      self = .invalid
      return
    }
    let fits = shape == data.shape && b.dtype == dtype
    guard
      check(
        fits, shape == data.shape ? .dtype : .shape, op.name + "=",
        "\(self.shape) (\(dtype)) cannot hold the result with \(other.shape) (\(other.dtype))")
    else {
      self = .invalid
      return
    }
    makeWritable()
    if isValid { data = device.backend.binary(op, data, b, shape: shape, into: data) }
  }

  /// An in-place op keeps shape and dtype.
  private mutating func keepsKind(_ y: Tensor, _ op: Binary) -> Bool {
    let fits = !y.isValid || (y.shape == shape && y.dtype == dtype)
    if check(fits, .shape, op.name + "=", "\(shape) (\(dtype)) cannot hold a result of shape \(y.shape) (\(y.dtype))") {
      return true
    }
    self = .invalid
    return false
  }

  public static func += (a: inout Tensor, b: Tensor) { a.update(.add, b) }
  public static func += (a: inout Tensor, b: some Scalar) { a.update(.add, b.asWeakTensor) }
  public static func -= (a: inout Tensor, b: Tensor) { a.update(.sub, b) }
  public static func -= (a: inout Tensor, b: some Scalar) { a.update(.sub, b.asWeakTensor) }
  public static func *= (a: inout Tensor, b: Tensor) { a.update(.mul, b) }
  public static func *= (a: inout Tensor, b: some Scalar) { a.update(.mul, b.asWeakTensor) }
  public static func /= (a: inout Tensor, b: Tensor) { a.update(.div, b) }
  public static func /= (a: inout Tensor, b: some Scalar) { a.update(.div, b.asWeakTensor) }

  /// Gives the tensor the values of `other` (same shape; converted to this dtype) and, in `noGrad`, leaves it the same leaf.
  public mutating func assign(_ other: Tensor) {
    guard isValid, other.isValid else {
      self = .invalid
      return
    }
    guard check(other.shape == shape, .shape, "assign", "\(other.shape) to a tensor of shape \(shape)") else { return }
    let value = other.to(dtype)
    if isRecorded(with: other) { self = value } else { data = value.data }
  }

  /// Writes `value`, broadcast and converted, into the view that `movements` lead to.
  mutating func write(_ value: Tensor, through movements: [Movement]) {
    guard isValid, value.isValid else {
      self = .invalid
      return
    }
    let source = value.to(dtype)
    guard isRecorded(with: value) else {
      makeWritable()
      if isValid { device.backend.copy(source.data, into: movements.reduce(data) { $1.apply($0) }) }
      return
    }
    let before = self
    var copy = before.detach()
    noGrad { copy.write(source.detach(), through: movements) }
    let shape = source.shape
    self = recorded(
      copy.data, .named("setitem"),
      .linear { dy in
        var outside = dy
        outside.write(Tensor.zeros([], dtype: dy.dtype), through: movements)
        return [outside, movements.reduce(dy) { $0.move($1) }.sum(to: shape.dims)]
      }, before, source)
  }
}
