import ApusCore

/// What one module holds itself: its slots and its children, in the order of declaration.
///
/// Found by reflection. A module or slot in a place that is not looked through (a tuple, a struct, a class that is no module…) would
/// silently be neither trained nor saved, so it is an error that shows how to declare it instead.
struct Inventory {
  private(set) var slots: [(name: String, slot: any Slot)] = []
  private(set) var children: [(name: String, module: Module)] = []
  private let owner: Module

  init(of module: Module) {
    owner = module
    for (name, value) in module.parts { add(value, name) }
  }

  private mutating func add(_ value: Any, _ name: String) {
    // A cast sees through optionals.
    if let slot = value as? any Slot {
      slots.append((name, slot))
    } else if let module = value as? Module {
      children.append((name, module))
    } else if let container = value as? any ModuleContainer {
      var parts: [(key: String, value: Any)] = []
      container.forEachPart { parts.append(($0, $1)) }
      for part in parts { add(part.value, part.key.isEmpty ? name : "\(name).\(part.key)") }
    } else if let hidden = Hidden(in: value, of: owner) {
      let property = owner.propertyName(forKey: name)
      fail(TensorError(.unsupported, "\(type(of: owner)).\(property)", hidden.message(property: property, value: value)))
    }
  }
}

extension Module {
  /// The stored properties by their keys, those of the superclass first; slots without the underscore of their storage.
  var storedProperties: [(name: String, value: Any)] {
    var levels: [Mirror] = []
    var next: Mirror? = Mirror(reflecting: self)
    while let mirror = next, mirror.subjectType != Module.self {
      levels.append(mirror)
      next = mirror.superclassMirror
    }
    return levels.reversed().flatMap(\.children).compactMap { label, value in
      guard let label else { return nil }
      if label.hasPrefix("$__lazy_storage_$_") { return lazyProperty(String(label.dropFirst(18)), value) }
      return (keyName(label.hasPrefix("_") && value is any Slot ? String(label.dropFirst()) : label), value)
    }
  }

  /// The property that a key stands for, for messages.
  fileprivate func propertyName(forKey key: String) -> String {
    var next: Mirror? = Mirror(reflecting: self)
    while let mirror = next {
      for case let label? in mirror.children.map(\.label) where keyName(label) == key { return label }
      next = mirror.superclassMirror
    }
    return key
  }

  /// A lazy module does not exist until somebody asks for it, and then has parameters that no optimizer knows.
  private func lazyProperty(_ name: String, _ value: Any) -> (name: String, value: Any)? {
    guard let wrapped = (type(of: value) as? any ModuleContainer.Type)?.elementType, wrapped is Module.Type else { return nil }
    fail(
      TensorError(
        .unsupported, "\(type(of: self)).\(name)",
        "a lazy module is not there when the parameters are collected\n  found:   lazy var \(name): \(wrapped)\n"
          + "  declare: let \(name): \(wrapped)"))
    return nil
  }

  /// Visits this module and all below it with their paths, parents first: a module once for every path to it. A way back to a module that
  /// is being visited (a child that knows its parent) is not followed.
  func walk(_ visit: (_ path: String, _ module: Module, _ inventory: Inventory) -> Void) {
    var ancestors = Set<ObjectIdentifier>()
    func descend(_ module: Module, _ path: String) {
      guard ancestors.insert(ObjectIdentifier(module)).inserted else { return }
      defer { ancestors.remove(ObjectIdentifier(module)) }
      let inventory = Inventory(of: module)
      visit(path, module, inventory)
      for (name, child) in inventory.children { descend(child, path.isEmpty ? name : "\(path).\(name)") }
    }
    descend(self, "")
  }

  /// All slots with their keys, in PyTorch's order: of each module the parameters, then the buffers, then its children's.
  func namedSlots() -> [(name: String, slot: any Slot)] {
    var result: [(name: String, slot: any Slot)] = []
    walk { path, _, inventory in
      let named = inventory.slots.map { (name: path.isEmpty ? $0.name : "\(path).\($0.name)", slot: $0.slot) }
      result += named.filter { $0.slot.isParameter } + named.filter { !$0.slot.isParameter }
    }
    return result
  }
}

