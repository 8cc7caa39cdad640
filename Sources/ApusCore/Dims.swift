/// A short list of integers (sizes, strides, axes) that needs no memory of its own up to six entries, and no reference count.
///
/// Nearly all tensors have at most six axes; an `Array` per shape and per strides would be most of the cost of a small op. What is behind the
/// sixth lies in memory that equal lists share and that is never freed: a program meets few of them.
package struct Dims: Hashable, @unchecked Sendable {
  package private(set) var count: Int
  private var head: (Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0)
  private var tail: UnsafePointer<Int>?
  private static let inlineCount = 6

  @inline(__always)
  package init() { count = 0 }

  package init(repeating value: Int, count: Int) {
    self.count = count
    head = (value, value, value, value, value, value)
    if count > Self.inlineCount { tail = Self.shared([Int](repeating: value, count: count - Self.inlineCount)) }
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
    if _slowPath(count >= Self.inlineCount) { tail = Self.shared(tailEntries + [value]) }
    count += 1
    if count <= Self.inlineCount { self[count - 1] = value }
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
    if _slowPath(count > Self.inlineCount) { tail = Self.shared(tailEntries.dropLast()) }
    count -= 1
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

  /// What is behind the sixth entry.
  private var tailEntries: [Int] { Array(UnsafeBufferPointer(start: tail, count: Swift.max(0, count - Self.inlineCount))) }

  /// The memory of all lists with these entries; none for none.
  private static func shared(_ entries: [Int]) -> UnsafePointer<Int>? {
    guard !entries.isEmpty else { return nil }
    return tails.withLock { tails in
      if let known = tails[entries] { return known }
      let memory = UnsafeMutablePointer<Int>.allocate(capacity: entries.count)
      memory.initialize(from: entries, count: entries.count)
      tails[entries] = UnsafePointer(memory)
      return UnsafePointer(memory)
    }
  }

  private static let tails = Locked<[[Int]: UnsafePointer<Int>]>([:])
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
      case 4: head.4
      case 5: head.5
      default: tail![index - Self.inlineCount]
      }
    }
    set {
      switch index {
      case 0: head.0 = newValue
      case 1: head.1 = newValue
      case 2: head.2 = newValue
      case 3: head.3 = newValue
      case 4: head.4 = newValue
      case 5: head.5 = newValue
      default:
        var entries = tailEntries
        entries[index - Self.inlineCount] = newValue
        tail = Self.shared(entries)
      }
    }
  }
}

extension Dims {
  /// The axes of a tensor of these sizes: 0, 1, …
  package var axes: Dims {
    var axes = self
    for i in 0..<count { axes[i] = i }
    return axes
  }

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
    // What nearly all results of small ops have.
    if count == 2 { return Dims(Swift.max(self[1], 1), 1) }
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
