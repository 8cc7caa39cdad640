import ApusCore

/// What `Conv1d` … `ConvTranspose3d` have in common: the parameters, what they start from, and the settings along each axis.
///
/// Weight and bias start evenly distributed over ±1/√n, where n is the number of weights that one output of a convolution depends on
/// (PyTorch's `kaiming_uniform_(a = √5)`, which takes the second axis and the kernel for n in either kind).
public class ConvolutionLayer: Module {
  @Parameter public final var weight: Tensor  // [out, in / groups, kernel…]; transposed: [in, out / groups, kernel…]
  @Parameter public final var bias: Tensor?  // [out]
  private var inputChannels: Int?
  public final let outChannels: Int
  public final let kernelSize: [Int]
  public final let stride: [Int]
  public final let dilation: [Int]
  public final let groups: Int

  /// Whether the weight's first axis is the input's channels.
  var isTransposed: Bool { false }

  /// - Parameter inChannels: nil where the first input is to tell.
  init(
    axes: Int, _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis, dilation: some PerAxis,
    groups: Int, bias: Bool, dtype: DType, generator: Generator
  ) {
    self.outChannels = outChannels
    self.kernelSize = kernelSize.perAxis(axes) ?? []
    self.stride = stride.perAxis(axes) ?? []
    self.dilation = dilation.perAxis(axes) ?? []
    self.groups = groups
    _weight = Parameter(isEmpty: true)
    self.bias = bias ? Tensor.zeros([max(outChannels, 0)], dtype: dtype) : nil
    super.init()
    let settings = [("kernelSize", "\(kernelSize)", self.kernelSize), ("stride", "\(stride)", self.stride)]
    let areRight = (settings + [("dilation", "\(dilation)", self.dilation)]).allSatisfy { what, text, values in
      check(
        values.count == axes && values.allSatisfy { $0 > 0 }, .value, kind,
        "\(what) \(text) is not a positive number, or \(axes) of them")
    }
    whenInputSizeIsKnown(
      inChannels, dtype: dtype, axis: -1 - axes, savedSize: { [unowned self] in savedChannels($0("weight")) }
    ) { [unowned self] channels, dtype in start(areRight, channels, dtype, generator) }
  }

  private func savedChannels(_ weight: Shape?) -> Int? {
    guard let weight, weight.rank >= 2 else { return nil }
    return isTransposed ? weight[0] : weight[1] * groups
  }

  private func start(_ areSettingsRight: Bool, _ inChannels: Int, _ dtype: DType, _ generator: Generator) {
    inputChannels = inChannels
    let fits =
      areSettingsRight
      && check(
        inChannels > 0 && outChannels > 0 && groups > 0 && inChannels % groups == 0 && outChannels % groups == 0, .value, kind,
        "\(inChannels) → \(outChannels) channels in \(groups) groups")
    let (first, second) = isTransposed ? (inChannels, outChannels) : (outChannels, inChannels)
    let shape = fits ? Shape([first, second / groups] + kernelSize) : []
    let bound = 1 / Double(max(1, shape.dropFirst().reduce(1, *))).squareRoot()
    let drawn = { (shape: Shape) in Init.uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator) }
    weight = fits ? drawn(shape) : .invalid
    if bias != nil { bias = fits ? drawn([outChannels]) : .invalid }
  }

  /// Channels of the input. Where they were left open, asking before the first input is an error.
  public final var inChannels: Int { inputChannels ?? unknownInputSize() }

  /// What the constructor took, without what has its default; `more` after the kernel.
  final func arguments(_ more: [(name: String, value: String?)]) -> String {
    let common: [(name: String, value: String?)] = [
      ("in", inputChannels.map(String.init) ?? "?"), ("out", "\(outChannels)"), ("kernelSize", short(kernelSize)),
      ("stride", shortUnlessAll(1, stride)),
    ]
    let rest: [(name: String, value: String?)] = [
      ("dilation", shortUnlessAll(1, dilation)), ("groups", groups == 1 ? nil : "\(groups)"), ("bias", "\(bias != nil)"),
    ]
    return (common + more + rest).compactMap { name, value in value.map { "\(name): \($0)" } }.joined(separator: ", ")
  }

  /// One number where all are the same.
  final func short(_ values: [Int]) -> String { Set(values).count == 1 ? "\(values[0])" : "\(values)" }

  final func shortUnlessAll(_ value: Int, _ values: [Int]) -> String? {
    values.allSatisfy { $0 == value } ? nil : short(values)
  }
}
