/// What a tensor can be made from: a number, or arrays of these, nested as deep as one likes.
public protocol TensorConvertible {
  associatedtype Component: TensorScalar
  /// The sizes, or nil where rows differ in length.
  var tensorShape: [Int]? { get }
  /// Appends the elements, row-major.
  func appendElements(to elements: inout [Component])
  /// Takes the elements of a tensor with the given sizes, from `position` on.
  init(elements: [Component], position: inout Int, sizes: ArraySlice<Int>)
  /// Number of axes.
  static var tensorRank: Int { get }
}

extension TensorConvertible where Self: TensorScalar {
  public var tensorShape: [Int]? { [] }
  public func appendElements(to elements: inout [Self]) { elements.append(self) }
  public init(elements: [Self], position: inout Int, sizes: ArraySlice<Int>) {
    self = elements[position]
    position += 1
  }
  public static var tensorRank: Int { 0 }
}

extension Float: TensorConvertible { public typealias Component = Float }
extension Double: TensorConvertible { public typealias Component = Double }
extension Float16: TensorConvertible { public typealias Component = Float16 }
extension BFloat16: TensorConvertible { public typealias Component = BFloat16 }
extension Int: TensorConvertible { public typealias Component = Int }
extension Int64: TensorConvertible { public typealias Component = Int64 }
extension Int32: TensorConvertible { public typealias Component = Int32 }
extension Int16: TensorConvertible { public typealias Component = Int16 }
extension Int8: TensorConvertible { public typealias Component = Int8 }
extension UInt8: TensorConvertible { public typealias Component = UInt8 }
extension Bool: TensorConvertible { public typealias Component = Bool }

extension Array: TensorConvertible where Element: TensorConvertible {
  public typealias Component = Element.Component

  public var tensorShape: [Int]? {
    guard let first else { return [0] + [Int](repeating: 0, count: Element.tensorRank) }
    guard let inner = first.tensorShape, allSatisfy({ $0.tensorShape == inner }) else { return nil }
    return [count] + inner
  }
  public func appendElements(to elements: inout [Element.Component]) {
    for row in self { row.appendElements(to: &elements) }
  }
  public init(elements: [Element.Component], position: inout Int, sizes: ArraySlice<Int>) {
    self = []
    reserveCapacity(sizes.first!)
    for _ in 0..<sizes.first! { append(Element(elements: elements, position: &position, sizes: sizes.dropFirst())) }
  }
  public static var tensorRank: Int { Element.tensorRank + 1 }
}

// MARK: - In

extension Tensor {
  /// A tensor made of a number, an array, an array of arrays…: `Tensor([[1, 2], [3, 4]])`.
  ///
  /// - Parameter dtype: left out, `Float` gives float32, `Double` the default float32 too (as literals do in PyTorch; ask for `.float64`
  ///   to keep all digits), `Int` int64, `Bool` bool, and so on. Rows of different lengths are an error.
  public init<V: TensorConvertible>(_ value: V, dtype: DType? = nil, requiresGrad: Bool = false) {
    guard let sizes = value.tensorShape else {
      fail(TensorError(.shape, "Tensor", "rows of different lengths"))
      self = .invalid
      return
    }
    var elements: [V.Component] = []
    value.appendElements(to: &elements)
    self.init(scalars: elements, shape: Shape(sizes), dtype: dtype)
    if requiresGrad { self.requiresGrad = true }
  }

  /// A tensor of the given elements, row-major.
  ///
  /// - Parameters:
  ///   - shape: as many elements as there are; nil for one axis.
  ///   - dtype: left out, that of the elements (`Double` gives float32, as above).
  public init<S: TensorScalar>(scalars: [S], shape: Shape? = nil, dtype: DType? = nil) {
    let shape = shape?.dims ?? Dims(scalars.count)
    guard
      check(
        shape.checkedProduct == scalars.count, .shape, "Tensor", "\(scalars.count) elements do not fill \(Shape(dims: shape))")
    else {
      self = .invalid
      return
    }
    let data = TensorData.uninitialized(shape, S.dtype, for: "Tensor")
    if data.isValid, !scalars.isEmpty {
      scalars.withUnsafeBytes { data.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
    self.init(data.isValid ? data.cast(dtype ?? S.defaultDType) : data)
  }

  /// A tensor with a copy of `bytes`: elements of `dtype`, row-major, in the machine's byte order.
  public init(bytes: UnsafeRawBufferPointer, shape: Shape, dtype: DType) {
    let size = shape.dims.checkedProduct?.multipliedReportingOverflow(by: dtype.itemSize)
    guard
      check(
        size.map { !$0.overflow && $0.partialValue == bytes.count } ?? false, .shape, "Tensor",
        "\(bytes.count) bytes do not fill \(shape) of \(dtype)")
    else {
      self = .invalid
      return
    }
    let data = TensorData.uninitialized(shape.dims, dtype, for: "Tensor")
    if data.isValid, let start = bytes.baseAddress, bytes.count > 0 { data.base.copyMemory(from: start, byteCount: bytes.count) }
    self.init(data)
  }
}

// Literals make weak scalars: in `x * 2` the 2 takes on the dtype of x.

extension Tensor: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  public init(floatLiteral value: Double) {
    self.init(TensorData.smallWeak(value) ?? TensorData.weak(Float(value), digits: value))
  }
  public init(integerLiteral value: Int) { self.init(TensorData.smallWeak(value) ?? TensorData.weak(Int64(value))) }
  public init(booleanLiteral value: Bool) { self.init(TensorData.weak(value)) }
}

// MARK: - Out

extension Tensor {
  /// The only element as a Swift number: `loss.item()`. More than one element is an error.
  public func item() -> Double { item(as: Double.self) }

  /// The only element, converted as `to(_:)` converts.
  public func item<S: TensorScalar>(as type: S.Type) -> S {
    guard isValid else { return S(fromDouble: 0) }
    guard check(count == 1, .shape, "item", "a tensor of shape \(shape) has \(count) elements, not one") else {
      return S(fromDouble: 0)
    }
    return data.cast(S.dtype).element(S.self)
  }

  /// All elements, row-major, converted as `to(_:)` converts.
  public func scalars<S: TensorScalar>(as type: S.Type) -> [S] {
    guard isValid, count > 0 else { return [] }
    let data = data.cast(S.dtype).contiguous()
    guard data.isValid else { return [] }
    return Array(UnsafeBufferPointer(start: data.base.assumingMemoryBound(to: S.self), count: count))
  }

  /// The elements as nested arrays: `x.array(as: [[Float]].self)` for a matrix. The depth must be the rank.
  public func array<V: TensorConvertible>(as type: V.Type = V.self) -> V {
    var position = 0
    let zero = V.Component(fromDouble: 0)
    guard isValid,
      check(rank == V.tensorRank, .shape, "array", "a tensor of shape \(shape) is not an array of depth \(V.tensorRank)")
    else {
      let sizes = [Int](repeating: 0, count: V.tensorRank)
      return V(elements: [zero], position: &position, sizes: sizes[...])
    }
    return V(elements: scalars(as: V.Component.self), position: &position, sizes: Array(data.shape)[...])
  }

  /// Calls `body` with the bytes of the elements, row-major without gaps (a copy where they don't lie so). Not to be kept.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let data = data.contiguous()
    defer { withExtendedLifetime(data) {} }
    return try body(UnsafeRawBufferPointer(start: data.base, count: data.isValid ? data.byteCount : 0))
  }
}
