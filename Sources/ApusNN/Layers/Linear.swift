import ApusCore

/// An affine map of the last axis: x · weightᵀ + bias.
///
/// - Parameters:
///   - x: `[…, in]`
///   - weight: `[out, in]`; or `[in]`, which makes one number of each row.
///   - bias: `[out]` (none for a weight of one axis), or nil.
/// - Returns: `[…, out]`, or `[…]`.
/// - Complexity: O(rows · in · out).
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
  linear(x, weight, bias, residual: nil, activation: nil)
}

/// activation(x · weightᵀ + bias + residual) in one op.
///
/// - Parameters:
///   - residual: of the result's shape and dtype. With it or an activation the weight has two axes, and nothing is autocast.
///   - activation: one with a `gradientOp` (`relu`, `tanh`, `sigmoid`), or without history any.
func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, residual: Tensor?, activation: Unary?) -> Tensor {
  let (x, weight, bias) = (autocasted(x), autocasted(weight), bias.map { autocasted($0) })
  guard x.isValid, weight.isValid, bias?.isValid ?? true else { return .invalid }
  guard check(weight.rank == 1 || weight.rank == 2, .shape, "linear", "weight \(weight.shape) is neither [out, in] nor [in]"),
    check(
      x.rank > 0 && x.shape[-1] == weight.shape[-1], .shape, "linear",
      "input \(x.shape) and weight \(weight.shape): the last axis must have \(weight.shape[-1]) features")
  else { return .invalid }
  guard
    check(
      bias.map { $0.rank == weight.rank - 1 && ($0.rank == 0 || $0.shape[0] == weight.shape[0]) } ?? true, .shape, "linear",
      "bias \(bias?.shape ?? []) does not fit weight \(weight.shape)")
  else { return .invalid }
  if weight.rank == 1 { return linearTwin(x, weight, bias) }
  let gradients = { (dy: Tensor, inputs: Inputs) -> [Tensor?] in
    let (x, weight) = (inputs[0], inputs[1])
    // dL/dweight as one product in the weight's own layout; by way of the transposed weight it would be a view across the grain of
    // its memory, which every optimizer step would have to turn.
    let dx = inputs.needs(0) ? dy.matmul(weight) : nil
    let dWeight = inputs.needs(1) ? dy.rows.T.matmul(x.rows) : nil
    return switch inputs.count {
    case 2: [dx, dWeight]
    case 3: [dx, dWeight, dy]
    default: [dx, dWeight, dy, dy]
    }
  }
  var inputs: [Tensor] = []
  inputs.reserveCapacity(4)
  inputs.append(x)
  inputs.append(weight)
  if let bias { inputs.append(bias) }
  if let residual { inputs.append(residual) }
  let ending = ProductEnding(bias: bias?.data.contiguous(), residual: residual?.data.contiguous(), activation: activation)
  let y = product(x, weight, ending)
  guard let activation, let slope = activation.gradientOp else {
    return recorded(y, .named("linear"), .fromInputs(gradients), inputs)
  }
  return recorded(
    y, name(then: activation), .fromBoth { dz, z, inputs in gradients(Tensor.binary(slope, dz, z), inputs) }, inputs)
}

/// What graphs and errors call the two, without making a string for each op.
private func name(then activation: Unary) -> OperationName {
  switch activation {
  case .relu: .named("linear+relu")
  case .sigmoid: .named("linear+sigmoid")
  case .tanh: .named("linear+tanh")
  default: .user("linear+\(activation)")
  }
}

/// The numbers of `linear` for a weight of two axes.
private func product(_ x: Tensor, _ weight: Tensor, _ ending: ProductEnding) -> TensorData {
  guard x.dtype == weight.dtype, ending.bias?.dtype ?? x.dtype == x.dtype, x.device == weight.device else {
    return linearTwin(x.detach(), weight.detach(), ending.bias.map { Tensor($0) }).data
  }
  let y = x.device.backend.matmul(x.detach().rows.data, weight.detach().T.data, ending: ending)
  guard y.isValid, x.rank != 2 else { return y }
  let shape = Dims(Array(x.shape.dropLast()) + [weight.shape[0]])
  return y.view(shape: shape, strides: shape.contiguousStrides)
}

