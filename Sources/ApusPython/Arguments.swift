import ApusCore
import ApusNN
import CApusPython

/// The arguments of a call from Python, in the order of the op's signature; defaults are filled in, and the other side has seen to it that
/// each is of the kind that the signature says.
struct Arguments {
  let values: UnsafePointer<apus_value>
  /// The op's, for errors.
  let name: String

  private func tag(_ i: Int) -> apus_tag { apus_tag(rawValue: numericCast(values[i].tag)) }

  func isNone(_ i: Int) -> Bool { tag(i) == APUS_NONE }
  func isTensor(_ i: Int) -> Bool { tag(i) == APUS_TENSOR }
  func isInt(_ i: Int) -> Bool { tag(i) == APUS_INT }
  func isBool(_ i: Int) -> Bool { tag(i) == APUS_BOOL }
  func isString(_ i: Int) -> Bool { tag(i) == APUS_STRING }
  func isNumber(_ i: Int) -> Bool { isInt(i) || isBool(i) || tag(i) == APUS_FLOAT }

  private func wrong(_ i: Int, _ expected: String) {
    fail(TensorError(.dtype, name, "argument \(i + 1) is not \(expected)"))
  }
}

// MARK: - Tensors

extension Arguments {
  @inline(__always)
  func tensor(_ i: Int) -> Tensor {
    guard isTensor(i), let pointer = values[i].pointer else {
      wrong(i, "a tensor")
      return .invalid
    }
    return ApusPython.tensor(pointer)
  }

  /// The first argument, which most ops are about.
  var input: Tensor { tensor(0) }

  func optionalTensor(_ i: Int) -> Tensor? { isNone(i) ? nil : tensor(i) }

  /// What random numbers come from; the default generator for None.
  func generator(_ i: Int) -> Generator {
    isNone(i) ? .default : ApusPython.generator(UnsafeMutableRawPointer(mutating: values[i].pointer))
  }

  /// The variable, for ops that change what is in it.
  func cell(_ i: Int) -> ParameterCell { ApusPython.cell(values[i].pointer) }

  /// A tensor, or a number that adapts its dtype.
  func operand(_ i: Int) -> Tensor {
    switch tag(i) {
    case APUS_TENSOR: return tensor(i)
    case APUS_INT: return Int(values[i].integer).asWeakTensor
    case APUS_BOOL: return (values[i].integer != 0).asWeakTensor
    case APUS_FLOAT: return values[i].number.asWeakTensor
    default:
      wrong(i, "a tensor or a number")
      return .invalid
    }
  }

  func optionalOperand(_ i: Int) -> Tensor? { isNone(i) ? nil : operand(i) }

  /// A tensor, or a number as a tensor without axes of the dtype that Python's number has.
  func tensorOrNumber(_ i: Int) -> Tensor {
    switch tag(i) {
    case APUS_INT: Tensor(Int(values[i].integer))
    case APUS_BOOL: Tensor(values[i].integer != 0)
    case APUS_FLOAT: Tensor(values[i].number)
    default: tensor(i)
    }
  }

  func tensors(_ i: Int) -> [Tensor] {
    if isTensor(i) { return [tensor(i)] }
    guard tag(i) == APUS_TENSORS else {
      wrong(i, "a sequence of tensors")
      return []
    }
    let handles = values[i].pointer?.assumingMemoryBound(to: UnsafeRawPointer?.self)
    return (0..<Int(values[i].count)).map { k in
      guard let handle = handles?[k] else {
        wrong(i, "a sequence of tensors without None")
        return .invalid
      }
      return ApusPython.tensor(handle)
    }
  }
}

// MARK: - Numbers

extension Arguments {
  /// Sizes, axes and counts beyond this make no sense on any machine; the bound keeps their products from overflowing.
  private static let largest: Int64 = 1 << 40

  private func bounded(_ value: Int64, _ i: Int) -> Int {
    guard
      check(
        (-Self.largest...Self.largest).contains(value), .value, name, "\(value) is too large for argument \(i + 1)")
    else { return 0 }
    return Int(value)
  }

  func int(_ i: Int) -> Int {
    guard isInt(i) || isBool(i) else {
      wrong(i, "an integer")
      return 0
    }
    return bounded(values[i].integer, i)
  }

  /// An integer of any size.
  func wideInt(_ i: Int) -> Int { Int(values[i].integer) }

  func optionalInt(_ i: Int) -> Int? { isNone(i) ? nil : int(i) }

