import ApusCore

// Padding as layers: `pad` of the last one, two or three axes. `padding` is one number for all ends, or two numbers for each axis, the
// last axis first: `ZeroPad2d([left, right, top, bottom])`. A negative number takes elements away.

/// Padding of `axes` axes as the layers take it: two numbers for each.
private func ends(_ padding: some PerAxis, _ axes: Int, _ layer: String) -> [Int] {
  let ends = padding.perAxis(2 * axes)
  let fits = check(ends != nil, .value, layer, "padding \(padding) is not one number or \(2 * axes)")
  return fits ? ends! : [Int](repeating: 0, count: 2 * axes)
}

/// Zeros around `[N, C, W]` or `[C, W]`.
public final class ZeroPad1d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 1, "ZeroPad1d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding) }
  public override var arguments: String { "padding: \(padding)" }
}

/// Zeros around `[N, C, H, W]` or `[C, H, W]`.
public final class ZeroPad2d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 2, "ZeroPad2d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding) }
  public override var arguments: String { "padding: \(padding)" }
}

/// Zeros around `[N, C, D, H, W]` or `[C, D, H, W]`.
public final class ZeroPad3d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 3, "ZeroPad3d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding) }
  public override var arguments: String { "padding: \(padding)" }
}

/// One number around `[N, C, W]` or `[C, W]`.
public final class ConstantPad1d: Module, Layer {
  public let padding: [Int]
  public let value: Double

  public init(_ padding: some PerAxis, value: Double) {
    self.padding = ends(padding, 1, "ConstantPad1d")
    self.value = value
  }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, value: value) }
  public override var arguments: String { "padding: \(padding), value: \(value)" }
}

/// One number around `[N, C, H, W]` or `[C, H, W]`.
public final class ConstantPad2d: Module, Layer {
  public let padding: [Int]
  public let value: Double

  public init(_ padding: some PerAxis, value: Double) {
    self.padding = ends(padding, 2, "ConstantPad2d")
    self.value = value
  }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, value: value) }
  public override var arguments: String { "padding: \(padding), value: \(value)" }
}

/// One number around `[N, C, D, H, W]` or `[C, D, H, W]`.
public final class ConstantPad3d: Module, Layer {
  public let padding: [Int]
  public let value: Double

  public init(_ padding: some PerAxis, value: Double) {
    self.padding = ends(padding, 3, "ConstantPad3d")
    self.value = value
  }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, value: value) }
  public override var arguments: String { "padding: \(padding), value: \(value)" }
}

/// The mirror image around `[N, C, W]` or `[C, W]` (`PadMode.reflect`).
public final class ReflectionPad1d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 1, "ReflectionPad1d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .reflect) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The mirror image around `[N, C, H, W]` or `[C, H, W]` (`PadMode.reflect`).
public final class ReflectionPad2d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 2, "ReflectionPad2d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .reflect) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The mirror image around `[N, C, D, H, W]` or `[C, D, H, W]` (`PadMode.reflect`).
public final class ReflectionPad3d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 3, "ReflectionPad3d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .reflect) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The element at the edge repeated around `[N, C, W]` or `[C, W]` (`PadMode.replicate`).
public final class ReplicationPad1d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 1, "ReplicationPad1d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .replicate) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The element at the edge repeated around `[N, C, H, W]` or `[C, H, W]` (`PadMode.replicate`).
public final class ReplicationPad2d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 2, "ReplicationPad2d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .replicate) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The element at the edge repeated around `[N, C, D, H, W]` or `[C, D, H, W]` (`PadMode.replicate`).
public final class ReplicationPad3d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 3, "ReplicationPad3d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .replicate) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The other end around `[N, C, W]` or `[C, W]` (`PadMode.circular`).
public final class CircularPad1d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 1, "CircularPad1d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .circular) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The other end around `[N, C, H, W]` or `[C, H, W]` (`PadMode.circular`).
public final class CircularPad2d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 2, "CircularPad2d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .circular) }
  public override var arguments: String { "padding: \(padding)" }
}

/// The other end around `[N, C, D, H, W]` or `[C, D, H, W]` (`PadMode.circular`).
public final class CircularPad3d: Module, Layer {
  public let padding: [Int]

  public init(_ padding: some PerAxis) { self.padding = ends(padding, 3, "CircularPad3d") }
  public func forward(_ x: Tensor) -> Tensor { pad(x, padding, mode: .circular) }
  public override var arguments: String { "padding: \(padding)" }
}
