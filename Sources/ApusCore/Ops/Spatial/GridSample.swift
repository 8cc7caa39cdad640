/// What `gridSample` makes an element of.
public enum GridSampleMode: CaseIterable, Sendable {
  /// The neighbours along each axis (two), weighted by their distance.
  case bilinear
  /// The nearest element; halves go to the even one.
  case nearest
  /// Four neighbours along both axes (a = −¾).
  case bicubic
}

/// What lies outside the image for `gridSample`.
public enum GridPaddingMode: CaseIterable, Sendable {
  case zeros
  /// The element at the edge.
  case border
  /// The image, mirrored at its edge as often as needed.
  case reflection
}

/// The elements of an image at places that a grid names.
///
/// - Parameters:
///   - x: `[N, C, H, W]` or `[N, C, D, H, W]`, floating-point.
///   - grid: `[N, H', W', 2]` or `[N, D', H', W', 3]`, dtype of `x`: for each element of the result its place (x, y) or (x, y, z), −1 … 1 from
///     one side of the image to the other; x runs along the last axis.
///   - mode: from which neighbours; `.bicubic` for `[N, C, H, W]` only.
///   - paddingMode: what lies outside.
///   - alignCorners: whether −1 and 1 are the centres of the outermost elements, or their outer edges.
/// - Returns: `[N, C, H', W']` or `[N, C, D', H', W']`.
/// - Complexity: ordinary ops: a gather for each neighbour (4, 8, or 16 of them). Gradients by `x` and by `grid`, to any order.
public func gridSample(
  _ x: Tensor, _ grid: Tensor, mode: GridSampleMode = .bilinear, paddingMode: GridPaddingMode = .zeros, alignCorners: Bool = false
) -> Tensor {
  guard fitGrid(x, grid, mode) else { return .invalid }
  let axes = x.rank - 2
  let sampler = GridSampler(x, paddingMode, alignCorners)
  // The places along each axis of x in its own order, in elements: [N, 1, places].
  let places = (0..<axes).map { axis in
    sampler.inElements(grid.select(dim: -1, index: axes - 1 - axis).flatten(startDim: 1).unsqueeze(dim: 1), axis)
  }
  let y =
    switch mode {
    case .bilinear: sampler.linear(places)
    case .nearest: sampler.value(places.indices.map { sampler.padded(places[$0], $0).round() })
    case .bicubic: sampler.cubic(places)
    }
  return y.reshape(Shape(x.shape.prefix(2) + grid.shape.dropFirst().dropLast()))
}

private func fitGrid(_ x: Tensor, _ grid: Tensor, _ mode: GridSampleMode) -> Bool {
  let name = "gridSample"
  return x.isFloating(for: name) && grid.isValid
    && check(x.rank == 4 || x.rank == 5, .shape, name, "input \(x.shape) is neither [N, C, H, W] nor [N, C, D, H, W]")
    && check(grid.dtype == x.dtype, .dtype, name, "grid is \(grid.dtype), the input \(x.dtype)")
    && check(
      grid.rank == x.rank && grid.shape[0] == x.shape[0] && grid.shape[-1] == x.rank - 2, .shape, name,
      "grid \(grid.shape) for input \(x.shape): it takes [\(x.shape[0]), …, \(x.rank - 2)] with \(x.rank) axes")
    && check(x.shape.dropFirst(2).allSatisfy { $0 > 0 }, .shape, name, "input \(x.shape) has an empty axis")
    && check(mode != .bicubic || x.rank == 4, .value, name, "mode bicubic takes [N, C, H, W], not \(x.shape)")
}

/// An image and how places outside are treated.
private struct GridSampler {
  let elements: Tensor  // [N, C, elements]
  let sizes: [Int]
  let padding: GridPaddingMode
  let alignCorners: Bool

  init(_ x: Tensor, _ padding: GridPaddingMode, _ alignCorners: Bool) {
    elements = x.flatten(startDim: 2)
    sizes = Array(x.shape.dropFirst(2))
    self.padding = padding
    self.alignCorners = alignCorners
  }

  /// −1 … 1 as a place along an axis.
  func inElements(_ place: Tensor, _ axis: Int) -> Tensor {
    let size = Double(sizes[axis])
    return alignCorners ? (place + 1) * ((size - 1) / 2) : (place + 1) * (size / 2) - 0.5
  }

  /// A place, brought back into the image where the padding asks for it.
  func padded(_ place: Tensor, _ axis: Int) -> Tensor {
    switch padding {
    case .zeros: place
    case .border: clipped(place, axis)
    case .reflection: clipped(reflected(place, axis), axis)
    }
  }

  /// At and beyond the edge there is no gradient.
  private func clipped(_ place: Tensor, _ axis: Int) -> Tensor {
    let last = Double(sizes[axis] - 1)
    let fixed = place.detach()
    return `where`((fixed .> 0).logicalAnd(fixed .< last), place, fixed.clamp(min: 0, max: last))
  }

  private func reflected(_ place: Tensor, _ axis: Int) -> Tensor {
    let size = Double(sizes[axis])
    let low: Double = alignCorners ? 0 : -0.5
    let span: Double = alignCorners ? size - 1 : size
    guard span > 0 else { return place * 0 }
    let distance = place - low
    let away = `where`(distance.detach() .< 0, -distance, distance)
    let flips = (away.detach() / span).floor()
    let rest = away - flips * span
    return `where`(flips.remainder(Tensor(2.0, dtype: flips.dtype)) .== 0, rest + low, span - rest + low)
  }

