import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct PNGTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct File: Decodable {
    let mode: String
    let file: Data
    let shape: [Int]
    let pixels: Data
  }

  @Test("files as Pillow writes them are read, and what is written is read back")
  func files() throws {
    for golden in try Golden<File>.load("png") {
      let picture = try PNG.read(folder.write(Array(golden.file), "x.png"))
      #expect(picture.shape == Shape(golden.shape) && picture.dtype == .uint8, "\(golden.mode)")
      #expect(picture.scalars(as: UInt8.self) == Array(golden.pixels), "\(golden.mode)")
      try PNG.write(picture, to: folder.file("y.png"))
      #expect(try PNG.read(folder.file("y.png")).scalars(as: UInt8.self) == Array(golden.pixels), "\(golden.mode)")
    }
  }

  @Test("every cut and every flipped byte is noticed")
  func damage() throws {
    let golden = try #require(try Golden<File>.load("png").first)
    let bytes = Array(golden.file)
    func kind(_ bytes: [UInt8]) -> DataError.Kind? {
      dataError { _ = try bytes.withUnsafeBytes { try PNG.decode($0, path: "x.png") } }?.kind
    }
    #expect(kind(bytes) == nil)
    for count in 0..<bytes.count { #expect(kind(Array(bytes.prefix(count))) != nil, "\(count)") }
    for i in bytes.indices {
      var changed = bytes
      changed[i] ^= 0x10
      #expect(kind(changed) != nil, "byte \(i)")
    }
  }

  @Test("variants that aren't read say so, and a header gets no memory that its file cannot fill")
  func refusals() throws {
    func error(width: UInt32 = 1, height: UInt32 = 1, depth: UInt8 = 8, color: UInt8 = 0, interlace: UInt8 = 0) -> DataError? {
      let bytes = file(width, height, depth, color, interlace)
      return dataError { _ = try bytes.withUnsafeBytes { try PNG.decode($0, path: "x.png") } }
    }
    #expect(error()?.kind == nil)
    #expect(error(depth: 16)?.description.hasPrefix("x.png: 16 bits per channel; only 8 are read; convert it to 8 bits") == true)
    #expect(error(interlace: 1)?.kind == .unsupported && error(color: 5)?.kind == .format)
    #expect(error(width: 0)?.kind == .size && error(width: 1 << 31)?.kind == .size)
    #expect(error(width: 1 << 14, height: 1 << 14)?.kind == .corrupt && error(width: 1 << 15, height: 1 << 14)?.kind == .size)
    #expect(error(width: 2)?.kind == .corrupt && error(color: 3)?.kind == .corrupt)
    #expect(dataError { _ = try PNG.read(folder.file("none.png")) }?.kind == .missing)
    #expect(mistake { try? PNG.write(Tensor.zeros([5, 2, 2]), to: folder.file("x.png")) }?.operation == "PNG")
  }

  /// A file of one black grey pixel, with a header of one's own.
  private func file(_ width: UInt32, _ height: UInt32, _ depth: UInt8, _ color: UInt8, _ interlace: UInt8) -> [UInt8] {
    func big(_ x: UInt32) -> [UInt8] { withUnsafeBytes(of: x.bigEndian, Array.init) }
    func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + content
      return big(UInt32(content.count)) + body + big(crc32(body))
    }
    // zlib, stored: two bytes, a filter and a pixel; Adler-32 of two zeros.
    let pixels: [UInt8] = [0x78, 0x01, 1, 2, 0, 0xFD, 0xFF, 0, 0, 0, 2, 0, 1]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", big(width) + big(height) + [depth, color, 0, 0, interlace]) + chunk("IDAT", pixels) + chunk("IEND", [])
  }

  @Test("a grid of pictures, as make_grid lays it out")
  func grid() throws {
    let pictures = Tensor.arange(1, 6, dtype: .float32).reshape(5, 1, 1, 1) * Tensor.ones([5, 1, 2, 3])
    let grid = pictureGrid(pictures, columns: 2, margin: 1, fill: 9)
    #expect(grid.shape == [1, 10, 9])
    #expect(grid[0, 1].scalars(as: Float.self) == [9, 1, 1, 1, 9, 2, 2, 2, 9])
    #expect(grid[0, 8].scalars(as: Float.self) == [9, 5, 5, 5, 9, 9, 9, 9, 9])
    try PNG.write(grid / 10, to: folder.file("grid.png"))
    let back = try PNG.read(folder.file("grid.png"))
    #expect(back.shape == [1, 10, 9] && back[0, 1, 1].item() == 26 && back[0, 0, 0].item() == 230)
  }

  @Test("folders of pictures, classes by name")
  func imageFolder() throws {
    for (i, name) in ["dog/2.png", "dog/deeper/1.PNG", "cat/b.png"].enumerated() {
      let data = Tensor.full([i == 2 ? 1 : 3, 2, 2], Double(i + 1) / 10)
      try folder.write([], name)
      try PNG.write(data, to: folder.file(name))
    }
    try folder.write([1], "dog/readme.txt")
    let set = try ImageFolder(folder.path)
    #expect(set.classNames == ["cat", "dog"] && set.labels == [0, 1, 1] && set.count == 3)
    let batch = try set.batch(at: [0, 2])
    #expect(batch.input.shape == [2, 3, 2, 2] && batch.target.scalars(as: Int.self) == [0, 1])
    #expect(abs(batch.input[0, 2, 1, 1].item() - 0.3) < 2e-3)
    let grey = try ImageFolder(folder.path, channels: 1, size: 4)
    #expect(try grey[1].input.shape == [1, 4, 4])
    #expect(try abs(grey[1].input.mean().item() - 0.1) < 2e-3)
    #expect(dataError { _ = try ImageFolder(folder.file("nothing")) }?.kind == .missing)
    #expect(dataError { _ = try ImageFolder(folder.file("cat")) }?.kind == .missing)
  }
}
