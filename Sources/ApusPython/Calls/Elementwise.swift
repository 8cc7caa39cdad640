import ApusCore
import ApusNN
import CApusPython

// The operators, which have no table between them and the core: a call costs about as much as the op itself.

/// An operand that is a number.
private func weak(_ value: UnsafePointer<apus_value>) -> Tensor {
  switch apus_tag(rawValue: numericCast(value.pointee.tag)) {
  case APUS_FLOAT: value.pointee.number.asWeakTensor
  case APUS_BOOL: (value.pointee.integer != 0).asWeakTensor
  default: Int(value.pointee.integer).asWeakTensor
  }
}

/// The operator with the number of a case of `Binary`, on two tensors. May fail.
@c(apus_tensor_binary)
public func apusBinary(
  _ op: Int32, _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  guard let op = Binary(rawValue: UInt32(op)) else { return nil }
  return attemptTensor(mode, error) { Tensor.binary(op, tensor(a), tensor(b)) }
}

/// The same with a number; it is the first operand where `isReversed`. May fail.
@c(apus_tensor_binary_number)
public func apusBinaryNumber(
  _ op: Int32, _ a: UnsafeMutableRawPointer, _ number: UnsafePointer<apus_value>, _ isReversed: Bool, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  guard let op = Binary(rawValue: UInt32(op)) else { return nil }
  return attemptTensor(mode, error) {
    let (x, y) = (tensor(a), weak(number))
    if isReversed { return Tensor.binary(op, y, x) }
    return op == .pow ? power(x, number: y) : Tensor.binary(op, x, y)
  }
}

/// xⁿ for a number, which PyTorch refuses where integers have a negative one.
func power(_ x: Tensor, number n: Tensor) -> Tensor {
  let value = n.data.firstAsDouble
  guard
    check(
      value >= 0 || x.dtype.isFloatingPoint || n.dtype.isFloatingPoint, .value, "pow",
      "integers to a negative integer power are not allowed")
  else { return .invalid }
  if value == 2 { return x.square() }
  if value == 0.5, x.dtype.isFloatingPoint { return x.sqrt() }
  return Tensor.binary(.pow, x, n)
}

/// -x, |x| and ~x by the number of a case of `Unary`. May fail.
@c(apus_tensor_unary)
public func apusUnary(
  _ op: Int32, _ x: UnsafeMutableRawPointer, _ mode: Int32, _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  attemptTensor(mode, error) {
    switch Unary(rawValue: UInt32(op)) {
    case .neg: -tensor(x)
    case .abs: tensor(x).abs()
    case .bitwiseNot: tensor(x).bitwiseNot()
    default: .invalid
    }
  }
}

/// a @ b. May fail.
@c(apus_matmul)
public func apusMatmul(
  _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ mode: Int32, _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  attemptTensor(mode, error) { tensor(a).matmul(tensor(b)) }
}

/// The number of a binary or unary operator by its name in Swift; −1 where there is none.
@c(apus_operator)
public func apusOperator(_ name: UnsafePointer<CChar>) -> Int32 {
  let name = String(cString: name)
  if let op = Binary.allCases.first(where: { $0.name == name }) { return Int32(op.rawValue) }
  if let op = Unary.allCases.first(where: { $0.name == name }) { return Int32(op.rawValue) }
  return -1
}

// MARK: - In place

/// Whether a tensor may take on a result: the rules of PyTorch's in-place ops.
private func mayBecome(_ x: Tensor, _ y: Tensor, _ mode: Int32, _ name: String) -> Bool {
  let isRecording = mode & Int32(APUS_MODE_GRAD.rawValue) != 0
  return check(
    !(isRecording && x.requiresGrad && x.isLeaf), .autograd, name,
    "a leaf that requires a gradient cannot be changed in place while gradients are recorded; use no_grad()")
    && check(y.shape == x.shape, .shape, name, "a tensor of shape \(x.shape) cannot hold a result of shape \(y.shape)")
    && check(
      rank(y.dtype) <= rank(x.dtype), .dtype, name, "a result of \(y.dtype) cannot be cast to \(x.dtype)")
}

private func rank(_ dtype: DType) -> Int { dtype == .bool ? 0 : dtype.isFloatingPoint ? 2 : 1 }

/// Gives the variable `target` the numbers of `result`, as an in-place op does: same shape, converted to its dtype, the same leaf. May fail.
@c(apus_become)
public func apusBecome(
  _ target: UnsafeMutableRawPointer, _ result: UnsafeMutableRawPointer, _ mode: Int32, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(mode, error) {
    become(cell(target), tensor(result), mode, "in-place op")
  } != nil
}

private func become(_ cell: ParameterCell, _ y: Tensor, _ mode: Int32, _ name: String) {
  let x = cell.content ?? .invalid
  guard mayBecome(x, y, mode, name) else { return }
  let converted = y.to(x.dtype)
  if converted.requiresGrad || !x.isLeaf {
    cell.content = converted
  } else {
    cell.content?.data = converted.data.isWeak ? converted.clone().data : converted.data
  }
}

/// a += b and its kin, in a's own memory where nobody else sees it. `b` is a tensor or, where it is NULL, a number. May fail.
@c(apus_update)
public func apusUpdate(
  _ op: Int32, _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer?, _ number: UnsafePointer<apus_value>?, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(mode, error) {
    let cell = cell(a)
    guard let x = cell.content, let op = Binary(rawValue: UInt32(op)), let y = b.map({ tensor($0) }) ?? number.map({ weak($0) })
    else { return }
    let isRecorded = (x.requiresGrad || y.requiresGrad) && mode & Int32(APUS_MODE_GRAD.rawValue) != 0
    let isSimple = [.add, .sub, .mul, .div].contains(op) && !isRecorded && x.dtype.isFloatingPoint
    guard isSimple, Tensor.resultType(x, y) == x.dtype, Shape.broadcast(x.shape, y.shape) == x.shape else {
      let result = op == .pow && b == nil ? power(x, number: y) : Tensor.binary(op, x, y)
      if result.isValid { become(cell, result, mode, op.name + "_") }
      return
    }
    change(cell, op, y)
  } != nil
}

/// The op in the cell's own memory; without another reference to its tensor on the stack.
private func change(_ cell: ParameterCell, _ op: Binary, _ y: Tensor) {
  switch op {
  case .add: cell.content? += y
  case .sub: cell.content? -= y
  case .mul: cell.content? *= y
  default: cell.content? /= y
  }
}
