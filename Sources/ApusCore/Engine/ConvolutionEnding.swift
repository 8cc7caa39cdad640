import CKernels

/// What becomes of a convolution's sums on their way to memory: z = sum · scale + bias + residual, and max(z, 0) if `isRectified`.
///
/// A normalization by fixed statistics is a scale and a bias, a residual block ends with the rest: passes over memory that need not be.
package struct ConvolutionEnding: Sendable {
  /// One number for each channel of the result; so has `bias`.
  package var scale: TensorData?
  package var bias: TensorData?
  /// Of the result's shape.
  package var residual: TensorData?
  package var isRectified: Bool

  package init(scale: TensorData? = nil, bias: TensorData? = nil, residual: TensorData? = nil, isRectified: Bool = false) {
    self.scale = scale
    self.bias = bias
    self.residual = residual
    self.isRectified = isRectified
  }

  var isBiasOnly: Bool { scale == nil && residual == nil && !isRectified }

  /// The readable twin, of ordinary ops: what is done to a convolution's result `[batch, channels, …]` where the kernel can't.
  package func applied(to y: Tensor) -> Tensor {
    var z = y
    if let scale { z = z * Tensor(scale).reshape(y.channelShape) }
    if let bias { z = z + Tensor(bias).reshape(y.channelShape) }
    if let residual { z = z + Tensor(residual) }
    return isRectified ? z.relu() : z
  }
}

/// An ending as the kernels take it, with the memory that it refers to.
struct KernelEnding {
  private let ending: ConvolutionEnding
  private let kernel: apus_conv_ending
  private let size: Int

  /// Nil where there is no memory.
  init?(_ ending: ConvolutionEnding, target: PixelImage) {
    var ending = ending
    ending.scale = ending.scale?.contiguous()
    ending.bias = ending.bias?.contiguous()
    if let residual = ending.residual {
      guard let image = target.layout(residual) else { return nil }
      ending.residual = image
    }
    guard [ending.scale, ending.bias].allSatisfy({ $0?.isValid ?? true }) else { return nil }
    self.ending = ending
    size = target.data.dtype.itemSize
    kernel = apus_conv_ending(
      scale: ending.scale.map { UnsafeRawPointer($0.base) }, bias: ending.bias.map { UnsafeRawPointer($0.base) },
      residual: ending.residual.map { UnsafeRawPointer($0.base) }, target: target.base, is_rectified: ending.isRectified)
  }

  var biasBase: UnsafeRawPointer? { kernel.bias }

  /// For the channels from `channel` on.
  func from(_ channel: Int) -> apus_conv_ending {
    var part = kernel
    part.scale = kernel.scale.map { $0 + channel * size }
    part.bias = kernel.bias.map { $0 + channel * size }
    return part
  }
}

extension PixelImage {
  /// `x`, of the image's shape, in its layout: itself where it lies like that.
  fileprivate func layout(_ x: TensorData) -> TensorData? {
    let isAlike = x.shape.indices.allSatisfy { x.shape[$0] == 1 || x.strides[$0] == data.strides[$0] }
    if isAlike { return x }
    guard let copy = PixelImage.uninitialized(x.shape, x.dtype) else { return nil }
    CPUBackend.shared.copy(x, into: copy.data)
    return copy.data
  }
}
