#if ImageLibraries
  import ApusCore
  import CImages

  #if canImport(Darwin)
    import Darwin
  #elseif canImport(Musl)
    import Musl
  #else
    import Glibc
  #endif

  /// The way to libpng and libjpeg.
  enum ImageLibrary {
    typealias Decoder = (UnsafePointer<UInt8>?, Int, Int, UnsafeMutablePointer<apus_image>?) -> Int32

    /// - Returns: uint8 `[C, H, W]`.
    static func decode(_ file: UnsafeRawBufferPointer, path: String, with decoder: Decoder) throws(DataError) -> Tensor {
      var image = apus_image()
      let bytes = file.baseAddress?.assumingMemoryBound(to: UInt8.self)
      guard decoder(bytes, file.count, PNG.maximumPixelCount, &image) == 1 else {
        throw DataError(
          image.is_too_large == 1 ? .size : .corrupt, path: path, text(of: image), advice: "replace it by an intact picture")
      }
      defer { free(image.bytes) }
      let pixels = Array(UnsafeBufferPointer(start: image.bytes, count: image.count))
      return Tensor(scalars: pixels, shape: [image.height, image.width, Int(image.channels)]).permute(2, 0, 1).contiguous()
    }

    /// The bytes of a JPEG file.
    static func encode(_ picture: Tensor, quality: Int, path: String) throws(DataError) -> [UInt8] {
      let (channels, height, width) = (picture.shape[0], picture.shape[1], picture.shape[2])
      let pixels = (picture.dtype == .uint8 ? picture : PNG.asBytes(picture)).permute(1, 2, 0).scalars(as: UInt8.self)
      var image = apus_image()
      guard apus_jpeg_encode(pixels, width, height, Int32(channels), Int32(quality), &image) == 1 else {
        throw DataError(.size, path: path, text(of: image), advice: "make the picture smaller")
      }
      defer { free(image.bytes) }
      return Array(UnsafeBufferPointer(start: image.bytes, count: image.count))
    }

    /// What the library says.
    private static func text(of image: apus_image) -> String {
      withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
  }
#endif