extension Slot {
  var isParameter: Bool {
    if case .parameter = role { return true }
    return false
  }

  /// Whether it may stay empty.
  var isOptional: Bool { self is Parameter<Tensor?> || self is Buffer<Tensor?> }
}

// MARK: - Containers that are looked through

/// A container whose elements are parts of the module that holds it.
protocol ModuleContainer {
  static var elementType: Any.Type { get }
  /// Calls `body` with key and value of each element; the key of an optional's is empty.
  func forEachPart(_ body: (String, Any) -> Void)
}

extension Optional: ModuleContainer {
  static var elementType: Any.Type { Wrapped.self }
  func forEachPart(_ body: (String, Any) -> Void) {
    if let self { body("", self) }
  }
}

extension Array: ModuleContainer {
  static var elementType: Any.Type { Element.self }
  func forEachPart(_ body: (String, Any) -> Void) {
    // A table of numbers may be long.
    if isPlain(Element.self) { return }
    for (i, element) in enumerated() { body("\(i)", element) }
  }
}

extension Dictionary: ModuleContainer {
  static var elementType: Any.Type { Value.self }
  /// In the order of the keys, numbers by size.
  func forEachPart(_ body: (String, Any) -> Void) {
    if isPlain(Value.self) { return }
    let parts = map { (key: "\($0.key)", value: $0.value) }
    let sorted = parts.sorted { a, b in
      if let x = Int(a.key), let y = Int(b.key) { x < y } else { a.key < b.key }
    }
    for (key, value) in sorted { body(key, value) }
  }
}

/// Whether values of a type have certainly no modules in them.
private func isPlain(_ type: Any.Type) -> Bool { type is any TensorScalar.Type || type == Tensor.self || type == String.self }

// MARK: - Places that are not

/// A module or slot found in a place that is not looked through.
private struct Hidden {
  let part: Any

  /// Looks for one in `value`, two levels deep; a way back to `owner` is none.
  init?(in value: Any, of owner: Module, depth: Int = 2) {
    if isPlain(type(of: value)) { return nil }
    var next: Mirror? = Mirror(reflecting: value)
    while let mirror = next {
      for child in mirror.children.prefix(32) {
        if let module = child.value as? Module, module !== owner {
          part = module
          return
        }
        if let slot = child.value as? any Slot {
          part = slot
          return
        }
        if !(child.value is Module), depth > 1, let deeper = Hidden(in: child.value, of: owner, depth: depth - 1) {
          self = deeper
          return
        }
      }
      next = mirror.superclassMirror
    }
    return nil
  }

  func message(property: String, value: Any) -> String {
    let (kind, repair) = place(property, value)
    return "\(kind) is not looked through for parameters: the \(Self.name(of: part)) in it would be neither trained nor saved\n"
      + "  found:   let \(property): \(type(of: value))\n  declare: \(repair)"
  }

  private func place(_ property: String, _ value: Any) -> (kind: String, repair: String) {
    let mirror = Mirror(reflecting: value)
    let own = "final class \(type(of: value)): Module"
    switch mirror.displayStyle {
    case .tuple: return ("a tuple", Self.repair(tuple: mirror, property))
    case .set, .collection: return ("\(type(of: value))", "let \(property): [\(Self.name(of: part))]")
    case .enum: return ("an enum", "let \(property): \(Self.name(of: part))?, one property for each case with a module")
    case .class: return ("a class that is not a Module", own)
    default: return ("a struct", own)
    }
  }

  private static func repair(tuple: Mirror, _ property: String) -> String {
    let types = tuple.children.map { name(of: $0.value) }
    if Set(types).count == 1 { return "let \(property): [\(types[0])]" }
    let properties = tuple.children.enumerated().map { i, child in
      let label = child.label ?? ".\(i)"
      return "let \(label.hasPrefix(".") ? property + label.dropFirst() : label): \(types[i])"
    }
    return properties.joined(separator: "; ")
  }

  private static func name(of value: Any) -> String { "\(type(of: value))" }
}
