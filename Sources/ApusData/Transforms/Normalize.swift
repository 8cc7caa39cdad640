import ApusCore

/// Bytes as numbers of 0...1: uint8 pictures become float32; float32 ones stay as they are.
public struct ToFloat: ImageTransform {
  public init() {}

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    if images.dtype == .float32 { return images }
    guard check(images.dtype == .uint8, .dtype, "ToFloat", "takes uint8 or float32 pictures, not \(images.dtype)") else {
      return .invalid
    }
    return images.to(.float32) / 255
  }
}

/// `(x − mean) / std`, with a mean and a standard deviation for each channel.
public struct Normalize: ImageTransform {
  public let mean: [Double]
  public let std: [Double]

  /// - Parameter mean: one number per channel, or one for all.
  /// - Parameter std: as many, above 0.
  public init(mean: [Double], std: [Double]) {
    let isFine = check(
      mean.count == std.count && !mean.isEmpty && std.allSatisfy { $0 > 0 }, .value, "Normalize",
      "mean \(mean) and std \(std): one number each per channel, std above 0")
    self.mean = isFine ? mean : [0]
    self.std = isFine ? std : [1]
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "Normalize"),
      check(images.dtype.isFloatingPoint, .dtype, "Normalize", "takes floating-point pictures, not \(images.dtype): see ToFloat"),
      check(
        mean.count == 1 || mean.count == sizes.channels, .shape, "Normalize",
        "\(mean.count) means for pictures \(images.shape)")
    else { return .invalid }
    func perChannel(_ values: [Double]) -> Tensor {
      Tensor(scalars: values, shape: [1, values.count, 1, 1], dtype: images.dtype)
    }
    return (images - perChannel(mean)) / perChannel(std)
  }
}
