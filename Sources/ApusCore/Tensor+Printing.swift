#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How tensors are printed: the layout of PyTorch.
public struct PrintOptions: Sendable {
  /// Digits after the point.
  public var precision = 4
  /// Tensors with more elements are summarised.
  public var threshold = 1000
  /// How many entries of an axis stand at each end of a summary.
  public var edgeItems = 3
  /// Columns before a row is broken.
  public var lineWidth = 80

  public init() {}

  /// The options that `print` uses, changed for a scope by `PrintOptions.$current.withValue(options) { … }`.
  @TaskLocal public static var current = PrintOptions()
}

extension Tensor: CustomStringConvertible {
  /// `tensor([[1.0000, 2.5000]], dtype=float64, requiresGrad=true)`; large tensors are summarised.
  public var description: String {
    guard isValid else { return "tensor(invalid)" }
    var suffix = ""
    if count == 0 && rank != 1 { suffix += ", shape=\(shape)" }
    if dtype != .float32 && dtype != .int64 && dtype != .bool || (count == 0 && dtype != .float32) {
      suffix += ", dtype=\(dtype)"
    }
    if let node { suffix += node.isLeaf ? ", requiresGrad=true" : ", gradient=\(node.operation.text)" }
    if count == 0 { return "tensor([]\(suffix))" }
    let printer = TensorPrinter(detach(), PrintOptions.current)
    let body = printer.text
    let isMultiline = body.contains("\n")
    let lastLine = body.split(separator: "\n").last.map(\.count) ?? 0
    let breaks = isMultiline && lastLine + suffix.count > printer.options.lineWidth && !suffix.isEmpty
    return "tensor(\(body)\(breaks ? ",\n       " + suffix.dropFirst() : suffix))"
  }
}

private struct TensorPrinter {
  let tensor: Tensor
  let options: PrintOptions
  private let isSummary: Bool
  private var format = NumberFormat()

  init(_ tensor: Tensor, _ options: PrintOptions) {
    self.tensor = tensor
    self.options = options
    isSummary = tensor.count > options.threshold
    var shown: [Double] = []
    collect(tensor, &shown)
    format = NumberFormat(shown, tensor.dtype, options.precision)
  }

  /// The printed indices of an axis; nil stands for the dots.
  private func positions(_ size: Int) -> [Int?] {
    guard isSummary, size > 2 * options.edgeItems else { return Array(0..<size) }
    return Array(0..<options.edgeItems) + [nil] + Array((size - options.edgeItems)..<size)
  }

  private func collect(_ x: Tensor, _ values: inout [Double]) {
    if x.rank == 0 {
      values.append(x.item())
    } else if x.rank == 1 {
      for i in positions(x.shape[0]) { if let i { values.append(x.data.value(at: i)) } }
    } else {
      for i in positions(x.shape[0]) { if let i { collect(x.select(dim: 0, index: i), &values) } }
    }
  }

  var text: String { text(tensor, indent: 7) }

  private func text(_ x: Tensor, indent: Int) -> String {
    if x.rank == 0 { return number(x.data, 0) }
    if x.rank == 1 {
      let entries = positions(x.shape[0]).map { $0.map { number(x.data, $0) } ?? " ..." }
      let perLine = Swift.max(1, (options.lineWidth - indent) / (format.width + 2))
      let lines = stride(from: 0, to: entries.count, by: perLine).map {
        entries[$0..<Swift.min($0 + perLine, entries.count)].joined(separator: ", ")
      }
      return "[" + lines.joined(separator: ",\n" + String(repeating: " ", count: indent + 1)) + "]"
    }
    let entries = positions(x.shape[0]).map { $0.map { text(x.select(dim: 0, index: $0), indent: indent + 1) } ?? "..." }
    let gap = String(repeating: "\n", count: x.rank - 1) + String(repeating: " ", count: indent + 1)
    return "[" + entries.joined(separator: "," + gap) + "]"
  }

  private func number(_ data: TensorData, _ i: Int) -> String {
    let text = data.dtype == .int64 ? String(data.integer(at: i)) : format.text(data.value(at: i))
    return String(repeating: " ", count: Swift.max(0, format.width - text.count)) + text
  }
}

/// One format for all numbers of a tensor: integers, fixed point or scientific.
private struct NumberFormat {
  private enum Style { case bool, integer, wholeFloat, fixed, scientific }
  private var style = Style.integer
  private var precision = 4
  private(set) var width = 0

  init() {}

  init(_ values: [Double], _ dtype: DType, _ precision: Int) {
    self.precision = precision
    if dtype == .bool {
      style = .bool
    } else if dtype.isFloatingPoint {
      let sizes = values.filter { $0.isFinite && $0 != 0 }.map { Swift.abs($0) }
      let (low, high) = (sizes.min() ?? 1, sizes.max() ?? 1)
      let spreads = high / low > 1000 || high > 1e8
      let areWhole = sizes.allSatisfy { $0 == $0.rounded() }
      style = spreads || (!areWhole && low < 1e-4) ? .scientific : areWhole ? .wholeFloat : .fixed
    }
    // Infinities and NaN may stick out, as in PyTorch.
    let measured = dtype.isFloatingPoint ? values.filter { $0.isFinite && $0 != 0 } : values
    width = values.count == 1 && style != .bool ? 0 : measured.map { text($0).count }.max() ?? 0
  }

  func text(_ value: Double) -> String {
    switch style {
    case .bool: return value != 0 ? "true" : "false"
    case .integer: return formatted("%.0f", value)
    case _ where value.isNaN: return "nan"
    case _ where value.isInfinite: return value < 0 ? "-inf" : "inf"
    case .wholeFloat: return formatted("%.0f.", value)
    case .fixed: return formatted("%.\(precision)f", value)
    case .scientific: return formatted("%.\(precision)e", value)
    }
  }
}

func formatted(_ format: String, _ value: Double) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
    _ = withVaList([value]) { vsnprintf(buffer.baseAddress!, buffer.count, format, $0) }
    return String(cString: buffer.baseAddress!)
  }
}

extension TensorData {
  /// Element i along the only axis (or the scalar), as a double.
  fileprivate func value(at i: Int) -> Double {
    func read<T: TensorScalar>(_: T.Type) -> Double { element(T.self, at: rank == 0 ? 0 : i * strides[0]).asDouble }
    return read(dtype.scalarType)
  }

  fileprivate func integer(at i: Int) -> Int64 { element(Int64.self, at: rank == 0 ? 0 : i * strides[0]) }
}
