import ApusCore

/// Pictures of another size: bilinear, and where they get smaller each new pixel is a weighted mean of all that it covers ("antialias"), as
/// torchvision and Pillow do it.
public struct Resize: ImageTransform {
  public let height: Int
  public let width: Int
  /// Whether smaller pictures are made of all pixels, rather than of the four nearest to each place.
  public let antialias: Bool

  /// A square.
  public init(_ size: Int, antialias: Bool = true) { self.init(height: size, width: size, antialias: antialias) }

  public init(height: Int, width: Int, antialias: Bool = true) {
    let isFine = check(height > 0 && width > 0, .value, "Resize", "pictures of \(height)×\(width)")
    self.height = isFine ? height : 1
    self.width = isFine ? width : 1
    self.antialias = antialias
  }

  /// - Parameter images: `[N, C, H, W]`, floating-point or uint8 (rounded).
  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "Resize"),
      check(sizes.plane > 0, .shape, "Resize", "pictures \(images.shape) have no pixels")
    else { return .invalid }
    if images.dtype == .uint8 {
      return apply(images.to(.float32), generator).round().clamp(min: 0, max: 255).to(.uint8)
    }
    // Both axes are linear maps: y = R x Cᵀ.
    let columns = resizingWeights(from: sizes.width, to: width, antialias: antialias).to(images.dtype)  // [width, W]
    let rows = resizingWeights(from: sizes.height, to: height, antialias: antialias).to(images.dtype)  // [height, H]
    return rows.matmul(images.matmul(columns.transpose(0, 1)))
  }
}

/// What each old element contributes to each new one, float64 `[new, old]`: a triangle around the new one's place, as wide as it covers.
private func resizingWeights(from old: Int, to new: Int, antialias: Bool) -> Tensor {
  let scale = Double(old) / Double(new)
  let support: Double = antialias ? max(scale, 1) : 1
  var weights = [Double](repeating: 0, count: new * old)
  for i in 0..<new {
    let center = (Double(i) + 0.5) * scale
    var total: Double = 0
    let first = Int((center - support - 0.5).rounded(.down))
    let last = Int((center + support + 0.5).rounded(.up))
    for j in first...last {
      let weight = 1 - abs(Double(j) + 0.5 - center) / support
      guard weight > 0 else { continue }
      // Outside there is nothing; without antialias the edge goes on, which is the same as nothing where support is 1 element.
      guard j >= 0, j < old else { continue }
      weights[i * old + j] += weight
      total += weight
    }
    for j in 0..<old { weights[i * old + j] /= total }
  }
  return Tensor(scalars: weights, shape: [new, old], dtype: .float64)
}
