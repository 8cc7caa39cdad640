/// Numbers brought to mean 0 and variance 1: the formula of all normalizations, of ordinary ops, and its gradient.
struct Standardized {
  /// z = (x − mean) · rstd, with the mean taken for 0 where it is not centered.
  let values: Tensor
  /// rstd = 1 / √(variance + eps), the variance biased.
  private let inverseDeviation: Tensor
  private let dims: [Int]
  private let isCentered: Bool

  /// - Parameter dims: the axes over which mean and variance are taken.
  init(_ x: Tensor, dims: [Int], eps: Double, isCentered: Bool = true) {
    let centered = isCentered ? x - x.mean(dims: dims, keepDim: true) : x
    inverseDeviation = (centered.square().mean(dims: dims, keepDim: true) + eps).rsqrt()
    values = centered * inverseDeviation
    self.dims = dims
    self.isCentered = isCentered
  }

  /// dL/dx from g = dL/dz: rstd · (g − mean g − z · mean(g z)). What x does to all other z of its group by way of mean and variance are
  /// the two means.
  func gradient(_ g: Tensor) -> Tensor {
    let centered = isCentered ? g - g.mean(dims: dims, keepDim: true) : g
    return (centered - values * (g * values).mean(dims: dims, keepDim: true)) * inverseDeviation
  }
}

/// The optional weight and bias of a normalization.
struct Affine {
  let weight: Tensor?
  let bias: Tensor?

  /// y = z · weight + bias, which broadcast as `shape`.
  func apply(_ z: Tensor, shape: Shape) -> Tensor {
    let scaled = weight.map { z * $0.reshape(shape) } ?? z
    return bias.map { scaled + $0.reshape(shape) } ?? scaled
  }

  var inputs: [Tensor] { [weight, bias].compactMap { $0 } }

  var presence: AffinePresence { AffinePresence(hasWeight: weight != nil, hasBias: bias != nil) }

  /// What the kernels take: tensors of this shape and dtype.
  func dense(_ shape: Dims, _ dtype: DType) -> (weight: TensorData, bias: TensorData) {
    (weight?.data.contiguous() ?? .filled(shape, dtype, 1), bias?.data.contiguous() ?? .filled(shape, dtype, 0))
  }

  func to(_ dtype: DType) -> Affine { Affine(weight: weight?.to(dtype), bias: bias?.to(dtype)) }

  /// Whether weight and bias fit an input of a floating-point dtype: its own dtype, or float32 beside a half type.
  func fits(_ x: Tensor, shape: Shape, _ operation: String) -> Bool {
    guard x.isFloating(for: operation) else { return false }
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
      guard let tensor else { continue }
      let isMixed = x.dtype.itemSize == 2 && tensor.dtype == .float32
      guard tensor.isValid,
        check(
          tensor.shape == shape, .shape, operation, "\(name) of shape \(tensor.shape) where \(shape) is needed"),
        check(tensor.dtype == x.dtype || isMixed, .dtype, operation, "input \(x.dtype) and \(name) \(tensor.dtype)")
      else { return false }
    }
    return true
  }
}

/// Which of weight and bias there are: what a rule holds in place of the tensors, which it finds among its inputs. (A closure that held them
/// would outlive the pass, and keep optimizers from writing in place.)
struct AffinePresence {
  let hasWeight: Bool
  let hasBias: Bool

  func weight(_ inputs: Inputs) -> Tensor? { hasWeight ? inputs[1] : nil }

  /// As `Affine.dense`.
  func denseWeight(_ inputs: Inputs, _ shape: Dims) -> TensorData {
    weight(inputs)?.data.contiguous() ?? .filled(shape, inputs[0].dtype, 1)
  }

  /// The gradients of the inputs that there are.
  func gradients(_ input: Tensor, weight: @autoclosure () -> Tensor, bias: @autoclosure () -> Tensor) -> [Tensor?] {
    [input] + (hasWeight ? [weight()] : []) + (hasBias ? [bias()] : [])
  }
}

extension DType {
  /// What normalizations are computed in.
  var normalizationType: DType { itemSize == 2 ? .float32 : self }
}