  /// The elements at whole places `[N, 1, places]` along each axis: `[N, C, places]`, 0 outside.
  func value(_ places: [Tensor]) -> Tensor {
    var index = Tensor.zeros(places[0].shape, dtype: .int64)
    var isInside = Tensor.ones(places[0].shape, dtype: .bool)
    for (axis, place) in places.enumerated() {
      let (place, last) = (place.detach(), Double(sizes[axis] - 1))
      index = index * sizes[axis] + place.clamp(min: 0, max: last).to(.int64)
      isInside = isInside.logicalAnd((place .>= 0).logicalAnd(place .<= last))
    }
    let shape = Shape([elements.shape[0], elements.shape[1], index.shape[2]])
    // NaN is no place; its index has to be one.
    let safe = index.clamp(min: Tensor(0), max: Tensor(elements.shape[2] - 1))
    return elements.gather(dim: 2, index: safe.expand(shape)).maskedFill(isInside.logicalNot(), 0)
  }

  /// The 2ⁿ neighbours, each weighted by the product of its nearness along the axes.
  func linear(_ places: [Tensor]) -> Tensor {
    let places = places.indices.map { padded(places[$0], $0) }
    let floors = places.map { $0.detach().floor() }
    let shares = zip(places, floors).map { $0 - $1 }
    return (0..<1 << places.count).map { corner in
      let isUpper = places.indices.map { corner >> $0 & 1 == 1 }
      let neighbour = places.indices.map { isUpper[$0] ? floors[$0] + 1 : floors[$0] }
      let weight = places.indices.map { isUpper[$0] ? shares[$0] : 1 - shares[$0] }.reduce(nil as Tensor?) { p, w in
        p.map { $0 * w } ?? w
      }
      return value(neighbour) * weight!
    }.summed
  }

  /// The 4 × 4 neighbours. The padding concerns each neighbour, not the place between them.
  func cubic(_ places: [Tensor]) -> Tensor {
    let floors = places.map { $0.detach().floor() }
    let weights = zip(places, floors).map { GridSampler.cubicWeights($0 - $1) }
    return (0..<4).map { row in
      let y = padded(floors[0] + Double(row - 1), 0)
      let line = (0..<4).map { column in value([y, padded(floors[1] + Double(column - 1), 1)]) * weights[1][column] }
      return line.summed * weights[0][row]
    }.summed
  }

  /// The weights of the four neighbours of a place `t` after the second: cubic convolution with a = −¾.
  private static func cubicWeights(_ t: Tensor) -> [Tensor] {
    let a = -0.75
    let near = { (x: Tensor) in (x * (a + 2) - (a + 3)) * x * x + 1 }
    let far = { (x: Tensor) in ((x * a - 5 * a) * x + 8 * a) * x - 4 * a }
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
  }
}

extension [Tensor] {
  fileprivate var summed: Tensor { dropFirst().reduce(self[0], +) }
}

/// The grid of an affine map, for `gridSample`.
///
/// - Parameters:
///   - theta: `[N, 2, 3]` for `[N, C, H, W]`, `[N, 3, 4]` for `[N, C, D, H, W]`: a matrix from places in the result (x, y, 1) to
///     places in the input.
///   - size: of the result, with batch and channels.
///   - alignCorners: as for `gridSample`.
/// - Returns: `[N, H, W, 2]` or `[N, D, H, W, 3]`.
public func affineGrid(_ theta: Tensor, _ size: Shape, alignCorners: Bool = false) -> Tensor {
  let axes = size.rank - 2
  guard theta.isFloating(for: "affineGrid"),
    check((2...3).contains(axes), .shape, "affineGrid", "size \(size) is neither [N, C, H, W] nor [N, C, D, H, W]"),
    check(size.allSatisfy { $0 > 0 }, .value, "affineGrid", "size \(size) is not positive"),
    check(
      theta.shape == [size[0], axes, axes + 1], .shape, "affineGrid",
      "theta \(theta.shape) for size \(size): it takes [\(size[0]), \(axes), \(axes + 1)]")
  else { return .invalid }
  let spatial = Array(size.dropFirst(2))
  let places = Shape(spatial)
  let columns = spatial.indices.reversed().map { axis in
    var shape = [Int](repeating: 1, count: axes)
    shape[axis] = spatial[axis]
    return steps(spatial[axis], alignCorners, theta.dtype).reshape(Shape(shape)).expand(places)
  }
  let base = stack(columns + [Tensor.ones(places, dtype: theta.dtype)], dim: -1).reshape(1, places.elementCount, axes + 1)
  return base.matmul(theta.mT).reshape(Shape([size[0]] + spatial + [axes]))
}

/// The places of the elements of an axis, −1 … 1.
private func steps(_ count: Int, _ alignCorners: Bool, _ dtype: DType) -> Tensor {
  guard count > 1 else { return Tensor.zeros([1], dtype: dtype) }
  let reach: Double = alignCorners ? 1 : Double(count - 1) / Double(count)
  return Tensor.linspace(-reach, reach, count, dtype: dtype)
}
