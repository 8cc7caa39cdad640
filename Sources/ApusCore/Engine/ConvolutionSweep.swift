import CKernels

/// Some target pixels along one axis, evenly spaced, and which source pixels each is a sum over: target pixel i of these reads source pixel
/// i · step + offset for every tap.
struct AxisPhase {
  var start = 0  // the first target pixel
  var spacing = 1
  var count: Int
  var step: Int
  var taps: [(offset: Int, kernel: Int)]

  /// Whether the taps read neighbouring source pixels.
  var isRun: Bool { taps.count > 1 && zip(taps, taps.dropFirst()).allSatisfy { $0.offset + 1 == $1.offset } }
}

extension ConvolutionShape {
  /// The same over three spatial axes, the new ones of size 1 in front.
  var overThreeAxes: ConvolutionShape {
    let ones = [Int](repeating: 1, count: 3 - input.count)
    var shape = self
    shape.input = ones + input
    shape.kernel = ones + kernel
    shape.output = ones + output
    shape.stride = ones + stride
    shape.padding = ones.map { _ in 0 } + padding
    shape.dilation = ones + dilation
    return shape
  }

  /// How the pixels of `.output` or `.input` along a spatial axis are sums over pixels of the other, with taps ordered by offset.
  ///
  /// An output pixel o reads input pixels o · stride − padding + k · dilation. Turned around, input pixel i belongs to the output pixels
  /// (i + padding − k · dilation) / stride, where that is whole: which k these are depends on i modulo the stride, so there is a
  /// phase for each remainder, and in a phase a step of one pixel is a step of one output pixel.
  func phases(of part: ConvolutionPart, axis: Int) -> [AxisPhase] {
    let (stride, padding, dilation) = (stride[axis], padding[axis], dilation[axis])
    if part == .output {
      let taps = (0..<kernel[axis]).map { (offset: $0 * dilation - padding, kernel: $0) }
      return [AxisPhase(count: output[axis], step: stride, taps: taps)]
    }
    return (0..<Swift.min(stride, input[axis])).map { remainder in
      let taps = (0..<kernel[axis]).reversed().compactMap { k -> (offset: Int, kernel: Int)? in
        let distance = remainder + padding - k * dilation
        return distance % stride == 0 ? (distance / stride, k) : nil
      }
      let count = (input[axis] - remainder + stride - 1) / stride
      return AxisPhase(start: remainder, spacing: stride, count: count, step: 1, taps: taps)
    }
  }
}

/// One phase along each of the three axes: a grid of target pixels with the same taps.
struct ConvolutionSweep {
  /// Source pixel relative to the target pixel (three numbers for a tap), and the place of the tap's matrix in the weights, in elements.
  private(set) var offsets: [Int] = []
  private(set) var weights: [Int] = []
  private(set) var grid = apus_conv_grid()
  /// Bytes from the target's first pixel to the first of these.
  private(set) var targetStart = 0
  var tapCount: Int { weights.count }
  var pixelCount: Int { grid.count.0 * grid.count.1 * grid.count.2 * grid.count.3 }

  /// - Parameters:
  ///   - kernelStrides: of the weights along the kernel's axes, in elements.
  init(_ phases: [AxisPhase], kernelStrides: [Int], batch: Int, source: PixelImage, target: PixelImage) {
    for d in phases[0].taps {
      for h in phases[1].taps {
        for w in phases[2].taps {
          offsets += [d.offset, h.offset, w.offset + source.margin]
          weights.append(d.kernel * kernelStrides[0] + h.kernel * kernelStrides[1] + w.kernel * kernelStrides[2])
        }
      }
    }
    grid.count = (batch, phases[0].count, phases[1].count, phases[2].count)
    grid.step = (phases[0].step, phases[1].step, phases[2].step)
    grid.size = (source.size[0], source.size[1], source.size[2])
    grid.source = source.strides
    let t = target.strides
    grid.target = (t.0, t.1 * phases[0].spacing, t.2 * phases[1].spacing, t.3 * phases[2].spacing)
    targetStart = t.1 * phases[0].start + t.2 * phases[1].start + t.3 * phases[2].start
  }

  /// Offsets of every `run`-th tap, where runs of taps are read as one.
  func offsets(every run: Int) -> [Int] {
    run == 1 ? offsets : (0..<(tapCount / run)).flatMap { Array(offsets[($0 * run * 3)..<($0 * run * 3 + 3)]) }
  }
}
