import ApusCore

/// Many pictures as one: rows of `columns`, with a margin around each.
///
/// - Parameters:
///   - pictures: `[N, C, H, W]`, float32 of 0...1 or uint8.
///   - columns: pictures in a row.
///   - margin: pixels between them and around the whole, as in torchvision's `make_grid`.
///   - fill: value of the margin.
/// - Returns: `[C, rows · (H + margin) + margin, columns · (W + margin) + margin]`, the dtype of `pictures`.
public func pictureGrid(_ pictures: Tensor, columns: Int = 8, margin: Int = 2, fill: Double = 0) -> Tensor {
  guard let sizes = pictures.pictureSizes(for: "pictureGrid"),
    check(
      columns > 0 && margin >= 0 && sizes.count > 0, .value, "pictureGrid",
      "\(sizes.count) pictures in \(columns) columns, margin \(margin)")
  else { return .invalid }
  let columns = min(columns, sizes.count)
  let rows = (sizes.count + columns - 1) / columns
  let (height, width) = (sizes.height + margin, sizes.width + margin)
  var grid = Tensor.full([sizes.channels, rows * height + margin, columns * width + margin], fill, dtype: pictures.dtype)
  for i in 0..<sizes.count {
    let (y, x) = (i / columns * height + margin, i % columns * width + margin)
    grid[0..<sizes.channels, y..<y + sizes.height, x..<x + sizes.width] = pictures[i]
  }
  return grid
}
