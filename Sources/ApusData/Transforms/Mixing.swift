import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Mixes each sample with its neighbour in the batch: `λ x + (1 − λ) x'`, targets too, with one λ of Beta(α, α) for the batch (Zhang et al.:
/// mixup, 2018).
///
/// Labels become probabilities of classes, float32 `[N, classes]`, which cross-entropy takes as they are.
public struct MixUp: Transform {
  public let classCount: Int
  public let alpha: Double

  public init(classCount: Int, alpha: Double = 1) {
    let isFine = isMixing(classCount, alpha, "MixUp")
    self.classCount = isFine ? classCount : 1
    self.alpha = isFine ? alpha : 1
  }

  public func apply(_ batch: Batch, _ generator: Generator) -> Batch {
    guard let target = probabilities(batch.target, classCount, "MixUp") else {
      return Batch(input: .invalid, target: .invalid)
    }
    let share = generator.beta(alpha)
    return Batch(
      input: mixed(batch.input, neighbours(batch.input), share), target: mixed(target, neighbours(target), share))
  }
}

/// Replaces a random rectangle of each picture by the same one of its neighbour in the batch; targets are mixed by area (Yun et al.: CutMix,
/// 2019).
///
/// Labels become probabilities of classes, float32 `[N, classes]`, which cross-entropy takes as they are.
public struct CutMix: Transform {
  public let classCount: Int
  public let alpha: Double

  public init(classCount: Int, alpha: Double = 1) {
    let isFine = isMixing(classCount, alpha, "CutMix")
    self.classCount = isFine ? classCount : 1
    self.alpha = isFine ? alpha : 1
  }

  public func apply(_ batch: Batch, _ generator: Generator) -> Batch {
    guard let sizes = batch.input.pictureSizes(for: "CutMix"),
      let target = probabilities(batch.target, classCount, "CutMix"), sizes.plane > 0
    else { return Batch(input: .invalid, target: .invalid) }
    let box = box(sizes, share: generator.beta(alpha), generator)
    let kept: Double = 1 - Double(box.area) / Double(sizes.plane)
    let input = batch.input.mappedPictures(
      "CutMix", floats: { sizes, x, _, y in exchange(sizes, x, y, box) }, bytes: { sizes, x, _, y in exchange(sizes, x, y, box) })
    return Batch(input: input, target: mixed(target, neighbours(target), kept))
  }

  /// A rectangle with the picture's proportions and 1 − `share` of its area around a random pixel, cut at the edges.
  private func box(_ sizes: PictureSizes, share: Double, _ generator: Generator) -> Box {
    let (x, y) = (generator.integer(below: sizes.width), generator.integer(below: sizes.height))
    let half: Double = 0.5 * (1 - share).squareRoot()
    let (halfWidth, halfHeight) = (Int(half * Double(sizes.width)), Int(half * Double(sizes.height)))
    return Box(
      rows: max(y - halfHeight, 0)..<min(y + halfHeight, sizes.height),
      columns: max(x - halfWidth, 0)..<min(x + halfWidth, sizes.width))
  }
}

private func isMixing(_ classCount: Int, _ alpha: Double, _ name: String) -> Bool {
  check(classCount > 0 && alpha > 0, .value, name, "\(classCount) classes, alpha \(alpha): both above 0")
}

/// Labels as float32 `[N, classes]`; what has that shape already stays. Nil after a reported mistake.
private func probabilities(_ target: Tensor, _ classCount: Int, _ name: String) -> Tensor? {
  guard target.isValid else { return nil }
  if target.rank == 2, target.shape[1] == classCount, target.dtype.isFloatingPoint { return target }
  let labels = target.dtype == .int64 && target.rank == 1 ? target.scalars(as: Int.self) : []
  guard
    check(
      target.rank == 1 && target.dtype == .int64 && labels.allSatisfy { $0 >= 0 && $0 < classCount }, .value, name,
      "target \(target.dtype) \(target.shape): int64 labels [N] of 0..<\(classCount), or probabilities [N, \(classCount)], are due"
    )
  else { return nil }
  var values = [Float](repeating: 0, count: labels.count * classCount)
  for (i, label) in labels.enumerated() { values[i * classCount + label] = 1 }
  return Tensor(scalars: values, shape: [labels.count, classCount])
}

/// Each sample's predecessor: the last one comes first.
private func neighbours(_ x: Tensor) -> Tensor {
  let count = x.isValid ? x.shape[0] : 0
  let order = (0..<count).map { ($0 + count - 1) % count }
  return x.indexSelect(dim: 0, index: Tensor(scalars: order, shape: [count]))
}

private func mixed(_ x: Tensor, _ other: Tensor, _ share: Double) -> Tensor { x * share + other * (1 - share) }

/// Copies all pictures but the rectangle, which comes from the picture before.
@inline(__always)
private func exchange<T: PictureElement>(_ sizes: PictureSizes, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ box: Box) {
  let size = sizes.channels * sizes.plane
  y.update(from: x, count: sizes.count * size)
  for i in 0..<sizes.count {
    let (to, from) = (y + i * size, x + (i + sizes.count - 1) % sizes.count * size)
    for channel in 0..<sizes.channels {
      for row in box.rows {
        let start = channel * sizes.plane + row * sizes.width + box.columns.lowerBound
        (to + start).update(from: from + start, count: box.columns.count)
      }
    }
  }
}

extension Generator {
  /// A number from Beta(α, α), as the share of one of two numbers from Gamma(α).
  func beta(_ alpha: Double) -> Double {
    let (x, y) = (gamma(alpha), gamma(alpha))
    return x + y > 0 ? x / (x + y) : uniform() < 0.5 ? 0 : 1
  }

  /// A number from the gamma distribution with scale 1 (Marsaglia, Tsang: A simple method for generating gamma variables, 2000).
  func gamma(_ shape: Double) -> Double {
    if shape < 1 { return gamma(shape + 1) * pow(1 - uniform(), 1 / shape) }
    let d: Double = shape - 1.0 / 3
    let c: Double = 1 / (9 * d).squareRoot()
    while true {
      // Box and Muller.
      let x: Double = (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
      let v: Double = pow(1 + c * x, 3)
      if v > 0, log(1 - uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
