import ApusCore
import CApusPython

/// An op as Python sees it: one line of the table that functions, methods, docstrings and stubs are made from.
struct Op: Sendable {
  /// Where Python finds it.
  struct Places: OptionSet, Sendable {
    let rawValue: Int
    /// `apus.name`
    static let function = Places(rawValue: 1)
    /// `Tensor.name`
    static let method = Places(rawValue: 2)
    /// `Tensor.name_`, which changes the tensor
    static let inplace = Places(rawValue: 4)
    /// `apus.nn.functional.name`
    static let functional = Places(rawValue: 8)
    /// `apus.linalg.name`
    static let linalg = Places(rawValue: 16)
    /// A property of `Tensor`
    static let property = Places(rawValue: 32)
    /// `apus._C.name`, for the package itself
    static let hidden = Places(rawValue: 64)

    static let both: Places = [.function, .method]
    static let all: Places = [.function, .method, .inplace]
  }

  let name: String
  /// The parameters in Python's words: `input: Tensor, dim: ints? = None, *, dtype: dtype? = None`. The types are those that the extension
  /// converts (`python/README.md` lists them); a question mark allows None.
  let signature: String
  let places: Places
  /// The fields of the named tuple that it returns where it returns several tensors.
  let fields: String
  let documentation: String
  let body: @Sendable (Arguments) throws -> Returned

  init<R: Returnable>(
    _ name: String, _ signature: String, _ places: Places, fields: String = "", _ documentation: String,
    _ body: @escaping @Sendable (Arguments) throws -> R
  ) {
    self.name = name
    self.signature = signature
    self.places = places
    self.fields = fields
    self.documentation = documentation
    self.body = { try body($0).returned }
  }
}

/// All ops, by their numbers.
enum OpTable {
  static let all: [Op] = [
    pointwise, comparisons, reductions, ordering, products, movements, indexing, creation, random, activations, layers, losses,
    spatial, pooling, recurrent, datasets, linearAlgebra, internals,
  ].flatMap { $0 }

  /// The table as text: a line per op, fields between tabs (number, name, places, signature, fields of the result, documentation).
  static var text: String {
    all.enumerated().map { i, op in
      [
        "\(i)", op.name, "\(op.places.rawValue)", op.signature, op.fields, op.documentation.replacing("\n", with: "\\n"),
      ].joined(separator: "\t")
    }.joined(separator: "\n")
  }
}

/// The version of this ABI.
@c(apus_abi_version)
public func apusABIVersion() -> Int32 { APUS_ABI_VERSION }

/// The table of ops; for `apus_free`.
@c(apus_op_table)
public func apusOpTable() -> UnsafeMutablePointer<CChar>? { strdup(OpTable.text) }

/// Calls op number `index`. May fail.
@c(apus_call)
public func apusCall(
  _ index: Int32, _ values: UnsafePointer<apus_value>, _ mode: Int32, _ result: UnsafeMutablePointer<apus_value>,
  _ error: UnsafeMutablePointer<apus_error>
) {
  let op = OpTable.all[Int(index)]
  let returned = attempt(mode, error) { try op.body(Arguments(values: values, name: op.name)) }
  returned?.store(result, error)
}