/// The readable twin of `linear`, of ordinary ops.
package func linearTwin(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
  let y = x.matmul(weight.T)
  return bias.map { y + $0 } ?? y
}

extension Tensor {
  /// All axes but the last made one.
  fileprivate var rows: Tensor { rank == 2 ? self : rank == 1 ? unsqueeze(dim: 0) : flatten(startDim: 0, endDim: -2) }
}

/// An affine map of the last axis (`linear`): `[…, in]` to `[…, out]`.
///
/// Weight and bias start evenly distributed over ±1/√in. `Linear(nil, 10)` takes as many features as its first input has.
public final class Linear: Module, Layer {
  @Parameter public var weight: Tensor  // [out, in]
  @Parameter public var bias: Tensor?  // [out]
  private var inputSize: Int?
  public let outFeatures: Int

  public init(_ inFeatures: Int?, _ outFeatures: Int, bias: Bool = true, dtype: DType = .float32, generator: Generator = .default)
  {
    self.outFeatures = outFeatures
    _weight = Parameter(isEmpty: true)
    self.bias = bias ? Tensor.zeros([max(outFeatures, 0)], dtype: dtype) : nil
    super.init()
    whenInputSizeIsKnown(inFeatures, dtype: dtype, axis: -1, savedSize: { $0("weight")?.last }) { [unowned self] size, dtype in
      start(size, dtype, generator)
    }
  }

  private func start(_ inFeatures: Int, _ dtype: DType, _ generator: Generator) {
    inputSize = inFeatures
    // PyTorch's kaiming_uniform_(a = √5), which comes to the same bound.
    let bound = inFeatures > 0 ? 1 / Double(inFeatures).squareRoot() : 0
    let drawn = { (shape: Shape) in Init.uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator) }
    let fits = check(inFeatures >= 0 && outFeatures >= 0, .value, "Linear", "\(inFeatures) → \(outFeatures) features")
    weight = fits ? drawn([outFeatures, inFeatures]) : .invalid
    if bias != nil { bias = fits ? drawn([outFeatures]) : .invalid }
  }

  /// Size of the last axis of inputs. Where it was left open, asking before the first input is an error.
  public var inFeatures: Int { inputSize ?? unknownInputSize() }

  public func forward(_ x: Tensor) -> Tensor { linear(x, weight, bias) }

  /// activation(self(x) + residual): what networks are made of. The result's rows are finished while they are at hand, in one op.
  ///
  /// Where hooks want to see what is between, and inside `autocast`, the layers are called in turn; so they are for other activations than
  /// those of one function (`ReLU`, `Tanh`, `Sigmoid`).
  ///
  /// - Parameter residual: of the result's shape; nil for nothing.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, then activation: (any Layer)? = nil) -> Tensor {
    if let y = inOneOp(x, residual, activation) { return y }
    let y = self(x)
    let z = residual.map { y + $0 } ?? y
    return activation.map { $0(z) } ?? z
  }

  /// Nil where that can't be.
  private func inOneOp(_ x: Tensor, _ residual: Tensor?, _ activation: (any Layer)?) -> Tensor? {
    let function = (activation as? any FunctionLayer)?.function
    guard activation == nil || function != nil, !isIntercepted, activation?.isIntercepted != true, autocastType == nil,
      x.isValid, x.rank > 0, x.shape[-1] == weight.shape[-1], x.dtype == weight.dtype, bias?.dtype ?? x.dtype == x.dtype,
      x.device == weight.device
    else { return nil }
    if let residual {
      guard residual.dtype == x.dtype, residual.device == x.device, residual.rank == x.rank, residual.shape[-1] == outFeatures,
        residual.shape.dropLast().elementsEqual(x.shape.dropLast())
      else { return nil }
    }
    return linear(x, weight, bias, residual: residual, activation: function)
  }

  public override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int { outputs[0].elementCount * inFeatures }

  public override var arguments: String {
    "in: \(inputSize.map(String.init) ?? "?"), out: \(outFeatures), bias: \(bias != nil)"
  }
}
