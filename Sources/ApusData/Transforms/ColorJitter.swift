import ApusCore

/// Changes brightness, contrast, saturation and hue of each picture by random factors, in a random order.
///
/// Takes float32 pictures of 0...1, `[N, 3, H, W]`, and keeps them there. torchvision's rules: brightness mixes with black, contrast with the
/// picture's mean grey, saturation with its grey picture; hue turns the circle of colours.
public struct ColorJitter: ImageTransform {
  public let brightness: ClosedRange<Double>
  public let contrast: ClosedRange<Double>
  public let saturation: ClosedRange<Double>
  /// In turns of the circle of colours, within −0.5...0.5.
  public let hue: ClosedRange<Double>

  /// - Parameter brightness: factors of 1 − x … 1 + x, none below 0; 0 leaves it as it is.
  /// - Parameter contrast: likewise.
  /// - Parameter saturation: likewise.
  /// - Parameter hue: turns of −x … x; at most 0.5.
  public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
    let isFine = check(
      [brightness, contrast, saturation, hue].allSatisfy { $0 >= 0 } && hue <= 0.5, .value, "ColorJitter",
      "brightness \(brightness), contrast \(contrast), saturation \(saturation), hue \(hue): none below 0, hue at most 0.5")
    func around(_ x: Double) -> ClosedRange<Double> { isFine ? max(1 - x, 0)...(1 + x) : 1...1 }
    self.brightness = around(brightness)
    self.contrast = around(contrast)
    self.saturation = around(saturation)
    self.hue = isFine ? -hue...hue : 0...0
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "ColorJitter"),
      check(sizes.channels == 3, .shape, "ColorJitter", "\(images.shape) where coloured pictures [N, 3, H, W] are due")
    else { return .invalid }
    let plans = (0..<sizes.count).map { _ in plan(generator) }
    return images.mappedPictures(
      "ColorJitter",
      floats: { sizes, x, _, y in
        y.update(from: x, count: sizes.count * 3 * sizes.plane)
        for (i, plan) in plans.enumerated() {
          let picture = ColorPlanes(start: y + i * 3 * sizes.plane, count: sizes.plane)
          for change in plan { change.apply(to: picture) }
        }
      })
  }

  /// The changes to one picture, in random order; those that change nothing are left out.
  private func plan(_ generator: Generator) -> [ColorChange] {
    var changes: [ColorChange] = [
      .brightness(Float(generator.uniform(brightness))), .contrast(Float(generator.uniform(contrast))),
      .saturation(Float(generator.uniform(saturation))), .hue(Float(generator.uniform(hue))),
    ]
    for i in [3, 2, 1] { changes.swapAt(i, generator.integer(below: i + 1)) }
    return changes.filter { !$0.isIdentity }
  }
}

/// One change of a picture's colours.
enum ColorChange: Equatable {
  case brightness(Float)
  case contrast(Float)
  case saturation(Float)
  case hue(Float)

  var isIdentity: Bool {
    switch self {
    case .brightness(let factor), .contrast(let factor), .saturation(let factor): factor == 1
    case .hue(let turn): turn == 0
    }
  }

  func apply(to picture: ColorPlanes) {
    switch self {
    case .brightness(let factor): picture.blend(factor, with: { _ in 0 })
    case .contrast(let factor):
      let mean = picture.meanGrey
      picture.blend(factor, with: { _ in mean })
    case .saturation(let factor): picture.blend(factor, with: { $0 })
    case .hue(let turn): picture.turnHue(turn)
    }
  }
}

/// The three planes of one picture: red, green, blue.
struct ColorPlanes {
  let start: UnsafeMutablePointer<Float>
  /// Pixels.
  let count: Int

  @inline(__always)
  private func grey(_ i: Int) -> Float { 0.2989 * start[i] + 0.587 * start[count + i] + 0.114 * start[2 * count + i] }

  var meanGrey: Float {
    var sum: Double = 0
    for i in 0..<count { sum += Double(grey(i)) }
    return Float(sum / Double(max(count, 1)))
  }

  /// `factor · x + (1 − factor) · other`, cut to 0...1, where `other` is a function of the pixel's grey.
  @inline(__always)
  func blend(_ factor: Float, with other: (Float) -> Float) {
    for i in 0..<count {
      let rest = (1 - factor) * other(grey(i))
      for k in 0..<3 { start[k * count + i] = min(max(factor * start[k * count + i] + rest, 0), 1) }
    }
  }

  func turnHue(_ turn: Float) {
    for i in 0..<count {
      let (r, g, b) = (start[i], start[count + i], start[2 * count + i])
      (start[i], start[count + i], start[2 * count + i]) = turned(r, g, b, by: turn)
    }
  }
}

/// A colour with its hue turned: to hue, saturation and value, and back (Smith, 1978).
@inline(__always)
private func turned(_ r: Float, _ g: Float, _ b: Float, by turn: Float) -> (Float, Float, Float) {
  let (high, low) = (max(r, g, b), min(r, g, b))
  let span = high - low
  guard span > 0 else { return (r, g, b) }
  // In sixths of the circle, from red.
  let sixths: Float = high == r ? (g - b) / span : high == g ? 2 + (b - r) / span : 4 + (r - g) / span
  var hue = sixths / 6 + turn
  hue -= hue.rounded(.down)
  func channel(_ n: Float) -> Float {
    // Each channel is full for a third of the circle, empty for another, with ramps between.
    let turned = n + hue * 6
    let k = turned >= 6 ? turned - 6 : turned
    return high - span * max(0, min(k, 4 - k, 1))
  }
  return (channel(5), channel(3), channel(1))
}

/// Turns the hue of `count` pixels, which lie as three planes: for tests.
package func turnHue(_ planes: UnsafeMutablePointer<Float>, count: Int, by turn: Float) {
  ColorPlanes(start: planes, count: count).turnHue(turn)
}
