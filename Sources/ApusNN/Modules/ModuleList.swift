import ApusCore

/// Modules in a row, named by their numbers: `0.weight`, `1.weight`.
///
/// A plain array in a property does the same; a list is for passing around, as it is a module itself and shared like one.
///
/// ```swift
/// let blocks = ModuleList((0..<6).map { _ in Block(width: 64) })
/// for block in blocks { x = block(x) }
/// ```
public final class ModuleList<Element>: Module, Sequence, ExpressibleByArrayLiteral {
  private var elements: [Element]

  /// A list of modules; of a type (`any Layer`, a class) whose values are modules.
  public init(_ elements: some Sequence<Element>) { self.elements = Array(elements) }

  public convenience init(arrayLiteral elements: Element...) { self.init(elements) }

  public override var parts: [(name: String, value: Any)] { elements.enumerated().map { ("\($0)", $1) } }

  public func makeIterator() -> IndexingIterator<[Element]> { elements.makeIterator() }

  public var count: Int { elements.count }

  public var isEmpty: Bool { elements.isEmpty }

  /// The i-th module; negative counts from the end.
  public subscript(i: Int) -> Element {
    get { elements[i < 0 ? i + count : i] }
    set { elements[i < 0 ? i + count : i] = newValue }
  }

  /// Some of the modules, in a list of their own that shares them.
  public subscript(range: some RangeExpression<Int>) -> ModuleList { ModuleList(elements[range]) }

  /// Adds a module at the end.
  public func append(_ module: Element) { elements.append(module) }

  /// Adds modules at the end.
  public func append(contentsOf modules: some Sequence<Element>) { elements.append(contentsOf: modules) }

  /// Puts a module before the i-th, or at the end.
  public func insert(_ module: Element, at i: Int) { elements.insert(module, at: i) }

  /// Takes the i-th module out and gives it back.
  @discardableResult
  public func remove(at i: Int) -> Element { elements.remove(at: i < 0 ? i + count : i) }
}
