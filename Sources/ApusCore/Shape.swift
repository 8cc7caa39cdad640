/// The sizes of a tensor's axes: `[2, 3]` has two rows of three. A scalar has the shape `[]`.
///
/// A collection of `Int`. An index that doesn't exist is an error like any other (`catching` can catch it).
public struct Shape: Hashable, Sendable {
  package var dims: Dims

  package init(dims: Dims) { self.dims = dims }

  public init(_ sizes: some Sequence<Int>) { dims = Dims(sizes) }

  /// Number of axes.
  public var rank: Int { dims.count }

  /// Product of the sizes: 1 for a scalar, 0 where a size is 0.
  public var elementCount: Int { dims.product }
}

extension Shape: RandomAccessCollection, ExpressibleByArrayLiteral, CustomStringConvertible {
  public init(arrayLiteral sizes: Int...) { dims = Dims(sizes) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { dims.count }

  /// Size of axis `index`; negative counts from the end.
  public subscript(index: Int) -> Int {
    let i = index < 0 ? index + dims.count : index
    guard check(i >= 0 && i < dims.count, .index, "shape", "axis \(index) of a tensor with shape \(self)") else { return 0 }
    return dims[i]
  }

  public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }
}

extension Shape {
  /// The shape that both broadcast to, or nil: axes are matched from the last, and sizes must agree or be 1.
  public static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    Dims.broadcast(a.dims, b.dims).map(Shape.init(dims:))
  }
}

extension Dims {
  package static func broadcast(_ a: Dims, _ b: Dims) -> Dims? {
    if a == b { return a }
    let rank = Swift.max(a.count, b.count)
    var result = Dims(repeating: 1, count: rank)
    for i in 0..<rank {
      let x = i < rank - a.count ? 1 : a[i - (rank - a.count)]
      let y = i < rank - b.count ? 1 : b[i - (rank - b.count)]
      if x == y || y == 1 {
        result[i] = x
      } else if x == 1 {
        result[i] = y
      } else {
        return nil
      }
    }
    return result
  }
}
