import Apus

/// What pictures a network has learned from.
struct PictureFormat: Sendable {
  /// 1 for grey, 3 for colour.
  let channels: Int
  let size: Int
  /// Of the pixels of 0...1, one for each channel: what is subtracted, and what they are divided by.
  let mean: [Float]
  let std: [Float]

  /// Mean and deviation of MNIST's training pixels: the values that everybody uses.
  static let digits = PictureFormat(channels: 1, size: 28, mean: [0.1307], std: [0.3081])
  static let cifar10 = PictureFormat(channels: 3, size: 32, mean: CIFAR.Variant.ten.mean, std: CIFAR.Variant.ten.std)

  /// The input that any picture makes.
  ///
  /// - Parameter picture: uint8 `[C, H, W]`, as PNG files give them; transparency is left out of account.
  /// - Returns: float32 `[channels, size, size]`.
  func input(_ picture: Tensor, isInverted: Bool) -> Tensor {
    var x = picture.to(.float32) / 255
    let isColor = picture.shape[0] > 2
    x = x[0..<(isColor ? 3 : 1)]
    if isColor, channels == 1 {
      // How bright colours look (ITU-R BT.601).
      x = (x * Tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)).sum(dim: 0, keepDim: true)
    } else if !isColor, channels == 3 {
      x = cat([x, x, x], dim: 0)
    }
    if isInverted { x = 1 - x }
    if x.shape[1] != size || x.shape[2] != size {
      x = Resize(size).apply(x.unsqueeze(dim: 0), Generator(seed: 0)).squeeze(dim: 0)
    }
    let perChannel = Shape([channels, 1, 1])
    return (x - Tensor(scalars: mean, shape: perChannel)) / Tensor(scalars: std, shape: perChannel)
  }
}
