import ApusCore
import ApusNN
import CApusPython

/// What Python asks a tensor about itself.
@c(apus_info_of)
public func apusInfoOf(
  _ x: UnsafeMutableRawPointer, _ info: UnsafeMutablePointer<apus_info>, _ shape: UnsafeMutablePointer<Int64>?,
  _ strides: UnsafeMutablePointer<Int64>?
) {
  let x = tensor(x)
  info.pointee = apus_info(
    dtype: Int32(x.dtype.rawValue), rank: Int32(x.rank), count: Int64(x.count), requires_grad: x.requiresGrad, is_leaf: x.isLeaf,
    is_contiguous: x.isContiguous)
  let limit = Int(APUS_MAX_RANK)
  if let shape { for i in 0..<min(x.rank, limit) { shape[i] = Int64(x.data.shape[i]) } }
  if let strides { for i in 0..<min(x.rank, limit) { strides[i] = Int64(x.data.strides[i]) } }
}

@c(apus_dtype_name)
public func apusDTypeName(_ dtype: Int32) -> UnsafeMutablePointer<CChar>? {
  DType(rawValue: UInt8(truncatingIfNeeded: dtype)).flatMap { strdup($0.name) }
}

@c(apus_dtype_size)
public func apusDTypeSize(_ dtype: Int32) -> Int32 {
  Int32(DType(rawValue: UInt8(truncatingIfNeeded: dtype))?.itemSize ?? 0)
}

/// The dtype of an op on two: PyTorch's promotion.
@c(apus_promote)
public func apusPromote(_ a: Int32, _ b: Int32) -> Int32 {
  guard let a = DType(rawValue: UInt8(truncatingIfNeeded: a)), let b = DType(rawValue: UInt8(truncatingIfNeeded: b)) else {
    return -1
  }
  return Int32(DType.promote(a, b).rawValue)
}

@c(apus_set_default_dtype)
public func apusSetDefaultDType(_ dtype: Int32) {
  if let dtype = DType(rawValue: UInt8(truncatingIfNeeded: dtype)), dtype.isFloatingPoint { Defaults.dtype = dtype }
}

@c(apus_get_default_dtype)
public func apusGetDefaultDType() -> Int32 { Int32(Defaults.dtype.rawValue) }

// MARK: - Numbers in

/// A tensor with a copy of `byteCount` bytes, row-major; as `asDType` where that isn't negative. May fail.
@c(apus_from_bytes)
public func apusFromBytes(
  _ bytes: UnsafeRawPointer?, _ byteCount: Int, _ dtype: Int32, _ shape: UnsafePointer<Int64>?, _ rank: Int32, _ asDType: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  attemptTensor(0, error) {
    guard let type = DType(rawValue: UInt8(truncatingIfNeeded: dtype)) else { return .invalid }
    let sizes = (0..<Int(rank)).map { Int(shape![$0]) }
    let x = Tensor(bytes: UnsafeRawBufferPointer(start: bytes, count: byteCount), shape: Shape(sizes), dtype: type)
    return DType(rawValue: UInt8(truncatingIfNeeded: asDType)).map { asDType < 0 ? x : x.to($0) } ?? x
  }
}

/// A tensor that shows memory of somebody else, who is told by `release(context)` when no tensor needs it any more. Tensors never write to
/// it. May fail, after which `release` has not been called.
@c(apus_from_memory)
public func apusFromMemory(
  _ pointer: UnsafeMutableRawPointer?, _ dtype: Int32, _ shape: UnsafePointer<Int64>, _ strides: UnsafePointer<Int64>?,
  _ rank: Int32,
  _ release: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  attemptTensor(0, error) {
    guard let type = DType(rawValue: UInt8(truncatingIfNeeded: dtype)) else { return .invalid }
    let sizes = Dims((0..<Int(rank)).map { Int(shape[$0]) })
    guard let count = sizes.checkedProduct else { throw ArgumentError(.value, "from_memory: the size overflows") }
    let steps = strides.map { strides in Dims((0..<Int(rank)).map { Int(strides[$0]) }) } ?? sizes.contiguousStrides
    guard count > 0, let pointer else {
      release(context)
      return Tensor.zeros(Shape(sizes), dtype: type)
    }
    let owner = ForeignMemory(context)
    let storage = Storage(external: pointer, byteCount: 0, isBorrowed: true) { _ in release(owner.context) }
    return Tensor(TensorData(dtype: type, shape: sizes, strides: steps, offset: 0, storage: storage))
  }
}

private struct ForeignMemory: @unchecked Sendable {
  let context: UnsafeMutableRawPointer?
  init(_ context: UnsafeMutableRawPointer?) { self.context = context }
}

