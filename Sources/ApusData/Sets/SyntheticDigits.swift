import ApusCore

/// Pictures of digits, drawn by a program: the built-in data set, in the shape of MNIST, for trying things without a network.
///
/// Each picture takes one way to write its digit (`DigitStrokes`), moves the points, slants, stretches, turns and shifts the whole,
/// draws it with a pen of random width and adds noise. A linear classifier reaches about nine in ten, a small network
/// considerably more: the README of this target has the figures.
public enum SyntheticDigits {
  /// `count` pictures of 28×28 with their labels, ten classes in equal numbers (up to a rest).
  ///
  /// Picture `i` depends on (seed, split, i) only: a longer set begins with the shorter, and the two splits share nothing. Drawn on all
  /// threads.
  public static func load(_ split: Split, count: Int, seed: UInt64 = 0) -> ImageDataset {
    let (pixels, labels) = draw(split, count: count, seed: seed)
    return ImageDataset(
      checked: pixels, labels: labels.map(Int.init), shape: [1, StrokeCanvas.side, StrokeCanvas.side],
      classNames: (0..<10).map(String.init))
  }

  package static func draw(_ split: Split, count: Int, seed: UInt64) -> (pixels: [UInt8], labels: [UInt8]) {
    guard count > 0 else { return ([], []) }
    let size = StrokeCanvas.pixelCount
    let key = split == .train ? seed : ~seed
    var labels = [UInt8](repeating: 0, count: count)
    let pixels = [UInt8](unsafeUninitializedCapacity: count * size) { pixels, initialized in
      labels.withUnsafeMutableBufferPointer { labels in
        // Threads write to different pictures.
        nonisolated(unsafe) let (pixels, labels) = (pixels, labels)
        ThreadPool.shared.forEachChunk(of: count, grain: 64) { range in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
            for i in range {
              let digit = Self.digit(at: i, seed: key)
              labels[i] = UInt8(digit)
              var random = RandomBits(key, UInt64(i), 1)
              draw(digit, &random, scratch, into: UnsafeMutableBufferPointer(rebasing: pixels[i * size..<(i + 1) * size]))
            }
          }
        }
      }
      initialized = count * size
    }
    return (pixels, labels)
  }

  /// Ten pictures in a row are ten digits in random order.
  private static func digit(at index: Int, seed: UInt64) -> Int {
    var random = RandomBits(seed, UInt64(index / 10), 0)
    var order: SIMD16<UInt8> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0]
    for i in stride(from: 9, to: 0, by: -1) {
      let j = Int(random.next(below: UInt64(i + 1)))
      (order[i], order[j]) = (order[j], order[i])
    }
    return Int(order[index % 10])
  }

  private static func draw(
    _ digit: Int, _ random: inout RandomBits, _ scratch: UnsafeMutableBufferPointer<Float>,
    into pixels: UnsafeMutableBufferPointer<UInt8>
  ) {
    let variants = DigitStrokes.variants[digit]
    let strokes = variants[Int(random.next(below: UInt64(variants.count)))]
    let hand = Hand(&random)
    let canvas = StrokeCanvas(scratch)
    for stroke in strokes {
      switch stroke {
      case .line(let points): draw(points, curved: false, hand, &random, canvas)
      case .curve(let points): draw(points, curved: true, hand, &random, canvas)
      }
    }
    for i in 0..<StrokeCanvas.pixelCount {
      let ink = hand.ink * canvas.coverage(i, radius: hand.penRadius)
      let value = ink + hand.noise * random.bell()
      pixels[i] = UInt8(min(max(value, 0), 1) * 255 + 0.5)
    }
  }

  private static func draw(
    _ points: [SIMD2<Float>], curved: Bool, _ hand: Hand, _ random: inout RandomBits, _ canvas: StrokeCanvas
  ) {
    withUnsafeTemporaryAllocation(of: SIMD2<Float>.self, capacity: points.count) { placed in
      for i in points.indices { placed.initializeElement(at: i, to: hand.place(points[i], &random)) }
      let reach = hand.penRadius + 0.5
      for i in 1..<points.count {
        guard curved else {
          canvas.draw(from: placed[i - 1], to: placed[i], reach: reach)
          continue
        }
        // Catmull-Rom: the curve through four neighbours, cut into straight pieces.
        let (p0, p1, p2, p3) = (placed[max(i - 2, 0)], placed[i - 1], placed[i], placed[min(i + 1, points.count - 1)])
        let linear = p2 - p0
        let square = 2 * p0 - 5 * p1 + 4 * p2 - p3
        let cubic = 3 * (p1 - p2) + p3 - p0
        var from = p1
        for step in 1...4 {
          let t = Float(step) / 4
          let to = p1 + 0.5 * t * (linear + t * (square + t * cubic))
          canvas.draw(from: from, to: to, reach: reach)
          from = to
        }
      }
    }
  }
}

/// The hand that writes one picture: where the unit square goes, and with which pen.
private struct Hand {
  private let columns: (SIMD2<Float>, SIMD2<Float>)
  private let centre: SIMD2<Float>
  private let wobble: Float
  let penRadius: Float
  let ink: Float
  let noise: Float

  init(_ random: inout RandomBits) {
    let height = random.uniform(14...22)
    let width = height * random.uniform(0.5...0.95)
    let slant = 0.22 * random.bell()
    let angle = 0.14 * random.bell()
    // Rotation by a small angle; a series is the same on every machine, a library's sine may not be.
    let cosine = 1 - angle * angle / 2 + angle * angle * angle * angle / 24
    let sine = angle - angle * angle * angle / 6 + angle * angle * angle * angle * angle / 120
    let across: SIMD2<Float> = [width, 0]
    let down: SIMD2<Float> = [-slant * height, height]
    func turn(_ v: SIMD2<Float>) -> SIMD2<Float> { [cosine * v.x - sine * v.y, sine * v.x + cosine * v.y] }
    columns = (turn(across), turn(down))
    centre = [14 + 1.2 * random.bell(), 14 + 1.2 * random.bell()]
    wobble = random.uniform(0.01...0.05)
    penRadius = random.uniform(0.7...1.8)
    ink = random.uniform(0.7...1)
    noise = random.uniform(0...0.12)
  }

  /// Where `point` of the unit square goes in the picture.
  func place(_ point: SIMD2<Float>, _ random: inout RandomBits) -> SIMD2<Float> {
    let p = point - 0.5 + wobble * SIMD2(random.bell(), random.bell())
    return centre + p.x * columns.0 + p.y * columns.1
  }
}
