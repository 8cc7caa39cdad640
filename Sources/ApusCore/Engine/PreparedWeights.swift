/// The weights of a convolution as its kernels read them, kept with the weights' memory for as long as nobody writes there.
///
/// Only inference keeps them: a training step changes the weights, and would hold both for nothing.
final class PreparedWeights: @unchecked Sendable {
  /// What they were prepared for; nothing where they are not kept.
  private let key: [Int]
  var isKept: Bool { !key.isEmpty }
  let packed: PackedConvolutionWeights
  /// All values that Winograd's method takes of them, once they were needed.
  private let lockedValues = Locked<Floats?>(nil)

  private init(key: [Int], _ packed: PackedConvolutionWeights) {
    self.key = key
    self.packed = packed
  }

  /// Those of the last time, where they still fit, or new ones; nil where there is no memory.
  ///
  /// - Parameter isKept: whether the next call is likely to find the same weights.
  static func of(
    _ weight: TensorData, _ convolution: CPUConvolution, _ part: ConvolutionPart, _ sweeps: [ConvolutionSweep], isNarrow: Bool,
    isKept: Bool
  ) -> PreparedWeights? {
    let storage = weight.storage
    guard isKept, storage.isOwn else {
      return PackedConvolutionWeights(convolution, part, weight, sweeps, isNarrow: isNarrow).map { PreparedWeights(key: [], $0) }
    }
    let shape = convolution.shape
    let key =
      [part.rawValue, isNarrow ? 1 : 0, shape.groups, weight.offset] + weight.shape + weight.strides + shape.input + shape.stride
      + shape.padding + shape.dilation
    if let kept = storage.preparedWeights, kept.key == key { return kept }
    guard let packed = PackedConvolutionWeights(convolution, part, weight, sweeps, isNarrow: isNarrow) else { return nil }
    let prepared = PreparedWeights(key: key, packed)
    storage.preparedWeights = prepared
    return prepared
  }

  /// The values of the last time, or new ones; nil where there is no memory.
  func values(_ make: () -> Floats?) -> Floats? {
    if let values = lockedValues.withLock({ $0 }) { return values }
    let values = make()
    if isKept { lockedValues.withLock { $0 = values } }
    return values
  }
}
