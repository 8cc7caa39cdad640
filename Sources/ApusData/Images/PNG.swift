import ApusCore
import ApusFormats

#if ImageLibraries
  import CImages
#endif

/// Pictures as PNG files (ISO/IEC 15948): 8 bits per channel, grey, grey with transparency, colour, colour with transparency; without
/// interlacing. In packages that are built with the trait `ImageLibraries`, all other variants are read as well, through libpng.
///
/// ```swift
/// try PNG.write(grid(samples), to: "samples.png")
/// let picture = try PNG.read("cat.png")  // uint8 [3, H, W]
/// ```
public enum PNG {
  /// A picture larger than this is refused: a file of a few bytes could ask for any size.
  public static let maximumPixelCount = 1 << 28

  /// Reads the file at `path`.
  ///
  /// - Returns: uint8 `[C, H, W]`; C is 1 for grey, 2 with transparency, 3 for colour (palettes too), 4 with transparency.
  /// - Throws: `DataError`: no such file; not PNG; damaged (every checksum is verified); a variant that isn't read (`unsupported`).
  public static func read(_ path: String) throws(DataError) -> Tensor {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    return try decode(file.bytes, path: path)
  }

  /// Writes a picture; the file appears whole or not at all.
  ///
  /// - Parameter picture: uint8 `[C, H, W]` or `[H, W]`, C of 1...4 as `read` gives it; or floating-point with values of 0...1, which are
  ///   cut to that range and rounded.
  /// - Throws: `DataError` where the file cannot be written.
  public static func write(_ picture: Tensor, to path: String) throws(DataError) {
    let bytes = try encode(picture, path: path)
    do throws(FileError) { try AtomicFile.write(bytes, to: path) } catch { throw DataError(error) }
  }

  /// The bytes of a PNG file of `picture`.
  package static func encode(_ picture: Tensor, path: String = "picture") throws(DataError) -> [UInt8] {
    let picture = picture.rank == 2 ? picture.unsqueeze(dim: 0) : picture
    guard
      check(
        picture.isValid && picture.rank == 3 && (1...4).contains(picture.shape[0]) && picture.count > 0, .shape, "PNG",
        "\(picture.shape) where a picture [channels, height, width] with 1...4 channels is due")
    else { return [] }
    let bytes = (picture.dtype == .uint8 ? picture : asBytes(picture)).permute(1, 2, 0).scalars(as: UInt8.self)
    return try PNGEncoder(path: path).encode(
      bytes, width: picture.shape[2], height: picture.shape[1], channels: picture.shape[0])
  }

  package static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) -> Tensor {
    var decoder = PNGDecoder(bytes, path: path)
    let picture: PNGDecoder.Picture
    do throws(DataError) {
      picture = try decoder.decode()
    } catch {
      #if ImageLibraries
        if error.kind == .unsupported { return try ImageLibrary.decode(bytes, path: path, with: apus_png_decode) }
      #endif
      throw error
    }
    let tensor = Tensor(scalars: picture.pixels, shape: [picture.height, picture.width, picture.channels])
    return tensor.permute(2, 0, 1).contiguous()
  }

  /// Values of 0...1 as bytes, rounded.
  package static func asBytes(_ x: Tensor) -> Tensor { (x.to(.float32) * 255 + 0.5).clamp(min: 0, max: 255).floor().to(.uint8) }
}
