/// An array of numbers of one dtype with any number of axes, and its place in the graph that gradients flow back through.
///
/// A value: a copy is free, and changing one tensor (`x[0] = 1`, `x += y`) never changes another. Views (`reshape`, `transpose`, slices)
/// share memory until someone writes.
public struct Tensor: Sendable {
  package var data: TensorData
  package var node: Node?

  package init(_ data: TensorData, _ node: Node? = nil) {
    self.data = data
    self.node = node
  }

  /// What ops return after a mistake inside `catching`; ops pass it on.
  public static var invalid: Tensor { Tensor(.invalid) }

  /// False after a mistake inside `catching`.
  package var isValid: Bool { data.isValid }

  /// The sizes of the axes.
  public var shape: Shape { Shape(dims: data.shape) }

  /// Number of axes; 0 for a scalar.
  public var rank: Int { data.shape.count }

  /// Number of elements.
  public var count: Int { data.count }

  public var dtype: DType { data.dtype }

  public var device: Device { data.device }

  /// Steps from one element to the next along each axis, in elements: 0 where broadcast, negative where reversed.
  public var strides: [Int] { Array(data.strides) }

  /// Whether the elements lie row-major without gaps.
  public var isContiguous: Bool { data.isContiguous }
}

extension Tensor {
  /// The same numbers on `device`: `self` where they are there.
  public func to(_ device: Device) -> Tensor {
    guard check(device == self.device, .device, "to", "no way from \(self.device) to \(device)") else { return .invalid }
    return self
  }

  /// The same numbers as `dtype`: `self` where they are. Floats become integers by dropping the fraction (saturating, NaN becomes 0),
  /// bool by x ≠ 0. Gradients pass between floating-point dtypes.
  public func to(_ dtype: DType) -> Tensor {
    guard isValid, dtype != self.dtype else { return self }
    return recorded(data.cast(dtype), .named("to"), .linear { dy in [dy] }, self)
  }

  /// A tensor with the same values whose elements lie row-major without gaps: `self` where they do.
  public func contiguous() -> Tensor {
    guard isValid, !data.isContiguous else { return self }
    return recorded(data.contiguous(), .named("contiguous"), .linear { dy in [dy] }, self)
  }

  /// The same values in memory of their own. (Assigning a tensor is enough for all purposes but this.)
  public func clone() -> Tensor {
    guard isValid else { return self }
    return recorded(device.backend.copy(data, to: dtype), .named("clone"), .linear { dy in [dy] }, self)
  }
}
