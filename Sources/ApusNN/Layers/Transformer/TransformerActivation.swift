import ApusCore

/// The function between the two linear maps of a transformer layer.
public enum TransformerActivation: CustomStringConvertible {
  case relu
  case gelu
  case custom((Tensor) -> Tensor)

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .relu: x.relu()
    case .gelu: x.gelu()
    case .custom(let function): function(x)
    }
  }

  public var description: String {
    switch self {
    case .relu: "relu"
    case .gelu: "gelu"
    case .custom: "custom"
    }
  }
}
