/// A short list of integers (sizes, strides, axes) that needs no memory of its own up to four entries.
///
/// Nearly all tensors have at most four axes; an `Array` per shape and per strides would be most of the cost of a small op.
package struct Dims: Hashable, Sendable {
  package private(set) var count: Int
  private var head: (Int, Int, Int, Int) = (0, 0, 0, 0)
  private var tail: [Int] = []

  @inline(__always)
  package init() { count = 0 }

  package init(repeating value: Int, count: Int) {
    self.count = count
    head = (value, value, value, value)
    if count > 4 { tail = [Int](repeating: value, count: count - 4) }
  }

  package init(_ values: some Sequence<Int>) {
    self.init()
    for value in values { append(value) }
  }

  @inline(__always)
  package init(_ a: Int) {
    count = 1
    head.0 = a
  }

  @inline(__always)
  package init(_ a: Int, _ b: Int) {
    count = 2
    head.0 = a
    head.1 = b
  }

  package mutating func append(_ value: Int) {
    if count >= 4 { tail.append(value) }
    count += 1
    self[count - 1] = value
  }

  package mutating func insert(_ value: Int, at index: Int) {
    append(value)
    var i = count - 1
    while i > index {
      self[i] = self[i - 1]
      i -= 1
    }
    self[index] = value
  }

  package mutating func remove(at index: Int) {
    for i in index..<(count - 1) { self[i] = self[i + 1] }
    count -= 1
    if count >= 4 { tail.removeLast() }
  }

  package func removing(at index: Int) -> Dims {
    var copy = self
    copy.remove(at: index)
    return copy
  }

  package func inserting(_ value: Int, at index: Int) -> Dims {
    var copy = self
    copy.insert(value, at: index)
    return copy
  }

  package func replacing(_ index: Int, with value: Int) -> Dims {
    var copy = self
    copy[index] = value
    return copy
  }

  package static func == (a: Dims, b: Dims) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<a.count where a[i] != b[i] { return false }
    return true
  }

  package func hash(into hasher: inout Hasher) {
    for value in self { hasher.combine(value) }
  }
}

extension Dims: RandomAccessCollection, MutableCollection, ExpressibleByArrayLiteral {
  @inline(__always) package var startIndex: Int { 0 }
  @inline(__always) package var endIndex: Int { count }

  package init(arrayLiteral elements: Int...) { self.init(elements) }

  @inline(__always)
  package subscript(index: Int) -> Int {
    get {
      switch index {
      case 0: head.0
      case 1: head.1
      case 2: head.2
      case 3: head.3
      default: tail[index - 4]
      }
    }
    set {
      switch index {
      case 0: head.0 = newValue
      case 1: head.1 = newValue
      case 2: head.2 = newValue
      case 3: head.3 = newValue
      default: tail[index - 4] = newValue
      }
    }
  }
}

extension Dims {
  /// Product of the entries. The caller has made sure that it fits (`checkedProduct` where it has not).
  package var product: Int {
    var result = 1
    for i in 0..<count { result &*= self[i] }
    return result
  }

  /// Product of the entries, or nil where it overflows or an entry is negative.
  package var checkedProduct: Int? {
    var result = 1
    var isEmpty = false
    for i in 0..<count {
      let size = self[i]
      if size < 0 { return nil }
      if size == 0 {
        isEmpty = true
        continue
      }
      let (product, overflow) = result.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      result = product
    }
    return isEmpty ? 0 : result
  }

  /// Entry `order[i]` at place i.
  package func permuted(_ order: Dims) -> Dims {
    var result = order
    for i in 0..<order.count { result[i] = self[order[i]] }
    return result
  }

  /// Row-major strides of these sizes, in elements.
  package var contiguousStrides: Dims {
    var strides = Dims(repeating: 1, count: count)
    var running = 1
    var i = count - 1
    while i >= 0 {
      strides[i] = running
      running &*= Swift.max(self[i], 1)
      i -= 1
    }
    return strides
  }
}
