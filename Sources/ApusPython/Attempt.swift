import ApusCore
import ApusData
import ApusFormats
import CApusPython

/// Runs a call from Python: a mistake becomes `error`, and the result nil.
@inline(__always)
func attempt<R>(_ mode: Int32, _ error: UnsafeMutablePointer<apus_error>, _ body: () throws -> R) -> R? {
  let autocast: DType? =
    mode & Int32(APUS_MODE_BFLOAT16.rawValue) != 0 ? .bfloat16 : mode & Int32(APUS_MODE_FLOAT16.rawValue) != 0 ? .float16 : nil
  let result = bindingCall(
    isGradEnabled: mode & Int32(APUS_MODE_GRAD.rawValue) != 0, autocast: autocast,
    findsAnomalies: mode & Int32(APUS_MODE_ANOMALY.rawValue) != 0, body)
  switch result {
  case .success(let value): return value
  case .failure(let failure):
    report(failure, error)
    return nil
  }
}

/// The same for a call with a tensor as its result.
@inline(__always)
func attemptTensor(_ mode: Int32, _ error: UnsafeMutablePointer<apus_error>, _ body: () throws -> Tensor) -> Handle? {
  guard let y = attempt(mode, error, body) else { return nil }
  guard y.isValid else {
    report(TensorError(.value, "apus", "an operand is invalid: an earlier call on it failed"), error)
    return nil
  }
  return owned(y)
}

/// A mistake in what Python has passed that no op would find.
struct ArgumentError: Error, CustomStringConvertible {
  enum Kind { case type, value }
  let kind: Kind
  let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

/// A callback has failed and Python knows why.
struct PythonError: Error {}

/// Notes down what has gone wrong for the other side.
@inline(never)
func report(_ failure: any Error, _ error: UnsafeMutablePointer<apus_error>) {
  error.pointee.kind = Int32(kind(of: failure).rawValue)
  error.pointee.message = strdup("\(failure)")
}

private func kind(of failure: any Error) -> apus_error_kind {
  switch failure {
  case let failure as TensorError:
    switch failure.kind {
    case .shape: APUS_SHAPE_ERROR
    case .index: APUS_INDEX_ERROR
    case .dtype: APUS_TYPE_ERROR
    case .value: APUS_VALUE_ERROR
    case .outOfMemory: APUS_MEMORY_ERROR
    case .autograd, .device, .notFinite, .unsupported: APUS_RUNTIME_ERROR
    }
  case let failure as ArgumentError: failure.kind == .type ? APUS_TYPE_ERROR : APUS_VALUE_ERROR
  case is FileError: APUS_OS_ERROR
  case is FormatError: APUS_FORMAT_ERROR
  case let failure as DataError:
    [.missing, .unreadable, .download].contains(failure.kind) ? APUS_OS_ERROR : APUS_FORMAT_ERROR
  case is PythonError: APUS_PYTHON_ERROR
  default: APUS_RUNTIME_ERROR
  }
}
