import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Small sets for trying things, made by formulas: points in the plane and a curve.
public enum ToySets {
  /// Spirals that start at the middle, one per class: what no straight line can part.
  ///
  /// - Parameter count: points; the classes take turns.
  /// - Parameter noise: standard deviation of what is added to the angle, in radians.
  /// - Returns: inputs, float32 `[count, 2]`, and labels, int64 `[count]`.
  public static func spiral(_ count: Int, classes: Int = 3, noise: Double = 0.2, seed: UInt64 = 0) -> TensorDataset {
    guard check(count >= 0 && classes > 0, .value, "spiral", "\(count) points of \(classes) classes") else {
      return TensorDataset(input: .zeros([0, 2]), target: .zeros([0], dtype: .int64))
    }
    var random = RandomBits(seed, 0x7370)
    let perClass = max((count + classes - 1) / classes - 1, 1)
    let points = (0..<count).flatMap { i -> [Float] in
      let radius = Double(i / classes) / Double(perClass)
      // A spiral makes two thirds of a turn.
      let angle: Double = 2 * .pi * Double(i % classes) / Double(classes) + 4 * radius + noise * Double(random.bell())
      return [Float(radius * cos(angle)), Float(radius * sin(angle))]
    }
    return TensorDataset(
      input: Tensor(scalars: points, shape: [count, 2]), target: Tensor(scalars: (0..<count).map { $0 % classes }, shape: [count])
    )
  }

  /// Two half circles that reach into each other; the classes take turns.
  ///
  /// - Parameter noise: standard deviation of what is added to each coordinate.
  /// - Returns: inputs, float32 `[count, 2]`, and labels, int64 `[count]`.
  public static func moons(_ count: Int, noise: Double = 0.1, seed: UInt64 = 0) -> TensorDataset {
    guard check(count >= 0, .value, "moons", "\(count) points") else {
      return TensorDataset(input: .zeros([0, 2]), target: .zeros([0], dtype: .int64))
    }
    var random = RandomBits(seed, 0x6D6F)
    let perClass = max((count + 1) / 2 - 1, 1)
    let points = (0..<count).flatMap { i -> [Float] in
      let angle: Double = .pi * Double(i / 2) / Double(perClass)
      let (x, y) = i % 2 == 0 ? (cos(angle), sin(angle)) : (1 - cos(angle), 0.5 - sin(angle))
      return [Float(x + noise * Double(random.bell())), Float(y + noise * Double(random.bell()))]
    }
    return TensorDataset(
      input: Tensor(scalars: points, shape: [count, 2]), target: Tensor(scalars: (0..<count).map { $0 % 2 }, shape: [count]))
  }

  /// A sine wave with noise: one number in, one out.
  ///
  /// - Parameter periods: that lie between −1 and 1, where inputs are evenly spaced.
  /// - Parameter noise: standard deviation of what is added to the outputs.
  /// - Returns: inputs and outputs, float32 `[count, 1]` each.
  public static func sine(_ count: Int, periods: Double = 1, noise: Double = 0.1, seed: UInt64 = 0) -> TensorDataset {
    guard check(count >= 0, .value, "sine", "\(count) points") else {
      return TensorDataset(input: .zeros([0, 1]), target: .zeros([0, 1]))
    }
    var random = RandomBits(seed, 0x7369)
    let x = (0..<count).map { 2 * Double($0) / Double(max(count - 1, 1)) - 1 }
    let y = x.map { sin(.pi * periods * $0) + noise * Double(random.bell()) }
    return TensorDataset(
      input: Tensor(scalars: x, shape: [count, 1]), target: Tensor(scalars: y, shape: [count, 1]))
  }
}
