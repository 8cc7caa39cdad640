import ApusCore

/// Layers, each applied to what the one before it gives.
///
/// ```swift
/// let model = Sequential {
///   Flatten()
///   Linear(784, 128)
///   ReLU()
///   if usesDropout { Dropout(0.2) }
///   Linear(128, 10)
/// }
/// ```
///
/// As in PyTorch, the children are named by their numbers, `1.weight`, or have names of their own: `Sequential(named: ["fc": Linear(2, 1)])`.
/// Layers can be replaced, added and taken out; the numbers follow.
public final class Sequential: Module, Layer {
  private var entries: [(name: String?, layer: any Layer)] { didSet { steps = Self.steps(layers) } }
  private var steps: [Step] = []

  public init(_ layers: [any Layer]) {
    entries = layers.map { (nil, $0) }
    steps = Self.steps(layers)
  }

  public convenience init(@LayerBuilder _ layers: () -> [any Layer]) { self.init(layers()) }

  /// Layers with names, which must differ, have a letter, and no point.
  public init(named layers: KeyValuePairs<String, any Layer>) {
    entries = []
    super.init()
    for (name, layer) in layers {
      let isFine = check(
        isChildName(name) && Int(name) == nil && !entries.contains { $0.name == name }, .value, "Sequential",
        "'\(name)' cannot be a layer's name: it is a number, empty, has a point, or is taken")
      if isFine { entries.append((name, layer)) }
    }
    steps = Self.steps(self.layers)
  }

  private init(entries: [(name: String?, layer: any Layer)]) {
    self.entries = entries
    steps = Self.steps(entries.map(\.layer))
  }

  public var layers: [any Layer] { entries.map(\.layer) }

  public func forward(_ x: Tensor) -> Tensor {
    var y = x
    for step in steps {
      switch step {
      case .layer(let layer): y = layer(y)
      case .linear(let linear, let activation): y = linear(y, then: activation)
      case .convolution(let convolution, let norm, let relu): y = convolution(y, then: norm, relu: relu)
      }
    }
    return y
  }

  /// Layers that are called together: they know how to do it in one pass, and when they can't.
  private enum Step {
    case layer(any Layer)
    case linear(Linear, any FunctionLayer)
    case convolution(Convolution, BatchNorm, ReLU?)
  }

  private static func steps(_ layers: [any Layer]) -> [Step] {
    var (steps, rest): ([Step], _) = ([], layers[...])
    while let layer = rest.popFirst() {
      if let linear = layer as? Linear, let activation = rest.first as? any FunctionLayer {
        rest.removeFirst()
        steps.append(.linear(linear, activation))
      } else if let convolution = layer as? Convolution, let norm = rest.first as? BatchNorm {
        rest.removeFirst()
        let relu = rest.first as? ReLU
        if relu != nil { rest.removeFirst() }
        steps.append(.convolution(convolution, norm, relu))
      } else {
        steps.append(.layer(layer))
      }
    }
    return steps
  }

  public override var parts: [(name: String, value: Any)] { entries.enumerated().map { ($1.name ?? "\($0)", $1.layer) } }
}

// MARK: - As a collection

extension Sequential: Sequence {
  public func makeIterator() -> some IteratorProtocol<any Layer> { layers.makeIterator() }

  public var count: Int { entries.count }

  public var isEmpty: Bool { entries.isEmpty }

  /// The i-th layer; negative counts from the end.
  public subscript(i: Int) -> any Layer {
    get { position(i, below: count).map { entries[$0].layer } ?? Identity() }
    set {
      if let i = position(i, below: count) { entries[i].layer = newValue }
    }
  }

  /// The layer with this name (or number); nil where there is none.
  public subscript(name: String) -> (any Layer)? {
    entries.enumerated().first { ($1.name ?? "\($0)") == name }?.element.layer
  }

  /// Some of the layers, in a sequence of their own that shares them.
  public subscript(range: some RangeExpression<Int>) -> Sequential {
    let range = range.relative(to: 0..<count)
    guard
      check(range.lowerBound >= 0 && range.upperBound <= count, .index, "Sequential", "layers \(range) of \(count)")
    else { return Sequential([]) }
    return Sequential(entries: Array(entries[range]))
  }

  /// Adds a layer at the end.
  public func append(_ layer: any Layer) { entries.append((nil, layer)) }

  /// Adds layers at the end.
  public func append(contentsOf layers: some Sequence<any Layer>) { entries += layers.map { (nil, $0) } }

  /// Puts a layer before the i-th, or at the end.
  public func insert(_ layer: any Layer, at i: Int) {
    if let i = position(i, below: count + 1) { entries.insert((nil, layer), at: i) }
  }

  /// Takes the i-th layer out and gives it back.
  @discardableResult
  public func remove(at i: Int) -> any Layer { position(i, below: count).map { entries.remove(at: $0).layer } ?? Identity() }

  private func position(_ i: Int, below limit: Int) -> Int? {
    let position = i < 0 ? i + count : i
    return check((0..<limit).contains(position), .index, "Sequential", "there is no layer \(i) among \(count)") ? position : nil
  }
}

/// Collects the layers that stand in a block, with `if`, `switch` and `for`, and arrays of layers.
@resultBuilder
public enum LayerBuilder {
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildLimitedAvailability(_ part: [any Layer]) -> [any Layer] { part }
}
