import ApusCore
import ApusFormats

#if ImageLibraries
  import CImages
#endif

/// Pictures as JPEG files, through libjpeg: in packages that are built with the trait `ImageLibraries`. In others each function throws
/// an error that says so.
///
/// ```swift
/// let picture = try JPEG.read("cat.jpg")  // uint8 [3, H, W]
/// try JPEG.write(picture, to: "copy.jpg", quality: 95)
/// ```
public enum JPEG {
  /// Whether the package was built with the trait.
  public static var isAvailable: Bool {
    #if ImageLibraries
      true
    #else
      false
    #endif
  }

  /// Reads the file at `path`. How a camera was held (EXIF) is left out of account.
  ///
  /// - Returns: uint8 `[C, H, W]`; C is 1 for grey, 3 for colour.
  /// - Throws: `DataError`: no such file; not JPEG; damaged or cut short; four inks (`corrupt`, with what libjpeg says);
  ///   a package without the trait (`unsupported`).
  public static func read(_ path: String) throws(DataError) -> Tensor {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    guard file.bytes.prefix(3).elementsEqual([0xFF, 0xD8, 0xFF]) else {
      throw DataError(.format, path: path, "not a JPEG file", advice: "replace it by an intact picture")
    }
    #if ImageLibraries
      return try ImageLibrary.decode(file.bytes, path: path, with: apus_jpeg_decode)
    #else
      throw missing(path)
    #endif
  }

  /// Writes a picture, with some loss; the file appears whole or not at all.
  ///
  /// - Parameters:
  ///   - picture: uint8 `[C, H, W]` or `[H, W]`, C of 1 or 3; or floating-point with values of 0...1.
  ///   - path: where to.
  ///   - quality: 1 to 100; 75 and more is for people to look at.
  /// - Throws: `DataError` where the file cannot be written, or the package has no libjpeg (`unsupported`).
  public static func write(_ picture: Tensor, to path: String, quality: Int = 90) throws(DataError) {
    let picture = picture.rank == 2 ? picture.unsqueeze(dim: 0) : picture
    guard
      check(
        picture.isValid && picture.rank == 3 && [1, 3].contains(picture.shape[0]) && picture.count > 0
          && (1...100).contains(quality), .shape, "JPEG",
        "\(picture.shape) in quality \(quality), where a picture [1 or 3, height, width] and 1...100 are due")
    else { return }
    #if ImageLibraries
      let bytes = try ImageLibrary.encode(picture, quality: quality, path: path)
      do throws(FileError) { try AtomicFile.write(bytes, to: path) } catch { throw DataError(error) }
    #else
      throw missing(path)
    #endif
  }

  #if !ImageLibraries
    private static func missing(_ path: String) -> DataError {
      DataError(
        .unsupported, path: path, "JPEG, for which this build of Apus has no library",
        advice: "build with --traits ImageLibraries where libjpeg and libpng are installed, or convert it to PNG")
    }
  #endif
}

/// Reads a picture, PNG or JPEG by its first bytes: see `PNG.read` and `JPEG.read`.
public func readPicture(_ path: String) throws(DataError) -> Tensor {
  let isJPEG: Bool
  do throws(FileError) {
    let file = try MappedFile(path)
    isJPEG = file.bytes.prefix(2).elementsEqual([0xFF, 0xD8])
    withExtendedLifetime(file) {}
  } catch {
    throw DataError(error)
  }
  return isJPEG ? try JPEG.read(path) : try PNG.read(path)
}