// MARK: - Numbers out

/// Keeps the memory of a tensor as it is now for somebody else, who reads it: later changes of the tensor go elsewhere. `apus_unexport` ends
/// it.
@c(apus_export)
public func apusExport(
  _ x: UnsafeMutableRawPointer, _ pointer: UnsafeMutablePointer<UnsafeMutableRawPointer?>
) -> UnsafeMutableRawPointer {
  let data = tensor(x).data
  pointer.pointee = data.base
  return Unmanaged.passRetained(data).toOpaque()
}

@c(apus_unexport)
public func apusUnexport(_ token: UnsafeMutableRawPointer) { Unmanaged<TensorData>.fromOpaque(token).release() }

/// The only element: an int, a float or a bool. May fail.
@c(apus_item)
public func apusItem(
  _ x: UnsafeMutableRawPointer, _ result: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>
) {
  let value = attempt(0, error) { () -> Returned in
    let x = tensor(x)
    switch x.dtype {
    case .bool: return .bool(x.item(as: Bool.self))
    case .int64, .int32, .int16, .int8, .uint8: return .int(x.item(as: Int.self))
    case .float32, .float64, .float16, .bfloat16: return .float(x.item(as: Double.self))
    }
  }
  value?.store(result, error)
}

/// All elements, row-major: int64 for integers and bool, double for floats; `result` holds as many. May fail.
@c(apus_elements)
public func apusElements(
  _ x: UnsafeMutableRawPointer, _ result: UnsafeMutableRawPointer, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(0, error) { () -> Void in
    let x = tensor(x)
    let wide = x.detach().to(x.dtype.isFloatingPoint ? .float64 : .int64)
    wide.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { result.copyMemory(from: start, byteCount: bytes.count) }
    }
  } != nil
}

/// The tensor as Python prints it; for `apus_free`.
@c(apus_repr)
public func apusRepr(
  _ x: UnsafeMutableRawPointer, _ precision: Int32, _ threshold: Int32, _ edgeItems: Int32, _ lineWidth: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutablePointer<CChar>? {
  var options = PrintOptions()
  options.precision = Int(precision)
  options.threshold = Int(threshold)
  options.edgeItems = Int(edgeItems)
  options.lineWidth = Int(lineWidth)
  let text = attempt(0, error) { PrintOptions.$current.withValue(options) { pythonDescription(tensor(x), options) } }
  return text.flatMap { strdup($0) }
}

/// `description` with Python's words.
private func pythonDescription(_ x: Tensor, _ options: PrintOptions) -> String {
  var body = x.detach().description
  // Without the suffixes, which are spelled differently.
  for mark in [", dtype=", ",\n       dtype=", ", shape="] {
    if let range = body.firstRange(of: mark) { body = String(body[..<range.lowerBound]) + ")" }
  }
  if x.dtype == .bool { body = body.replacing("true", with: "True").replacing("false", with: "False") }
  var suffix = ""
  if x.count == 0 && x.rank != 1 { suffix += ", size=(\(x.shape.map(String.init).joined(separator: ", ")))" }
  let isDefault = x.dtype == Defaults.dtype || x.dtype == .int64 || x.dtype == .bool
  if !isDefault || (x.count == 0 && x.dtype != Defaults.dtype) { suffix += ", dtype=apus.\(x.dtype)" }
  if let node = x.node {
    suffix += x.isLeaf ? ", requires_grad=True" : ", grad_fn=<\(gradName(node))>"
  }
  if suffix.isEmpty { return body }
  body.removeLast()
  let lastLine = body.split(separator: "\n").last.map(\.count) ?? 0
  let breaks = lastLine + suffix.count > options.lineWidth
  return body + (breaks ? ",\n       " + suffix.dropFirst(2) : suffix) + ")"
}

/// PyTorch's way to write an op's name: `mul` is `MulBackward0`.
func gradName(_ node: Node) -> String {
  let name = node.operationText
  return name.prefix(1).uppercased() + name.dropFirst() + "Backward0"
}

/// The name of the op that made a tensor; NULL for leaves. For `apus_free`.
@c(apus_grad_fn)
public func apusGradFn(_ x: UnsafeMutableRawPointer) -> UnsafeMutablePointer<CChar>? {
  let x = tensor(x)
  guard !x.isLeaf, let node = x.node else { return nil }
  return strdup(gradName(node))
}

/// Number of elements.
@c(apus_count)
public func apusCount(_ x: UnsafeMutableRawPointer) -> Int64 { Int64(cell(x).count) }
