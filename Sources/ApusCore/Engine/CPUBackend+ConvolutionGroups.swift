/// Groups of few channels, computed several at a time as one group whose matrix has zeros where channels don't meet.
///
/// The tile of the kernel is a vector wide: a group of 4 output channels leaves most of it empty. With four groups in one it does four times
/// the arithmetic and takes no longer for it, and a quarter of the pixels are left to be located.
struct MergedGroups {
  let shape: ConvolutionShape
  private let original: ConvolutionShape

  /// Nil where there is nothing to gain.
  ///
  /// - Parameter lanes: numbers in a vector.
  init?(_ shape: ConvolutionShape, lanes: Int) {
    let widest = max(shape.inChannels, shape.outChannels) / shape.groups
    let together = (1...shape.groups).last { shape.groups % $0 == 0 && $0 * widest <= lanes } ?? 1
    guard together > 1, shape.groups < shape.inChannels || shape.groups < shape.outChannels else { return nil }
    original = shape
    var merged = shape
    merged.groups /= together
    self.shape = merged
  }

  /// The blocks of a weight of the merged shape, row-major, in which channels meet, as [merged group, group in it, out, in, kernel].
  private func blocks(of wide: TensorData) -> TensorData {
    let together = original.groups / shape.groups
    let (outs, ins) = (original.outChannels / original.groups, original.inChannels / original.groups)
    let (row, column) = (wide.strides[0], wide.strides[1])
    let kernel = original.kernel.reduce(1, *)
    return wide.view(
      shape: Dims([shape.groups, together, outs, ins, kernel]),
      strides: Dims([together * outs * row, outs * row + ins * column, row, column, 1]))
  }

  /// The weight with zeros between the groups.
  func widened(_ weight: TensorData) -> TensorData {
    let weight = weight.contiguous()
    let wide = TensorData.filled(shape.dims(of: .weight), weight.dtype, 0)
    guard weight.isValid, wide.isValid else { return .invalid }
    let target = blocks(of: wide)
    weight.device.backend.copy(
      weight.view(shape: target.shape, strides: target.shape.contiguousStrides), into: target)
    return wide
  }

  /// What belongs to the groups of a weight's gradient.
  func narrowed(_ wide: TensorData) -> TensorData {
    guard wide.isValid else { return wide }
    let y = blocks(of: wide).contiguous()
    let dims = original.dims(of: .weight)
    return y.isValid ? y.view(shape: dims, strides: dims.contiguousStrides) : y
  }
}
