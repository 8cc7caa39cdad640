import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct JPEGTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// 16×8, the left half (200, 40, 40), the right half (30, 60, 220): Pillow's `save(…, "JPEG", quality=90, subsampling=0, optimize=True)`.
  private static let halves =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/"
    + "2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAIABADAREAAhEBAxEB/8QA"
    + "FQABAQAAAAAAAAAAAAAAAAAABgf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAACQcI/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwD"
    + "AQACEQMRAD8AiibtqhpKxvv/2Q=="

  /// 3×2 of 16 bits: 0, 13107, 26214 and so on, by Pillow.
  private static let sixteenBits =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNkYDA2NjZmmDnzzJn//wEW0gWWM1Vt+wAAAABJRU5ErkJggg=="

  private func write(_ base64: String, _ name: String) throws -> String {
    try folder.write(Array(#require(Data(base64Encoded: base64))), name)
  }

  @Test("without the trait each function says how to get it", .enabled(if: !JPEG.isAvailable))
  func unavailable() throws {
    let path = try write(Self.halves, "a.jpg")
    for error in [
      dataError { _ = try JPEG.read(path) }, dataError { _ = try readPicture(path) },
      dataError { try JPEG.write(Tensor.zeros([3, 4, 4]), to: folder.file("b.jpg")) },
    ] {
      #expect(error?.kind == .unsupported && error?.advice.contains("--traits ImageLibraries") == true)
    }
    #expect(!folder.exists("b.jpg"))
    let deep = try write(Self.sixteenBits, "deep.png")
    #expect(dataError { _ = try PNG.read(deep) }?.kind == .unsupported)
  }

  @Test(
    "with it files as Pillow writes them are read, and what is written is nearly what was given", .enabled(if: JPEG.isAvailable))
  func files() throws {
    let picture = try readPicture(write(Self.halves, "a.jpg"))
    #expect(picture.shape == [3, 8, 16] && picture.dtype == .uint8)
    func color(_ picture: Tensor, _ y: Int, _ x: Int) -> [Int] { (0..<3).map { picture[$0, y, x].item(as: Int.self) } }
    #expect(color(picture, 3, 2) == [200, 40, 40] && color(picture, 5, 12) == [30, 60, 220])
    try JPEG.write(picture, to: folder.file("b.jpg"), quality: 95)
    let again = try JPEG.read(folder.file("b.jpg"))
    #expect(zip(color(again, 3, 2), [200, 40, 40]).allSatisfy { abs($0 - $1) <= 4 })
    try JPEG.write(Tensor.full([8, 8], 0.5), to: folder.file("grey.jpg"))
    #expect(try JPEG.read(folder.file("grey.jpg")).shape == [1, 8, 8])
    let deep = try PNG.read(write(Self.sixteenBits, "deep.png"))
    #expect(deep.scalars(as: UInt8.self) == [0, 51, 102, 153, 204, 255])
  }

  @Test("a file that is cut short is an error, never a picture with a grey half", .enabled(if: JPEG.isAvailable))
  func cut() throws {
    let bytes = Array(try #require(Data(base64Encoded: Self.halves)))
    for count in 3..<bytes.count - 2 {
      let path = try folder.write(Array(bytes.prefix(count)), "cut.jpg")
      #expect(dataError { _ = try JPEG.read(path) }?.kind == .corrupt, "\(count)")
    }
  }

  @Test("what is no JPEG file is an error in either build")
  func format() throws {
    let path = try folder.write(Array("hello".utf8), "a.jpg")
    #expect(dataError { _ = try JPEG.read(path) }?.kind == .format)
    expectMistake("JPEG: [2, 4, 4] in quality 90, where a picture [1 or 3, height, width] and 1...100 are due") {
      try? JPEG.write(Tensor.zeros([2, 4, 4]), to: folder.file("b.jpg"))
    }
  }
}
