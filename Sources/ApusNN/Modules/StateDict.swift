import ApusCore

/// Tensors by name, in a fixed order: what a model or an optimizer saves and loads.
public struct StateDict: Sendable {
  private var entries: [(name: String, tensor: Tensor)] = []
  private var positions: [String: Int] = [:]

  public init() {}

  /// The pairs in their order. Of two with the same name the later counts.
  public init(_ pairs: some Sequence<(String, Tensor)>) {
    for (name, tensor) in pairs { self[name] = tensor }
  }

  /// The tensor with this name. A new name goes to the end; nil takes the entry out.
  ///
  /// - Complexity: O(1), linear for taking out.
  public subscript(name: String) -> Tensor? {
    get { positions[name].map { entries[$0].tensor } }
    set {
      guard let tensor = newValue else {
        remove(name)
        return
      }
      if let i = positions[name] {
        entries[i].tensor = tensor
      } else {
        positions[name] = entries.count
        entries.append((name, tensor))
      }
    }
  }

  private mutating func remove(_ name: String) {
    guard let i = positions.removeValue(forKey: name) else { return }
    entries.remove(at: i)
    for j in i..<entries.count { positions[entries[j].name] = j }
  }

  public var names: [String] { entries.map(\.name) }
}

extension StateDict: RandomAccessCollection, ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Tensor)...) { self.init(elements) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(i: Int) -> (name: String, tensor: Tensor) { entries[i] }
}