  /// One integer, or several, as an array.
  func ints(_ i: Int) -> [Int] {
    if isInt(i) { return [int(i)] }
    if tag(i) == APUS_VALUES, let parts = values[i].pointer?.assumingMemoryBound(to: apus_value.self) {
      let inner = Arguments(values: parts, name: name)
      return (0..<Int(values[i].count)).map { inner.int($0) }
    }
    guard tag(i) == APUS_INTS || (tag(i) == APUS_TENSORS && values[i].count == 0) else {
      wrong(i, "an integer or a sequence of integers")
      return []
    }
    let numbers = values[i].pointer?.assumingMemoryBound(to: Int64.self)
    return (0..<Int(values[i].count)).map { k in bounded(numbers?[k] ?? 0, i) }
  }

  func optionalInts(_ i: Int) -> [Int]? { isNone(i) ? nil : ints(i) }

  /// Axes to reduce: nil for all, which an empty sequence means too.
  func axes(_ i: Int) -> [Int]? {
    guard let dims = optionalInts(i), !dims.isEmpty else { return nil }
    return dims
  }

  func shape(_ i: Int) -> Shape { Shape(ints(i)) }

  /// Settings for each of `count` spatial axes: one number for all alike, or one for each.
  func perAxis(_ i: Int, _ count: Int) -> [Int] {
    let numbers = ints(i)
    return numbers.count == 1 ? [Int](repeating: numbers[0], count: count) : numbers
  }

  func optionalPerAxis(_ i: Int, _ count: Int) -> [Int]? {
    isNone(i) || (tag(i) == APUS_INTS && values[i].count == 0) ? nil : perAxis(i, count)
  }

  /// Output sizes, of which each may be None.
  func adaptiveSizes(_ i: Int, _ count: Int) -> [Int?] {
    if isNone(i) { return [Int?](repeating: nil, count: count) }
    guard tag(i) == APUS_INTS, let numbers = values[i].pointer?.assumingMemoryBound(to: Int64.self) else {
      return [Int?](repeating: int(i), count: count)
    }
    let sizes = (0..<Int(values[i].count)).map { numbers[$0] == .min ? nil : bounded(numbers[$0], i) }
    return sizes.count == 1 ? [Int?](repeating: sizes[0], count: count) : sizes
  }

  func double(_ i: Int) -> Double {
    switch tag(i) {
    case APUS_FLOAT: return values[i].number
    case APUS_INT, APUS_BOOL: return Double(values[i].integer)
    default:
      wrong(i, "a number")
      return 0
    }
  }

  func optionalDouble(_ i: Int) -> Double? { isNone(i) ? nil : double(i) }

  /// One number for all axes, or one for each; nil for None.
  func optionalDoubles(_ i: Int) -> [Double]? {
    switch tag(i) {
    case APUS_NONE: nil
    case APUS_INTS: ints(i).map(Double.init)
    case APUS_FLOATS:
      (0..<Int(values[i].count)).map { values[i].pointer.assumingMemoryBound(to: Double.self)[$0] }
    default: [double(i)]
    }
  }

  func bool(_ i: Int) -> Bool {
    switch tag(i) {
    case APUS_NONE: false
    case APUS_FLOAT: values[i].number != 0
    default: values[i].integer != 0
    }
  }
}

// MARK: - Names

extension Arguments {
  func optionalString(_ i: Int) -> String? {
    guard isString(i), let pointer = values[i].pointer else { return nil }
    return String(decoding: UnsafeRawBufferPointer(start: pointer, count: Int(values[i].count)), as: UTF8.self)
  }

  func string(_ i: Int) -> String {
    if let text = optionalString(i) { return text }
    wrong(i, "a string")
    return ""
  }

  /// One of several names.
  func choice<Value>(_ i: Int, _ choices: KeyValuePairs<String, Value>) -> Value {
    let text = string(i)
    if let match = choices.first(where: { $0.key == text }) { return match.value }
    let names = choices.map { "'\($0.key)'" }.joined(separator: ", ")
    fail(TensorError(.value, name, "'\(text)' is none of \(names)"))
    return choices[0].value
  }

  func optionalDType(_ i: Int) -> DType? {
    tag(i) == APUS_DTYPE ? DType(rawValue: UInt8(truncatingIfNeeded: values[i].integer)) : nil
  }

  func dtype(_ i: Int, default standard: DType = .float32) -> DType { optionalDType(i) ?? standard }

  /// The first argument in the dtype that argument i asks for.
  func input(as i: Int) -> Tensor { optionalDType(i).map { input.to($0) } ?? input }
}

extension Arguments {
  /// A list of integers or of lists of integers; a single integer stands for a list of one.
  func nestedInts(_ i: Int) -> [[Int]] {
    guard tag(i) == APUS_VALUES, let parts = values[i].pointer?.assumingMemoryBound(to: apus_value.self) else {
      return ints(i).map { [$0] }
    }
    let inner = Arguments(values: parts, name: name)
    return (0..<Int(values[i].count)).map { inner.ints($0) }
  }
}
