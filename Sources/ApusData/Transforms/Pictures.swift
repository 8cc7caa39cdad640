import ApusCore

/// The sizes of a batch of pictures, `[N, C, H, W]`.
struct PictureSizes {
  let count: Int
  let channels: Int
  let height: Int
  let width: Int

  /// Elements in one channel of one picture.
  var plane: Int { height * width }

  func resized(_ height: Int, _ width: Int) -> PictureSizes {
    PictureSizes(count: count, channels: channels, height: height, width: width)
  }

  var dims: Dims { [count, channels, height, width] }
}

/// The elements of pictures, in memory: what the transforms loop over. Gradients don't pass through them.
protocol PictureElement: TensorScalar, BitwiseCopyable {}
extension Float: PictureElement {}
extension UInt8: PictureElement {}

extension Tensor {
  /// The sizes, where this is a batch of pictures; nil after a reported mistake.
  func pictureSizes(for name: @autoclosure () -> String) -> PictureSizes? {
    guard isValid else { return nil }
    guard check(rank == 4, .shape, name(), "\(shape) where pictures [N, C, H, W] are due") else { return nil }
    return PictureSizes(count: shape[0], channels: shape[1], height: shape[2], width: shape[3])
  }

  /// New pictures, filled by a loop over old ones.
  ///
  /// - Parameter fill: gets the sizes and elements of both, row-major; one closure for each dtype. It must write every element.
  func mappedPictures(
    _ name: String, to size: (height: Int, width: Int)? = nil,
    floats: (PictureSizes, UnsafePointer<Float>, PictureSizes, UnsafeMutablePointer<Float>) -> Void,
    bytes: ((PictureSizes, UnsafePointer<UInt8>, PictureSizes, UnsafeMutablePointer<UInt8>) -> Void)? = nil
  ) -> Tensor {
    guard let old = pictureSizes(for: name),
      check(
        dtype == .float32 || dtype == .uint8 && bytes != nil, .dtype, name,
        "takes \(bytes == nil ? "float32" : "float32 or uint8") pictures, not \(dtype)")
    else { return .invalid }
    let new = old.resized(size?.height ?? old.height, size?.width ?? old.width)
    let input = data.contiguous()
    let output = TensorData.uninitialized(new.dims, dtype, for: name)
    guard input.isValid, output.isValid else { return .invalid }
    guard output.count > 0 else { return Tensor(output) }
    if dtype == .float32 {
      floats(old, input.base.assumingMemoryBound(to: Float.self), new, output.base.assumingMemoryBound(to: Float.self))
    } else {
      bytes?(old, input.base.assumingMemoryBound(to: UInt8.self), new, output.base.assumingMemoryBound(to: UInt8.self))
    }
    withExtendedLifetime(input) {}
    return Tensor(output)
  }
}

/// Whether `p` is a probability; reports a mistake where it isn't.
func isProbability(_ p: Double, _ name: @autoclosure () -> String) -> Bool {
  check(p >= 0 && p <= 1, .value, name(), "p \(p) isn't in 0...1")
}
