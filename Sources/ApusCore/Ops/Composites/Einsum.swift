/// Sums of products in Einstein's notation: each axis of each operand gets a letter; letters missing from the output are summed over.
///
/// ```swift
/// einsum("ij,jk->ik", a, b)      // matrix product
/// einsum("bhid,bhjd->bhij", q, k)
/// einsum("ii->i", a)             // diagonal: a letter twice in one operand
/// einsum("...ij->...ji", a)      // any axes in front
/// ```
///
/// - Letters are a–z and A–Z; spaces don't count. `...` stands for any number of axes, which broadcast between operands.
/// - Without `->` the output has the axes of `...`, then every letter that occurs once, in the order of ASCII.
/// - One letter has one size; size 1 broadcasts. `...` missing from an output with `->` is summed over.
/// - Complexity: operands are contracted from left to right, each step one matrix product.
public func einsum(_ equation: String, _ operands: [Tensor]) -> Tensor {
  guard operands.allSatisfy(\.isValid), let plan = EinsumPlan(equation, operands) else { return .invalid }
  return plan.run()
}

/// `einsum` of operands one by one.
public func einsum(_ equation: String, _ operands: Tensor...) -> Tensor { einsum(equation, operands) }

/// An equation read and held against its operands. Axes are named by labels: the code of a letter, or below 0 for the axes of `...`,
/// counted from the last.
struct EinsumPlan {
  /// An operand with different labels for all axes.
  struct Term {
    var tensor: Tensor
    var labels: [Int]
  }
  var terms: [Term] = []
  var output: [Int] = []
  let equation: String

  init?(_ equation: String, _ operands: [Tensor]) {
    self.equation = equation
    guard let (inputs, result) = Self.parsed(equation) else { return nil }
    guard Self.verify(inputs.count == operands.count, equation, "\(inputs.count) subscripts for \(operands.count) operands")
    else {
      return nil
    }
    var ellipsisRank = 0
    for (i, (symbols, x)) in zip(inputs, operands).enumerated() {
      guard let labels = Self.labels(symbols, rank: x.rank, equation, "operand \(i) of shape \(x.shape)") else { return nil }
      ellipsisRank = Swift.max(ellipsisRank, labels.filter { $0 < 0 }.count)
      guard let term = Self.withoutRepeats(Term(tensor: x, labels: labels), equation, i) else { return nil }
      terms.append(term)
    }
    guard haveConsistentSizes(), let output = outputLabels(inputs, result, ellipsisRank) else { return nil }
    self.output = output
  }

  // MARK: Reading

  /// A letter's code, or nil for `...`.
  private typealias Symbol = Int?

  private static func verify(_ condition: Bool, _ equation: String, _ message: @autoclosure () -> String) -> Bool {
    check(condition, .value, "einsum", "'\(equation)': \(message())")
  }

  private static func parsed(_ equation: String) -> (inputs: [[Symbol]], output: [Symbol]?)? {
    let characters = Array(equation).filter { $0 != " " }
    let arrows = characters.indices.dropLast().filter { characters[$0] == "-" && characters[$0 + 1] == ">" }
    guard verify(arrows.count <= 1, equation, "more than one '->'") else { return nil }
    let left = characters[..<(arrows.first ?? characters.count)]
    var inputs: [[Symbol]] = []
    for part in left.split(separator: ",", omittingEmptySubsequences: false) {
      guard let symbols = symbols(part, equation) else { return nil }
      inputs.append(symbols)
    }
    guard let arrow = arrows.first else { return (inputs, nil) }
    guard let output = symbols(characters[(arrow + 2)...], equation) else { return nil }
    return (inputs, output)
  }

  private static func symbols(_ text: ArraySlice<Character>, _ equation: String) -> [Symbol]? {
    var (symbols, rest) = ([Symbol](), text)
    while let next = rest.first {
      if rest.starts(with: "...") {
        guard verify(!symbols.contains(nil), equation, "'...' occurs twice in '\(String(text))'") else { return nil }
        symbols.append(nil)
        rest = rest.dropFirst(3)
        continue
      }
      let isLetter = next.isASCII && next.isLetter
      guard verify(isLetter, equation, "'\(next)' is not a letter, ',', '->' or '...'"), let code = next.asciiValue else {
        return nil
      }
      symbols.append(Int(code))
      rest = rest.dropFirst()
    }
    return symbols
  }

  /// One label for each axis.
  private static func labels(_ symbols: [Symbol], rank: Int, _ equation: String, _ operand: String) -> [Int]? {
    let letters = symbols.compactMap { $0 }
    let rest = rank - letters.count
    let fits = symbols.count == letters.count ? rest == 0 : rest >= 0
    guard verify(fits, equation, "'\(text(symbols))' does not name the axes of \(operand)") else { return nil }
    return symbols.flatMap { symbol in symbol.map { [$0] } ?? (0..<rest).map { $0 - rest } }
  }

  private static func text(_ symbols: [Symbol]) -> String { symbols.map { $0.map(name) ?? "..." }.joined() }

  private static func name(_ label: Int) -> String { label < 0 ? "..." : String(Character(UnicodeScalar(UInt8(label)))) }

