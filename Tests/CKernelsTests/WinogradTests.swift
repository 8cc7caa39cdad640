// Winograd's method step by step against its matrices written out, in double precision.

import CKernels
import Testing

private typealias Matrix = [[Double]]

/// The three matrices for one axis; along two they are applied from both sides.
private enum Matrices {
  static let (a, b) = (0.5.squareRoot(), 2.0.squareRoot())
  static let source: Matrix = [
    [1, 0, -2.5, 0, 1, 0], [0, -2 * a, -2, a, 1, 0], [0, 2 * a, -2, -a, 1, 0], [0, -b / 2, -0.5, b, 1, 0],
    [0, b / 2, -0.5, -b, 1, 0], [0, 1, 0, -2.5, 0, 1],
  ]
  static let weights: Matrix = [
    [1, 0, 0], [-2.0 / 3, -2 * a / 3, -1.0 / 3], [-2.0 / 3, 2 * a / 3, -1.0 / 3], [1.0 / 6, b / 6, 1.0 / 3],
    [1.0 / 6, -b / 6, 1.0 / 3], [0, 0, 1],
  ]
  static let target: Matrix = [
    [1, 1, 1, 1, 1, 0], [0, a, -a, b, -b, 0], [0, 0.5, 0.5, 2, 2, 0], [0, a / 2, -a / 2, 2 * b, -2 * b, 1],
  ]
}

private func transposed(_ x: Matrix) -> Matrix { x[0].indices.map { j in x.map { $0[j] } } }
private func times(_ x: Matrix, _ y: Matrix) -> Matrix {
  x.map { row in y[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * y[$1][j] } } }
}
/// m x mᵀ
private func both(_ m: Matrix, _ x: Matrix) -> Matrix { times(times(m, x), transposed(m)) }

private func close(_ x: Double, _ y: Double) -> Bool { abs(x - y) <= 2e-5 * max(1, abs(y)) }

/// Two images of 6 × 9 pixels and two rows of three tiles for each, padded by one.
private struct Images {
  let channels: Int
  let x: Line
  let zeros: Line
  let grid: apus_winograd_grid
  static let (height, width, tiles) = (6, 9, 12)

  init(_ channels: Int, from: Int) {
    self.channels = channels
    x = Line(APUS_F32, count: 2 * Self.height * Self.width * channels)
    zeros = Line(APUS_F32, count: channels)
    for i in 0..<x.count { x.set(i, Samples.real(i + from).truncatingRemainder(dividingBy: 2)) }
    for i in 0..<channels { zeros.set(i, 0.0) }
    let image = apus_winograd_image(
      image: Self.height * Self.width * channels, row: Self.width * channels, pixel: channels, height: Self.height,
      width: Self.width)
    grid = apus_winograd_grid(rows: 2, columns: 3, offset: (-1, -1), source: image, target: image)
  }

  /// The `size` × `size` pixels from the first of a tile on, plus an offset, 0 outside.
  func pixels(_ tile: Int, _ size: Int, offset: Int, _ channel: Int, of line: Line? = nil) -> Matrix {
    (0..<size).map { i in
      (0..<size).map { j in
        let (row, column) = (tile / 3 % 2 * 4 + i + offset, tile % 3 * 4 + j + offset)
        guard 0..<Self.height ~= row, 0..<Self.width ~= column else { return 0 }
        return (line ?? x).real(((tile / 6 * Self.height + row) * Self.width + column) * channels + channel)
      }
    }
  }
}

extension Line {
  fileprivate var floats: UnsafeMutablePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }
}

