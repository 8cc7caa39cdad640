import ApusCore

/// A map that is linear in each of two inputs: y[…, o] = Σ x₁[…, i] · weight[o, i, j] · x₂[…, j] + bias[o].
///
/// - Parameters:
///   - x1: `[…, in1]`
///   - x2: `[…, in2]`, with the same axes in front.
///   - weight: `[out, in1, in2]`
///   - bias: `[out]`, or nil.
/// - Returns: `[…, out]`.
/// - Complexity: O(rows · in1 · in2 · out) time, O(rows · in2 · out) memory.
public func bilinear(_ x1: Tensor, _ x2: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
  guard x1.isValid, x2.isValid, weight.isValid, bias?.isValid ?? true else { return .invalid }
  guard check(weight.rank == 3, .shape, "bilinear", "weight \(weight.shape) is not [out, in1, in2]"),
    check(
      x1.rank > 0 && x2.rank > 0 && x1.shape.dropLast().elementsEqual(x2.shape.dropLast()), .shape, "bilinear",
      "inputs \(x1.shape) and \(x2.shape) differ in other axes than the last"),
    check(
      x1.shape[-1] == weight.shape[1] && x2.shape[-1] == weight.shape[2], .shape, "bilinear",
      "inputs \(x1.shape) and \(x2.shape) do not fit weight \(weight.shape)"),
    check(
      bias.map { $0.shape == [weight.shape[0]] } ?? true, .shape, "bilinear",
      "bias \(bias?.shape ?? []) does not fit weight \(weight.shape)")
  else { return .invalid }
  let (out, in1, in2) = (weight.shape[0], weight.shape[1], weight.shape[2])
  // Σ over i for all o and j at once, [rows, out, in2]; then Σ over j.
  let rows = x1.reshape(-1, in1).matmul(weight.transpose(0, 1).reshape(in1, out * in2)).reshape(-1, out, in2)
  let y = rows.matmul(x2.reshape(-1, in2, 1)).reshape(Shape(x1.shape.dropLast() + [out]))
  return bias.map { y + $0 } ?? y
}

/// A map that is linear in each of two inputs (`bilinear`): `[…, in1]` and `[…, in2]` to `[…, out]`.
///
/// Weight and bias start evenly distributed over ±1/√in1.
public final class Bilinear: Module {
  @Parameter public var weight: Tensor  // [out, in1, in2]
  @Parameter public var bias: Tensor?  // [out]
  public let in1Features: Int
  public let in2Features: Int
  public let outFeatures: Int

  public init(
    _ in1Features: Int, _ in2Features: Int, _ outFeatures: Int, bias: Bool = true, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    self.in1Features = in1Features
    self.in2Features = in2Features
    self.outFeatures = outFeatures
    let fits = check(
      in1Features > 0 && in2Features > 0 && outFeatures > 0, .value, "Bilinear",
      "\(in1Features) × \(in2Features) → \(outFeatures) features")
    let bound = 1 / Double(in1Features).squareRoot()
    let drawn = { (shape: Shape) in Init.uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator) }
    weight = fits ? drawn([outFeatures, in1Features, in2Features]) : .invalid
    self.bias = bias ? (fits ? drawn([outFeatures]) : .invalid) : nil
  }

  public func callAsFunction(_ x1: Tensor, _ x2: Tensor) -> Tensor {
    hooked([x1, x2]) { [bilinear($0[0], $0[1], weight, bias)] }[0]
  }

  public override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    outputs[0].elementCount * in2Features * (in1Features + 1)
  }

  public override var arguments: String {
    "in1: \(in1Features), in2: \(in2Features), out: \(outFeatures), bias: \(bias != nil)"
  }
}
