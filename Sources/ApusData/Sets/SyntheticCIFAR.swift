import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Colour pictures in the shape of CIFAR-10, made by a program: for trying things and measuring speed without the files.
///
/// Each class is a pattern of its own (stripes in five directions and widths, rings, checks, a disc, a gradient, a cross), in random colours,
/// phases and sizes, with noise. Picture i depends on (seed, split, i) alone.
public enum SyntheticCIFAR {
  private static let side = 32

  /// `count` pictures of 3×32×32 with their labels, ten classes that take turns. Drawn on all threads.
  public static func load(_ split: Split, count: Int, seed: UInt64 = 0) -> ImageDataset {
    let count = max(count, 0)
    let size = 3 * side * side
    let key = split == .train ? seed : ~seed
    let pixels = [UInt8](unsafeUninitializedCapacity: max(count, 1) * size) { buffer, initialized in
      // Threads write to different pictures.
      nonisolated(unsafe) let buffer = buffer
      ThreadPool.shared.forEachChunk(of: count, grain: 64) { range in
        for i in range {
          var random = RandomBits(key, UInt64(i), 2)
          draw(i % 10, &random, buffer.baseAddress! + i * size)
        }
      }
      initialized = count * size
    }
    return ImageDataset(
      checked: pixels, labels: (0..<count).map { $0 % 10 }, shape: [3, side, side],
      classNames: ["—", "/", "|", "\\", "fine", "rings", "checks", "disc", "gradient", "cross"])
  }

  private static func draw(_ label: Int, _ random: inout RandomBits, _ output: UnsafeMutablePointer<UInt8>) {
    let (phase, size) = (random.uniform(0...6.28), random.uniform(0.8...1.25))
    let (x0, y0) = (random.uniform(-5...5), random.uniform(-5...5))
    let colors = (0..<3).map { _ in (random.uniform(20...140), random.uniform(110...235)) }
    for row in 0..<side {
      for column in 0..<side {
        let (x, y) = (Float(column) - 15.5 - x0, Float(row) - 15.5 - y0)
        let level = pattern(label, x / size, y / size, phase)
        for channel in 0..<3 {
          let (dark, light) = colors[channel]
          let value = dark + (light - dark) * level + 18 * random.bell()
          output[(channel * side + row) * side + column] = UInt8(min(max(value, 0), 255))
        }
      }
    }
  }

  /// 0...1 at a place that is measured from the middle.
  private static func pattern(_ label: Int, _ x: Float, _ y: Float, _ phase: Float) -> Float {
    func wave(_ x: Float) -> Float { 0.5 + 0.5 * sin(x + phase) }
    let radius = (x * x + y * y).squareRoot()
    return switch label {
    case 0: wave(0.7 * y)
    case 1: wave(0.5 * (x + y))
    case 2: wave(0.7 * x)
    case 3: wave(0.5 * (x - y))
    case 4: wave(1.5 * x)
    case 5: wave(0.8 * radius)
    case 6: wave(0.6 * x) * wave(0.6 * y)
    case 7: radius < 8 ? 1 : 0
    case 8: min(max(0.5 + 0.03 * (x + y), 0), 1)
    default: abs(x) < 3 || abs(y) < 3 ? 1 : 0
    }
  }
}