@Suite struct WinogradTests {
  private func kernels(_ isa: apus_isa) throws -> apus_winograd_kernels { try #require(apus_winograd(isa)).pointee }

  @Test("values of source tiles", arguments: apus_isa.available)
  func source(isa: apus_isa) throws {
    let (images, step) = (Images(32, from: 30), 12 * 32 + 16)
    let v = Line(APUS_F32, count: 36 * step)
    var grid = images.grid
    try kernels(isa).source(&grid, 3, 9, 32, images.x.floats, images.zeros.floats, v.floats, step)
    #expect(v.gapsAreUntouched)
    for tile in 3..<12 {
      for c in 0..<32 {
        let values = both(Matrices.source, images.pixels(tile, 6, offset: -1, c))
        for p in 0..<36 { #expect(close(v.real(p * step + (tile - 3) * 32 + c), values[p / 6][p % 6])) }
      }
    }
  }

  @Test("values of weights", arguments: apus_isa.available)
  func weights(isa: apus_isa) throws {
    let (w, u) = (Line(APUS_F32, count: 9 * 48), Line(APUS_F32, count: 36 * 64))
    for i in 0..<w.count { w.set(i, Samples.real(i + 30).truncatingRemainder(dividingBy: 2)) }
    try kernels(isa).weights(48, w.floats, u.floats, 64)
    #expect(u.gapsAreUntouched)
    for k in 0..<48 {
      let values = both(Matrices.weights, (0..<3).map { i in (0..<3).map { w.real((3 * i + $0) * 48 + k) } })
      for p in 0..<36 { #expect(close(u.real(p * 64 + k), values[p / 6][p % 6])) }
    }
  }

  @Test("target tiles from products, cut off at the image's edge, and their ending", arguments: apus_isa.available)
  func target(isa: apus_isa) throws {
    let (images, step) = (Images(16, from: 30), 12 * 16 + 16)
    let (m, bias, scale) = (Line(APUS_F32, count: 36 * step), Line(APUS_F32, count: 16), Line(APUS_F32, count: 16))
    for i in 0..<m.count { m.set(i, Samples.real(i + 30).truncatingRemainder(dividingBy: 2)) }
    for i in 0..<16 {
      bias.set(i, Double(i) / 4)
      scale.set(i, 2 - Double(i) / 4)
    }
    var grid = images.grid
    let residual = Line(APUS_F32, count: images.x.count)
    for i in 0..<residual.count { residual.set(i, Samples.real(i + 700).truncatingRemainder(dividingBy: 2)) }
    var ending = apus_conv_ending(
      scale: UnsafeRawPointer(scale.pointer), bias: UnsafeRawPointer(bias.pointer), residual: UnsafeRawPointer(residual.pointer),
      target: UnsafeRawPointer(images.x.pointer), is_rectified: true)
    #expect(try kernels(isa).target(&grid, 0, 12, 16, m.floats, step, &ending, images.x.floats))
    #expect(images.x.gapsAreUntouched)
    for tile in 0..<12 {
      for c in 0..<16 {
        let products = (0..<6).map { i in (0..<6).map { m.real((6 * i + $0) * step + tile * 16 + c) } }
        let expected = both(Matrices.target, products)
        let (found, more) = (images.pixels(tile, 4, offset: 0, c), images.pixels(tile, 4, offset: 0, c, of: residual))
        for i in 0..<4 where tile / 3 % 2 * 4 + i < Images.height {
          for j in 0..<4 where tile % 3 * 4 + j < Images.width {
            #expect(close(found[i][j], max(0, expected[i][j] * scale.real(c) + bias.real(c) + more[i][j])))
          }
        }
      }
    }
    m.set(7 * step + 5, Double.infinity)
    #expect(try !kernels(isa).target(&grid, 0, 12, 16, m.floats, step, nil, images.x.floats))
  }

  @Test("values of target tiles, packed for sums of products", arguments: apus_isa.available)
  func targetValues(isa: apus_isa) throws {
    let conv = try #require(apus_conv(isa, APUS_F32)).pointee
    let (images, step) = (Images(48, from: 90), 14 * (48 + conv.columns))
    let w = Line(APUS_F32, count: 36 * step)
    var grid = images.grid
    // Tiles 2 to 11 as lines 4 to 13 of 14.
    try kernels(isa).target_values(&grid, 2, 10, 48, images.x.floats, images.zeros.floats, w.floats, step, 4, 14)
    #expect(w.gapsAreUntouched)
    for tile in 2..<12 {
      for c in 0..<48 {
        let (block, left) = (c / conv.columns * conv.columns, 48 - c / conv.columns * conv.columns)
        let width = left <= conv.lanes ? conv.lanes : conv.columns
        let values = both(transposed(Matrices.target), images.pixels(tile, 4, offset: 0, c))
        for p in 0..<36 {
          #expect(close(w.real(p * step + block * 14 + (tile + 2) * width + c - block), values[p / 6][p % 6]))
        }
      }
    }
  }

  @Test("weights' gradients from sums", arguments: apus_isa.available)
  func weightGradient(isa: apus_isa) throws {
    let (u, w) = (Line(APUS_F32, count: 36 * 80), Line(APUS_F32, count: 9 * 96))
    for i in 0..<u.count { u.set(i, Samples.real(i + 30).truncatingRemainder(dividingBy: 2)) }
    #expect(try kernels(isa).weight_gradient(64, u.floats, 80, w.floats, 96))
    #expect(w.gapsAreUntouched)
    for k in 0..<64 {
      let sums = (0..<6).map { i in (0..<6).map { u.real((6 * i + $0) * 80 + k) } }
      let expected = both(transposed(Matrices.weights), sums)
      for p in 0..<9 { #expect(close(w.real(p * 96 + k), expected[p / 3][p % 3])) }
    }
    u.set(3 * 80 + 2, Double.nan)
    #expect(try !kernels(isa).weight_gradient(64, u.floats, 80, w.floats, 96))
  }
}
