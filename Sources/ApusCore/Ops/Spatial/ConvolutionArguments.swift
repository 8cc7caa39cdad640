/// What convolutions and transposed convolutions check alike: ranks, dtypes, devices, and the settings along each axis.
struct ConvolutionArguments {
  let name: StaticString
  let axes: Int
  let x: Tensor  // [batch, channels, size…]
  let weight: Tensor  // […, …, kernel…]
  let bias: Tensor?
  let isBatch: Bool
  let stride: [Int]
  let dilation: [Int]
  let groups: Int

  /// Nil after a reported mistake.
  ///
  /// - Parameter axes: how many spatial axes the op has.
  init?(
    _ name: StaticString, axes: Int, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: some PerAxis,
    dilation: some PerAxis, groups: Int
  ) {
    guard x.isValid, weight.isValid, bias?.isValid ?? true else { return nil }
    guard
      check(
        (x.rank == axes + 1 || x.rank == axes + 2) && weight.rank == axes + 2, .shape, "\(name)",
        "input \(x.shape) and weight \(weight.shape): takes \(axes + 2) axes ([batch, channels, \(axes) more]) or no batch, "
          + "and a weight of \(axes + 2)")
    else { return nil }
    self.name = name
    self.axes = axes
    self.weight = weight
    self.bias = bias
    self.groups = groups
    isBatch = x.rank == axes + 2
    self.x = isBatch ? x : x.unsqueeze(dim: 0)
    guard let stride = Self.positive(stride, axes, name, "stride"), let dilation = Self.positive(dilation, axes, name, "dilation")
    else { return nil }
    self.stride = stride
    self.dilation = dilation
    guard areComputable() else { return nil }
  }

  var size: [Int] { Array(x.data.shape.dropFirst(2)) }
  var kernel: [Int] { Array(weight.data.shape.dropFirst(2)) }

  private static func positive(_ setting: some PerAxis, _ axes: Int, _ name: StaticString, _ what: String) -> [Int]? {
    let values = setting.perAxis(axes)
    guard
      check(
        values?.allSatisfy { $0 > 0 } ?? false, .value, "\(name)",
        "\(what) \(setting) is not a positive number, or \(axes) of them")
    else { return nil }
    return values
  }

  private func areComputable() -> Bool {
    let dtype = Tensor.resultType(x, weight)
    return check(groups > 0, .value, "\(name)", "groups \(groups) is not positive")
      && check(
        x.data.shape.dropFirst().allSatisfy { $0 > 0 } && weight.data.shape.allSatisfy { $0 > 0 }, .shape, "\(name)",
        "input \(x.shape) and weight \(weight.shape): only the batch may be empty")
      && check(dtype.isFloatingPoint, .dtype, "\(name)", "\(dtype) is not floating-point")
      && check(x.device == weight.device, .device, "\(name)", "tensors on \(x.device) and \(weight.device)")
  }

  /// Whether `bias` is nil or has a number for each of the result's channels.
  func fits(_ bias: Tensor?, _ channels: Int) -> Bool {
    check(
      bias.map { $0.shape == [channels] } ?? true, .shape, "\(name)",
      "bias \(bias?.shape ?? []) does not fit \(channels) output channels")
  }
}
