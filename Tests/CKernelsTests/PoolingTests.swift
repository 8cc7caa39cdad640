import CKernels
import Testing

@Suite("pooling kernels")
struct PoolingTests {
  /// A window with everything that a reference needs to know.
  private struct Window {
    var sizes: [Int]
    var kernel: [Int]
    var stride: [Int]
    var padding: [Int]
    var dilation: [Int]

    var output: [Int] {
      (0..<3).map { (sizes[$0] + 2 * padding[$0] - dilation[$0] * (kernel[$0] - 1) - 1) / stride[$0] + 1 }
    }

    func make(countsPadding: Bool) -> apus_pool_window {
      let triple = { (x: [Int]) in (x[0], x[1], x[2]) }
      return apus_pool_window(
        input: triple(sizes), output: triple(output), kernel: triple(kernel), stride: triple(stride), padding: triple(padding),
        dilation: triple(dilation), divisor: 0, count_padding: countsPadding)
    }

    /// For each output the pixels of its taps, and how many taps lie in the input or the padding.
    var taps: [(pixels: [Int], all: Int)] {
      positions(output).map { o in
        let axes = (0..<3).map { axis in
          (0..<kernel[axis]).map { o[axis] * stride[axis] - padding[axis] + $0 * dilation[axis] }
        }
        var (pixels, all) = ([Int](), 0)
        for z in axes[0] {
          for y in axes[1] {
            for x in axes[2] {
              let place = [z, y, x]
              if (0..<3).allSatisfy({ place[$0] < sizes[$0] + padding[$0] }) { all += 1 }
              if (0..<3).allSatisfy({ 0 <= place[$0] && place[$0] < sizes[$0] }) {
                pixels.append((z * sizes[1] + y) * sizes[2] + x)
              }
            }
          }
        }
        return (pixels, all)
      }
    }

    private func positions(_ n: [Int]) -> [[Int]] {
      (0..<n[0] * n[1] * n[2]).map { [$0 / (n[1] * n[2]), $0 / n[2] % n[1], $0 % n[2]] }
    }
  }

