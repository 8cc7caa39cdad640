/// How `interpolate` makes an element of its neighbours.
public enum InterpolationMode: CaseIterable, Sendable {
  /// The element at ⌊i · scale⌋: PyTorch's default, shifted by up to half an element.
  case nearest
  /// The element at ⌊(i + ½) · scale⌋: the nearest in truth.
  case nearestExact
  /// Between two neighbours, `[N, C, L]`.
  case linear
  /// Between two neighbours along both axes, `[N, C, H, W]`.
  case bilinear
  /// Between two neighbours along three axes, `[N, C, D, H, W]`.
  case trilinear
  /// Cubic convolution of four neighbours along both axes (a = −¾), `[N, C, H, W]`. May overshoot.
  case bicubic
  /// The mean over the elements that an output covers (`adaptiveAvgPool2d`).
  case area

  /// Numbers of axes after the channels.
  fileprivate var axes: ClosedRange<Int> {
    switch self {
    case .nearest, .nearestExact, .area: 1...3
    case .linear: 1...1
    case .bilinear, .bicubic: 2...2
    case .trilinear: 3...3
    }
  }

  fileprivate var takesAlignCorners: Bool {
    switch self {
    case .nearest, .nearestExact, .area: false
    case .linear, .bilinear, .trilinear, .bicubic: true
    }
  }
}

/// How much larger `interpolate` makes each axis: a number for all axes alike, or an array with one for each.
public protocol ScaleFactor: Sendable {
  /// One number for each of `count` axes; nil where there are more or fewer.
  func factors(_ count: Int) -> [Double]?
}

extension Double: ScaleFactor {
  public func factors(_ count: Int) -> [Double]? { [Double](repeating: self, count: count) }
}

extension Int: ScaleFactor {
  public func factors(_ count: Int) -> [Double]? { [Double](repeating: Double(self), count: count) }
}

extension [Double]: ScaleFactor {
  public func factors(_ count: Int) -> [Double]? { self.count == count ? self : nil }
}

/// An image of another size, by PyTorch's rules.
///
/// Element i of the result lies at (i + ½) · scale − ½ of the input, where scale is the ratio of the sizes; with `alignCorners` at
/// i · (input − 1) / (output − 1), so that the elements at the corners stay.
///
/// - Parameters:
///   - x: `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`, as the mode takes it. Floating-point; other dtypes for the nearest modes.
///   - size: one size for all axes or one for each; either this or `scaleFactor`.
///   - scaleFactor: the output's size is ⌊size · scaleFactor⌋.
///   - mode: from which neighbours.
///   - alignCorners: for `.linear`, `.bilinear`, `.trilinear` and `.bicubic`.
///   - recomputeScaleFactor: whether places follow from the sizes, as with `size`, instead of from the `scaleFactor` as given.
/// - Returns: dtype and order of axes in memory of `x`.
/// - Complexity: a pass for each axis that changes; keeps nothing for the gradient.
public func interpolate(
  _ x: Tensor, size: (any PerAxis)? = nil, scaleFactor: (any ScaleFactor)? = nil, mode: InterpolationMode = .nearest,
  alignCorners: Bool = false, recomputeScaleFactor: Bool = false
) -> Tensor {
  guard x.isValid, mode.takes(x),
    check(
      !alignCorners || mode.takesAlignCorners, .value, "interpolate", "alignCorners means nothing for mode \(mode)"),
    let resizing = Resizing(x, size, scaleFactor, recomputesScale: recomputeScaleFactor)
  else { return .invalid }
  if mode == .area { return x.averaged(resizing.output) }
  return (2..<x.rank).reversed().reduce(x) { y, axis in
    let (input, output, scale) = (x.shape[axis], resizing.output[axis - 2], resizing.scales?[axis - 2])
    let map = SparseMap.resampling(input, output, scale, mode, alignCorners)
    return map.isIdentity ? y : y.resampled(map, axis: axis)
  }
}

extension InterpolationMode {
  /// Whether `x` has the axes and the dtype for this mode; a mistake of `interpolate` otherwise.
  fileprivate func takes(_ x: Tensor) -> Bool {
    check(
      axes.contains(x.rank - 2), .shape, "interpolate",
      "mode \(self) takes [N, C, …] with \(axes.count == 1 ? "\(axes.lowerBound)" : "1 to 3") axes more, not \(x.shape)")
      && check(
        x.dtype.isFloatingPoint || self == .nearest || self == .nearestExact, .dtype, "interpolate",
        "mode \(self) is not defined for \(x.dtype)")
      && check(x.shape.dropFirst().allSatisfy { $0 > 0 }, .shape, "interpolate", "input \(x.shape) has an empty axis")
  }
}

/// The sizes after, and the factors by which places are found where they don't follow from the sizes.
private struct Resizing {
  let output: [Int]
  let scales: [Double]?

  init?(_ x: Tensor, _ size: (any PerAxis)?, _ scaleFactor: (any ScaleFactor)?, recomputesScale: Bool) {
    let axes = x.rank - 2
    guard
      check(
        (size == nil) != (scaleFactor == nil), .value, "interpolate", "takes either size or scaleFactor"),
      check(!recomputesScale || size == nil, .value, "interpolate", "recomputeScaleFactor means nothing with a size")
    else { return nil }
    if let size {
      guard let sizes = size.perAxis(axes, "size", "interpolate") else { return nil }
      (output, scales) = (sizes, nil)
    } else {
      let factors = scaleFactor!.factors(axes)
      guard check(factors != nil, .value, "interpolate", "scaleFactor \(scaleFactor!) is not one number or \(axes)"), let factors,
        check(factors.allSatisfy { $0 > 0 && $0 < 1e9 }, .value, "interpolate", "scaleFactor \(scaleFactor!) is out of range")
      else { return nil }
      output = zip(x.shape.dropFirst(2), factors).map { Int((Double($0) * $1).rounded(.down)) }
      scales = recomputesScale ? nil : factors
    }
    let fits = output.allSatisfy { (1...Int(Int32.max)).contains($0) }
    guard check(fits, .value, "interpolate", "input \(x.shape) has no size \(output)") else { return nil }
  }
}

extension Tensor {
  /// The map applied along an axis; a map that only picks elements to any dtype.
  fileprivate func resampled(_ map: SparseMap, axis: Int) -> Tensor {
    if dtype.isFloatingPoint { return mapped(map, axis: axis) }
    return indexSelect(dim: axis, index: Tensor(map.columns.map { Int($0) }))
  }

  fileprivate func averaged(_ size: [Int]) -> Tensor {
    switch size.count {
    case 1: adaptiveAvgPool1d(self, size)
    case 2: adaptiveAvgPool2d(self, size)
    default: adaptiveAvgPool3d(self, size)
    }
  }
}

/// The readable twin of `interpolate` along one axis: the map as a matrix.
package func interpolateTwin(
  _ x: Tensor, axis: Int, size: Int, mode: InterpolationMode, alignCorners: Bool = false
) -> Tensor {
  let map = SparseMap.resampling(x.shape[axis], size, nil, mode, alignCorners)
  return x.movedim(axis, -1).matmul(map.matrix.to(x.dtype).T).movedim(-1, axis)
}
