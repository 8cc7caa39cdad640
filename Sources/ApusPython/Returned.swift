import ApusCore
import CApusPython

/// What an op gives back to Python.
enum Returned {
  case none
  case tensor(Tensor)
  /// A tuple; a named one where the op's table says so.
  case tensors([Tensor])
  case bool(Bool)
  case int(Int)
  case float(Double)
}

/// What a closure of the table may return.
protocol Returnable: SendableMetatype {
  var returned: Returned { get }
}

extension Returned: Returnable { var returned: Returned { self } }
extension Tensor: Returnable { var returned: Returned { .tensor(self) } }
extension [Tensor]: Returnable { var returned: Returned { .tensors(self) } }
extension Bool: Returnable { var returned: Returned { .bool(self) } }
extension Int: Returnable { var returned: Returned { .int(self) } }
extension Double: Returnable { var returned: Returned { .float(self) } }

/// A tuple of the core as an array.
func list(_ pair: (Tensor, Tensor)) -> [Tensor] { [pair.0, pair.1] }
func list(_ three: (Tensor, Tensor, Tensor)) -> [Tensor] { [three.0, three.1, three.2] }

extension Returned {
  private var isValid: Bool {
    switch self {
    case .tensor(let tensor): tensor.isValid
    case .tensors(let tensors): tensors.allSatisfy(\.isValid)
    case .none, .bool, .int, .float: true
    }
  }

  /// Writes the value for the other side, to which its handles belong from then on.
  func store(_ result: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>) {
    result.pointee = apus_value()
    guard isValid else {
      report(TensorError(.value, "apus", "an operand is invalid: an earlier call on it failed"), error)
      return
    }
    switch self {
    case .none: result.pointee.tag = Int32(APUS_NONE.rawValue)
    case .tensor(let tensor):
      result.pointee.tag = Int32(APUS_TENSOR.rawValue)
      result.pointee.pointer = UnsafeRawPointer(owned(tensor))
    case .tensors(let tensors):
      result.pointee.tag = Int32(APUS_TENSORS.rawValue)
      result.pointee.count = Int32(clamping: tensors.count)
      guard !tensors.isEmpty, let array = malloc(tensors.count * MemoryLayout<Handle>.size) else { return }
      let handles = array.assumingMemoryBound(to: Handle.self)
      for (i, tensor) in tensors.enumerated() { handles[i] = owned(tensor) }
      result.pointee.pointer = UnsafeRawPointer(array)
    case .bool(let value):
      result.pointee.tag = Int32(APUS_BOOL.rawValue)
      result.pointee.integer = value ? 1 : 0
    case .int(let value):
      result.pointee.tag = Int32(APUS_INT.rawValue)
      result.pointee.integer = Int64(value)
    case .float(let value):
      result.pointee.tag = Int32(APUS_FLOAT.rawValue)
      result.pointee.number = value
    }
  }
}