  /// The diagonal over axes that share a label.
  private static func withoutRepeats(_ term: Term, _ equation: String, _ operand: Int) -> Term? {
    var term = term
    while let (first, second) = term.repeatedAxes {
      let (m, n) = (term.tensor.shape[first], term.tensor.shape[second])
      let label = term.labels[first]
      guard verify(m == n, equation, "subscript '\(name(label))' has sizes \(m) and \(n) in operand \(operand)") else {
        return nil
      }
      term.tensor = term.tensor.diagonal(dim1: first, dim2: second)
      term.labels.remove(at: second)
      term.labels.remove(at: first)
      term.labels.append(label)
    }
    return term
  }

  private func haveConsistentSizes() -> Bool {
    var sizes: [Int: (size: Int, operand: Int)] = [:]
    for (i, term) in terms.enumerated() {
      for (label, size) in zip(term.labels, term.tensor.shape) where size != 1 {
        let known = sizes[label] ?? (size, i)
        guard
          check(
            known.size == size, .shape, "einsum",
            "'\(equation)': subscript '\(Self.name(label))' has size \(known.size) in operand \(known.operand), \(size) in operand \(i)"
          )
        else { return false }
        sizes[label] = known
      }
    }
    return true
  }

  private func outputLabels(_ inputs: [[Symbol]], _ output: [Symbol]?, _ ellipsisRank: Int) -> [Int]? {
    let letters = inputs.joined().compactMap { $0 }
    let ellipsis = (0..<ellipsisRank).map { $0 - ellipsisRank }
    guard let output else {
      let counts = Dictionary(letters.map { ($0, 1) }, uniquingKeysWith: +)
      return ellipsis + counts.filter { $0.value == 1 }.map(\.key).sorted()
    }
    var labels: [Int] = []
    for symbol in output {
      guard let symbol else {
        labels += ellipsis
        continue
      }
      guard Self.verify(letters.contains(symbol), equation, "output subscript '\(Self.name(symbol))' is in no operand"),
        Self.verify(!labels.contains(symbol), equation, "output subscript '\(Self.name(symbol))' occurs twice")
      else { return nil }
      labels.append(symbol)
    }
    return labels
  }

  // MARK: Computing

  func run() -> Tensor {
    var result = terms[0]
    for i in terms.indices.dropFirst() {
      let later = Set(output + terms[(i + 1)...].flatMap(\.labels))
      result = Self.contracted(result, terms[i], keeping: later)
    }
    result = result.summed(keeping: Set(output))
    return result.tensor.permute(output.map { result.labels.firstIndex(of: $0)! })  // checked: each is in an operand
  }

  /// One matrix product: `[batch, free of a, summed] · [batch, summed, free of b]`.
  private static func contracted(_ a: Term, _ b: Term, keeping later: Set<Int>) -> Term {
    // Where one has size 1, the other alone has the axis.
    var (a, b) = (a.withoutUnits(in: b), b)
    b = b.withoutUnits(in: a)
    a = a.summed(keeping: later.union(b.labels))
    b = b.summed(keeping: later.union(a.labels))
    let shared = a.labels.filter(b.labels.contains)
    let (batch, inner) = (shared.filter(later.contains), shared.filter { !later.contains($0) })
    let free = (a.labels.filter { !shared.contains($0) }, b.labels.filter { !shared.contains($0) })
    let left = a.tensor.permute((batch + free.0 + inner).map { a.labels.firstIndex(of: $0)! })
    let right = b.tensor.permute((batch + inner + free.1).map { b.labels.firstIndex(of: $0)! })
    let sizes = (batch.map(a.size), free.0.map(a.size), inner.map(a.size), free.1.map(b.size))
    let (m, k, n) = (sizes.1.reduce(1, *), sizes.2.reduce(1, *), sizes.3.reduce(1, *))
    let x = left.reshape(Shape(sizes.0 + [m, k]))
    let y = right.reshape(Shape(sizes.0 + [k, n]))
    // Nothing to sum over: a product of elements, without a matrix kernel.
    let product = inner.isEmpty ? x * y : x.matmul(y)
    return Term(tensor: product.reshape(Shape(sizes.0 + sizes.1 + sizes.3)), labels: batch + free.0 + free.1)
  }
}

extension EinsumPlan.Term {
  /// The first two axes with one label.
  var repeatedAxes: (Int, Int)? {
    for (i, label) in labels.enumerated() {
      if let j = labels[(i + 1)...].firstIndex(of: label) { return (i, j) }
    }
    return nil
  }

  func size(_ label: Int) -> Int { labels.firstIndex(of: label).map { tensor.shape[$0] } ?? 1 }

  /// Summed over the axes whose labels nobody needs.
  func summed(keeping kept: Set<Int>) -> Self {
    let axes = labels.indices.filter { !kept.contains(labels[$0]) }
    return axes.isEmpty ? self : Self(tensor: tensor.sum(dims: axes), labels: labels.filter(kept.contains))
  }

  /// Without axes of size 1 that `other` has at another size.
  func withoutUnits(in other: Self) -> Self {
    let axes = labels.indices.filter {
      tensor.shape[$0] != 1 || !other.labels.contains(labels[$0]) || other.size(labels[$0]) == 1
    }
    if axes.count == labels.count { return self }
    return Self(tensor: tensor.reshape(Shape(axes.map { tensor.shape[$0] })), labels: axes.map { labels[$0] })
  }
}
