/// The numbers of a tensor without their history: a dtype, a view (sizes, strides, offset) and the storage behind it.
///
/// Immutable once shared; whoever holds the only reference to it and to its storage may write (`Tensor+Mutation.swift`).
package final class TensorData: @unchecked Sendable {
  package let dtype: DType
  package let shape: Dims
  package let strides: Dims  // in elements; 0 where broadcast, negative where reversed
  package let offset: Int  // of the first element, in elements
  package let count: Int
  // Set once; a variable only so that `ownsStorageAlone` can ask. No need for the runtime to guard it against overlapping access.
  @exclusivity(unchecked) package private(set) var storage: Storage
  /// Row-major without gaps.
  package let isContiguous: Bool
  /// A scalar that came from a Swift literal or number: it adapts its dtype to the tensors that it meets.
  package let isWeak: Bool
  /// All digits of such a scalar, for the float64 tensors among them.
  private let weakValue: Double?
  package let isValid: Bool

  package init(
    dtype: DType, shape: Dims, strides: Dims, offset: Int, storage: Storage, isWeak: Bool = false, isValid: Bool = true,
    weakValue: Double? = nil
  ) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
    self.isWeak = isWeak
    self.weakValue = weakValue
    self.isValid = isValid
    count = shape.product
    isContiguous = Self.areContiguous(shape, strides)
  }

  /// Fresh row-major memory: what most ops make.
  private init(rowMajor shape: Dims, _ dtype: DType, count: Int, storage: Storage) {
    self.dtype = dtype
    self.shape = shape
    self.strides = shape.contiguousStrides
    self.offset = 0
    self.storage = storage
    self.count = count
    isContiguous = true
    isWeak = false
    weakValue = nil
    isValid = true
  }

  private static func areContiguous(_ shape: Dims, _ strides: Dims) -> Bool {
    var running = 1
    var i = shape.count - 1
    while i >= 0 {
      if shape[i] != 1 {
        if strides[i] != running && shape[i] != 0 { return false }
        running &*= shape[i]
      }
      i -= 1
    }
    return true
  }

  /// Address of the first element.
  @inline(__always)
  package var base: UnsafeMutableRawPointer { storage.pointer + offset * dtype.itemSize }

  package var device: Device { storage.device }
  package var rank: Int { shape.count }
  package var byteCount: Int { count * dtype.itemSize }

  /// What ops return after a mistake inside `catching`.
  package static let invalid = TensorData(
    dtype: .float32, shape: Dims(), strides: Dims(), offset: 0,
    storage: Storage(external: UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64), byteCount: 64) { _ in },
    isValid: false)

  /// Whether nobody else can see the storage, so that the caller may write to it. (Whether nobody else holds `self` is for the caller to know.)
  var ownsStorageAlone: Bool {
    _ = storage.pointer  // deferred ops that need the numbers hold on to them only once they are computed
    guard isKnownUniquelyReferenced(&storage), !storage.isBorrowed else { return false }
    storage.forgetPrepared()
    return true
  }

  /// Another view of the same storage.
  package func view(shape: Dims, strides: Dims, offset: Int? = nil) -> TensorData {
    TensorData(
      dtype: dtype, shape: shape, strides: strides, offset: offset ?? self.offset, storage: storage, isValid: isValid)
  }

  /// Row-major memory with arbitrary content; `invalid` after a reported error.
  package static func uninitialized(_ shape: Dims, _ dtype: DType, for operation: @autoclosure () -> String) -> TensorData {
    guard let count = shape.checkedProduct,
      case let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype.itemSize), !overflow
    else {
      fail(TensorError(.outOfMemory, operation(), "the size of a \(dtype) tensor of shape \(Shape(dims: shape)) overflows"))
      return .invalid
    }
    guard let storage = Storage.allocate(bytes, for: operation()) else { return .invalid }
    return TensorData(rowMajor: shape, dtype, count: count, storage: storage)
  }

  /// A scalar that adapts its dtype.
  static func weak<S: TensorScalar>(_ value: S, digits: Double? = nil) -> TensorData {
    guard let storage = Storage.allocate(MemoryLayout<S>.size, for: "Tensor") else { return .invalid }
    storage.pointer.storeBytes(of: value, as: S.self)
    return TensorData(
      dtype: S.dtype, shape: Dims(), strides: Dims(), offset: 0, storage: storage, isWeak: true, weakValue: digits)
  }

  /// The same numbers, row-major without gaps: `self` where they are already.
  package func contiguous() -> TensorData { isContiguous ? self : device.backend.copy(self, to: dtype) }

  /// The same numbers as another dtype: `self` where they have it.
  package func cast(_ dtype: DType) -> TensorData {
    if self.dtype == dtype { return self }
    if isWeak {
      if let weakValue, dtype == .float64 { return .filled(Dims(), .float64, weakValue) }
      if dtype == .float32, self.dtype == .int64, case let value = element(Int64.self), -8...8 ~= value {
        return Self.smallFloats[2 * Int(value) + 16]
      }
    }
    return device.backend.cast(self, to: dtype)
  }

  /// The small integers that stand in formulas (`2 * x`, `1 - y`), made once.
  static func smallWeak(_ value: Int) -> TensorData? { -8...8 ~= value ? smallIntegers[value + 8] : nil }
  /// And their halves (`0.5 * x`).
  static func smallWeak(_ value: Double) -> TensorData? {
    let twice = 2 * value
    guard -16...16 ~= twice, twice == twice.rounded(), value != 0 || value.sign == .plus else { return nil }
    return smallFloats[Int(twice) + 16]
  }
  private static let smallIntegers = (-8...8).map { weak(Int64($0)) }
  private static let smallFloats = (-16...16).map { weak(Float($0) / 2, digits: Double($0) / 2) }

  /// Broadcast to `shape` by strides of 0; the caller knows that it fits.
  package func expanded(to target: Dims) -> TensorData {
    if target == shape { return self }
    var newStrides = Dims(repeating: 0, count: target.count)
    let lead = target.count - shape.count
    for i in 0..<shape.count where shape[i] != 1 { newStrides[lead + i] = strides[i] }
    return view(shape: target, strides: newStrides)
  }
}

extension TensorData {
  /// One element, for scalars and tests; `index` into the row-major order of a contiguous tensor.
  package func element<T: TensorScalar>(_ type: T.Type, at index: Int = 0) -> T {
    base.load(fromByteOffset: index * MemoryLayout<T>.stride, as: T.self)
  }

  /// The first element as a double.
  package var firstAsDouble: Double {
    func read<T: TensorScalar>(_: T.Type) -> Double { element(T.self).asDouble }
    return read(dtype.scalarType)
  }
}