  private static let windows: [Window] = [
    Window(sizes: [1, 6, 70], kernel: [1, 2, 2], stride: [1, 2, 2], padding: [0, 0, 0], dilation: [1, 1, 1]),
    Window(sizes: [1, 7, 29], kernel: [1, 2, 2], stride: [1, 2, 2], padding: [0, 0, 0], dilation: [1, 1, 1]),
    Window(sizes: [1, 7, 43], kernel: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1], dilation: [1, 1, 1]),
    Window(sizes: [1, 5, 38], kernel: [1, 3, 3], stride: [1, 1, 1], padding: [0, 1, 1], dilation: [1, 1, 1]),
    Window(sizes: [1, 9, 20], kernel: [1, 2, 3], stride: [1, 3, 1], padding: [0, 1, 1], dilation: [1, 2, 3]),
    Window(sizes: [4, 5, 13], kernel: [2, 3, 2], stride: [2, 1, 2], padding: [1, 0, 1], dilation: [1, 1, 1]),
    Window(sizes: [2, 3, 4], kernel: [2, 3, 4], stride: [1, 1, 5], padding: [0, 0, 0], dilation: [1, 1, 1]),
  ]

  @Test("agree with a plain loop on every instruction set, for planes and channels", arguments: apus_isa.available)
  func reference(isa: apus_isa) {
    for window in Self.windows {
      for channels in [1, 3, 21, 70] {
        run(isa, APUS_F32, Float.self, window, channels, tolerance: 1e-6)
        run(isa, APUS_F64, Double.self, window, channels, tolerance: 1e-14)
      }
    }
  }

  /// Numbers of which many are equal, some infinite and some not a number.
  private func numbers<T: BinaryFloatingPoint & BitwiseCopyable>(_ count: Int, _ type: T.Type) -> [T] {
    (0..<count).map { i in
      let n = (i &* 7919 &+ 13) % 101
      return n == 0 ? .nan : n == 1 ? .infinity : n == 2 ? -.infinity : T(n % 17) - 8
    }
  }

  private func run<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ isa: apus_isa, _ dtype: apus_dtype, _ type: T.Type, _ window: Window, _ channels: Int, tolerance: T
  ) {
    let taps = window.taps
    let x = numbers(window.sizes.reduce(1, *) * channels, type)
    var w = window.make(countsPadding: channels % 2 == 0)
    var (y, places) = ([T](repeating: 0, count: taps.count * channels), [Int32](repeating: -1, count: taps.count * channels))
    var plain = y
    let rows = window.output[0] * window.output[1]
    apus_max_pool(isa, dtype)!(&w, 0, rows, channels, channels, x, &y, &places)
    apus_max_pool(isa, dtype)!(&w, 0, rows, channels, channels, x, &plain, nil)
    let finite = x.map { $0.isFinite ? $0 : 0.5 }
    var mean = y
    apus_avg_pool(isa, dtype)!(&w, 0, rows, channels, channels, finite, &mean)
    var (dxMax, dxMean) = ([T](repeating: 9, count: x.count), [T](repeating: 9, count: x.count))
    var (expectedMax, expectedMean) = ([T](repeating: 0, count: x.count), [T](repeating: 0, count: x.count))
    let dy = (0..<y.count).map { T($0 % 11) - 5 }
    apus_max_pool_backward(isa, dtype)!(&w, channels, channels, dy, places, &dxMax)
    apus_avg_pool_backward(isa, dtype)!(&w, channels, channels, dy, &dxMean)
    for (o, tap) in taps.enumerated() {
      for c in 0..<channels {
        let i = o * channels + c
        var best = tap.pixels[0]
        for pixel in tap.pixels where x[pixel * channels + c] > x[best * channels + c] || x[pixel * channels + c].isNaN {
          best = pixel
        }
        let greatest = x[best * channels + c]
        #expect(Int(places[i]) == best && (y[i] == greatest || greatest.isNaN && y[i].isNaN), "\(isa) \(window) \(o) \(c)")
        #expect(plain[i] == y[i] || plain[i].isNaN && y[i].isNaN)
        expectedMax[best * channels + c] += dy[i]
        let divisor = T(w.count_padding ? tap.all : tap.pixels.count)
        let sum = tap.pixels.reduce(T(0)) { $0 + finite[$1 * channels + c] }
        #expect(abs(mean[i] - sum / divisor) <= 8 * tolerance, "\(isa) \(window) \(o) \(c)")
        for pixel in tap.pixels { expectedMean[pixel * channels + c] += dy[i] / divisor }
      }
    }
    #expect(zip(dxMax, expectedMax).allSatisfy { abs($0 - $1) <= 64 * tolerance }, "\(isa) \(window)")
    #expect(zip(dxMean, expectedMean).allSatisfy { abs($0 - $1) <= 64 * tolerance }, "\(isa) \(window)")
  }

  @Test("sparse rows agree with a plain loop on every instruction set", arguments: apus_isa.available)
  func sparseRows(isa: apus_isa) {
    let starts: [Int32] = [0, 2, 2, 5, 6]
    let (columns, weights): ([Int32], [Double]) = ([1, 0, 2, 2, 1, 0], [0.5, -2, 1, 0.25, 3, -1])
    for width in [1, 2, 19, 40] {
      let x = (0..<3 * width).map { Float($0 % 13) - 6 }
      var y = [Float](repeating: 9, count: 3 * width)
      apus_sparse_rows(isa, APUS_F32)!(1, 3, width, starts, columns, weights, x, &y)
      for row in 1...3 {
        for i in 0..<width {
          let sum = (Int(starts[row])..<Int(starts[row + 1])).reduce(0.0) {
            $0 + weights[$1] * Double(x[Int(columns[$1]) * width + i])
          }
          #expect(abs(Double(y[(row - 1) * width + i]) - sum) < 1e-5)
        }
      }
    }
  }
}
