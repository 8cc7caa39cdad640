import ApusCore

/// What `torch.save` can put in a file, as far as it is data: tensors, and the plain values of a checkpoint around them.
public indirect enum PthValue: Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case bytes([UInt8])
  /// A number that doesn't fit an `Int`, in two's complement, little-endian.
  case largeInteger([UInt8])
  case complex(real: Double, imaginary: Double)
  case list([PthValue])
  case tuple([PthValue])
  case set([PthValue])
  /// A `dict`, or an `OrderedDict` as state dictionaries are; both keep their order.
  case dictionary([(key: PthValue, value: PthValue)], isOrdered: Bool = false)
  case size([Int])
  case dtype(TorchDType)
  case device(String)
  /// A tensor or a parameter. The attributes that a program has put on one are not read.
  case tensor(Tensor)

  /// A state dictionary: what `load_state_dict` takes.
  public static func stateDictionary(_ tensors: [(name: String, tensor: Tensor)]) -> PthValue {
    .dictionary(tensors.map { (.string($0.name), .tensor($0.tensor)) }, isOrdered: true)
  }

  /// The value of a dictionary under a key, or nil.
  public subscript(key: String) -> PthValue? {
    guard case .dictionary(let items, _) = self else { return nil }
    return items.first { if case .string(key) = $0.key { true } else { false } }?.value
  }

  /// The tensor that this is, or nil.
  public var tensor: Tensor? {
    if case .tensor(let tensor) = self { return tensor }
    return nil
  }
}

extension PthValue: CustomStringConvertible {
  /// As Python would print it; a tensor by its shape and dtype.
  public var description: String {
    switch self {
    case .null: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): "\(value)"
    case .float(let value): "\(value)"
    case .string(let text): "'\(printable(text))'"
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .largeInteger(let digits): Self.hexadecimal(digits)
    case .complex(let real, let imaginary): "(\(real)\(imaginary < 0 ? "" : "+")\(imaginary)j)"
    case .list(let items): "[\(items.map(\.description).joined(separator: ", "))]"
    case .tuple(let items): "(\(items.map(\.description).joined(separator: ", "))\(items.count == 1 ? "," : ""))"
    case .set(let items): "{\(items.map(\.description).joined(separator: ", "))}"
    case .dictionary(let items, _): "{\(items.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    case .size(let sizes): "torch.Size([\(sizes.map(String.init).joined(separator: ", "))])"
    case .dtype(let dtype): "torch.\(dtype.rawValue)"
    case .device(let name): "device('\(printable(name))')"
    case .tensor(let tensor): "tensor(\(tensor.shape), \(tensor.dtype))"
    }
  }

  private static func hexadecimal(_ digits: [UInt8]) -> String {
    let isNegative = digits.last.map { $0 & 0x80 != 0 } ?? false
    var carry = 1
    let magnitude =
      !isNegative
      ? digits
      : digits.map { digit in
        let sum = Int(~digit) + carry
        carry = sum >> 8
        return UInt8(truncatingIfNeeded: sum)
      }
    let text = magnitude.reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return (isNegative ? "-0x" : "0x") + (text.drop { $0 == "0" })
  }
}
