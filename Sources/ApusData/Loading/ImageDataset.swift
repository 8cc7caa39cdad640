import ApusCore

/// Pictures with one label each, held as bytes.
///
/// Bytes become numbers when a batch is made, a whole batch in one pass: a quarter of the memory of floats, and no work per sample.
public struct ImageDataset: Dataset {
  public let pixels: [UInt8]  // [count, channels, height, width]
  public let labels: [Int]  // [count], each in 0..<classNames.count
  /// Of one picture: `[channels, height, width]`.
  public let shape: Shape
  public let classNames: [String]
  // One number per channel: a byte x becomes x · scale + shift.
  private var scale: [Float]
  private var shift: [Float]

  /// - Parameter pixels: `labels.count` pictures, row-major.
  /// - Parameter shape: of one picture: `[channels, height, width]`.
  /// - Throws: `DataError` where a label is no class, or the pixels don't make as many pictures as there are labels.
  public init(pixels: [UInt8], labels: [Int], shape: Shape, classNames: [String]) throws(DataError) {
    try self.init(pixels: pixels, labels: labels, shape: shape, classNames: classNames, path: "labels")
  }

  package init(pixels: [UInt8], labels: [Int], shape: Shape, classNames: [String], path: String) throws(DataError) {
    guard shape.rank == 3, shape.elementCount > 0, pixels.count == labels.count * shape.elementCount else {
      throw DataError(
        .labels, path: path, "\(labels.count) labels for \(pixels.count) bytes of pictures of shape \(shape)",
        advice: "give each picture one label")
    }
    if let i = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
      throw DataError(
        .labels, path: path, "label \(i) is \(labels[i]), out of range: the classes are 0...\(classNames.count - 1)",
        advice: DataError.replaceAdvice)
    }
    self.init(checked: pixels, labels: labels, shape: shape, classNames: classNames)
  }

  init(checked pixels: [UInt8], labels: [Int], shape: Shape, classNames: [String]) {
    self.pixels = pixels
    self.labels = labels
    self.shape = shape
    self.classNames = classNames
    scale = [Float](repeating: 1 / 255, count: shape[0])
    shift = [Float](repeating: 0, count: shape[0])
  }

  /// The same pictures with `(x − mean) / std` in place of each x of 0...1: one number per channel, or one for all.
  public func normalized(mean: [Float], std: [Float]) -> ImageDataset {
    let channels = shape[0]
    func perChannel(_ values: [Float]) -> [Float] {
      values.count == 1 ? [Float](repeating: values[0], count: channels) : values
    }
    let (mean, std) = (perChannel(mean), perChannel(std))
    guard
      check(
        mean.count == channels && std.count == channels && std.allSatisfy { $0 > 0 }, .value, "normalized",
        "mean \(mean) and std \(std) for \(channels) channels: one number each, std above 0")
    else { return self }
    var copy = self
    copy.scale = std.map { 1 / (255 * $0) }
    copy.shift = zip(mean, std).map { -$0 / $1 }
    return copy
  }

  public var count: Int { labels.count }

  /// Picture `index`, float32 `[channels, height, width]`, and its label, int64 `[]`.
  public subscript(index: Int) -> Example {
    let batch = batch(at: [index])
    return Example(input: batch.input.squeeze(dim: 0), target: batch.target.squeeze(dim: 0))
  }

  /// Pictures, float32 `[batch, channels, height, width]`, and labels, int64 `[batch]`.
  public func batch(at indices: [Int]) -> Batch {
    guard
      check(indices.allSatisfy(labels.indices.contains), .index, "ImageDataset", "a sample of \(indices) isn't in 0..<\(count)")
    else {
      return Batch(input: .invalid, target: .invalid)
    }
    let sizes = Dims([indices.count] + Array(shape))
    let data = TensorData.uninitialized(sizes, .float32, for: "ImageDataset")
    if data.isValid { convert(indices, to: data.base.assumingMemoryBound(to: Float.self)) }
    return Batch(input: Tensor(data), target: Tensor(scalars: indices.map { labels[$0] }, shape: [indices.count]))
  }

  private func convert(_ indices: [Int], to output: UnsafeMutablePointer<Float>) {
    let size = shape.elementCount
    let plane = size / scale.count
    pixels.withUnsafeBufferPointer { pixels in
      for (i, index) in indices.enumerated() {
        for channel in scale.indices {
          let (a, b) = (scale[channel], shift[channel])
          let from = pixels.baseAddress! + (index * size + channel * plane)
          let to = output + (i * size + channel * plane)
          for k in 0..<plane { to[k] = Float(from[k]) * a + b }
        }
      }
    }
  }
}
