import ApusCore
import TestSupport
import Testing

@Suite("resampling")
struct ResamplingTests {
  private static let modes: [String: InterpolationMode] = [
    "nearest": .nearest, "nearest-exact": .nearestExact, "linear": .linear, "bilinear": .bilinear, "trilinear": .trilinear,
    "bicubic": .bicubic, "area": .area,
  ]

  @Test("interpolation agrees with PyTorch")
  func interpolation() throws {
    for golden in try Golden<SpatialCase>.load("interpolate") {
      let size = golden.integers("size").map { $0.count == 1 ? $0[0] as any PerAxis : $0 as any PerAxis }
      let scale = golden.numbers("scale_factor")?.compactMap { $0 }
      let factor = scale.map { $0.count == 1 ? $0[0] as any ScaleFactor : $0 as any ScaleFactor }
      for layout in [{ $0 }, { $0.channelsLast($0.rank - 2) }] as [(Tensor) -> Tensor] {
        golden.check {
          [
            interpolate(
              layout($0[0]), size: size, scaleFactor: factor, mode: Self.modes[golden.text("mode")!]!,
              alignCorners: golden.flag("align_corners"), recomputeScaleFactor: golden.flag("recompute_scale_factor"))
          ]
        }
      }
    }
  }

  @Test("sampling by a grid agrees with PyTorch")
  func grids() throws {
    for golden in try Golden<SpatialCase>.load("gridSample") {
      let align = golden.flag("align_corners")
      if golden.function == "affineGrid" {
        golden.check { [affineGrid($0[0], Shape(golden.integers("size")!), alignCorners: align)] }
        continue
      }
      let mode = GridSampleMode.allCases.first { "\($0)" == golden.text("mode") }!
      let padding = GridPaddingMode.allCases.first { "\($0)" == golden.text("padding") }!
      golden.check { [gridSample($0[0], $0[1], mode: mode, paddingMode: padding, alignCorners: align)] }
    }
  }

  @Test("interpolation agrees with its twin, whatever dtype and layout")
  func twin() {
    for mode in [InterpolationMode.nearest, .nearestExact, .linear, .bicubic] {
      for (dtype, tolerance) in [(DType.float32, 1e-6), (.float64, 1e-14), (.float16, 2e-3), (.bfloat16, 1.6e-2)] {
        let x = samples(mode == .bicubic ? [2, 3, 5, 6] : [2, 3, 5], seed: 1).to(dtype)
        let wide = x.to(dtype == .float64 ? .float64 : .float32)
        let twin =
          x.rank == 3
          ? interpolateTwin(wide, axis: 2, size: 7, mode: mode)
          : interpolateTwin(interpolateTwin(wide, axis: 3, size: 7, mode: mode), axis: 2, size: 7, mode: mode)
        for layout in [x, x.channelsLast(x.rank - 2)] {
          let y = interpolate(layout, size: 7, mode: mode)
          expectClose(y, twin.to(dtype), relative: tolerance, absolute: tolerance, "\(mode) \(dtype)")
          #expect(y.isContiguous == layout.isContiguous)
        }
      }
    }
    let numbers = Tensor([[[1, 2, 3]]])
    expectClose(interpolate(numbers, scaleFactor: 2), Tensor([[[1, 1, 2, 2, 3, 3]]]), relative: 0)
  }

  @Test("has right gradients, first and second order")
  func gradients() throws {
    for mode in InterpolationMode.allCases {
      let shape: Shape = mode == .linear ? [1, 2, 3] : mode == .trilinear ? [1, 1, 2, 2, 3] : [1, 1, 3, 2]
      try gradientCheck([samples(shape, seed: 1)], order: 2) { interpolate($0[0] * $0[0], scaleFactor: 1.6, mode: mode) * 2 }
    }
    for mode in GridSampleMode.allCases {
      for padding in GridPaddingMode.allCases {
        let (x, grid) = (samples([1, 1, 3, 3], seed: 2), samples([1, 2, 2, 2], seed: 3) * 0.8)
        try gradientCheck([x, grid], order: 2) { gridSample($0[0], $0[1], mode: mode, paddingMode: padding) }
      }
    }
    try gradientCheck([samples([1, 2, 2, 2, 2], seed: 4), samples([1, 1, 1, 3, 3], seed: 5) * 0.4], order: 2) {
      gridSample($0[0], $0[1])
    }
    try gradientCheck([samples([2, 2, 3], seed: 6)], order: 2) { affineGrid($0[0] * $0[0], [2, 1, 2, 3]) }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([1, 2, 4, 4])
    expectMistake("interpolate: takes either size or scaleFactor") { _ = interpolate(x) }
    expectMistake("interpolate: takes either size or scaleFactor") { _ = interpolate(x, size: 2, scaleFactor: 2) }
    expectMistake("interpolate: mode linear takes [N, C, …] with 1 axes more, not [1, 2, 4, 4]") {
      _ = interpolate(x, size: 2, mode: .linear)
    }
    expectMistake("interpolate: alignCorners means nothing for mode nearest") { _ = interpolate(x, size: 2, alignCorners: true) }
    expectMistake("interpolate: recomputeScaleFactor means nothing with a size") {
      _ = interpolate(x, size: 2, recomputeScaleFactor: true)
    }
    expectMistake("interpolate: size [1, 2, 3] is not one number or 2") { _ = interpolate(x, size: [1, 2, 3]) }
    expectMistake("interpolate: scaleFactor [2.0] is not one number or 2") { _ = interpolate(x, scaleFactor: [2.0]) }
    expectMistake("interpolate: scaleFactor -1.0 is out of range") { _ = interpolate(x, scaleFactor: -1.0) }
    expectMistake("interpolate: input [1, 2, 4, 4] has no size [0, 0]") { _ = interpolate(x, scaleFactor: 0.1) }
    expectMistake("interpolate: mode bilinear is not defined for int64") {
      _ = interpolate(x.to(.int64), size: 2, mode: .bilinear)
    }
    let grid = Tensor.zeros([1, 3, 3, 2])
    expectMistake("gridSample: grid is float64, the input float32") { _ = gridSample(x, grid.to(.float64)) }
    expectMistake("gridSample: grid [1, 3, 3, 1] for input [1, 2, 4, 4]: it takes [1, …, 2] with 4 axes") {
      _ = gridSample(x, grid.narrow(dim: 3, start: 0, count: 1))
    }
    expectMistake("gridSample: mode bicubic takes [N, C, H, W], not [1, 2, 4, 4, 4]") {
      _ = gridSample(Tensor.zeros([1, 2, 4, 4, 4]), Tensor.zeros([1, 1, 1, 1, 3]), mode: .bicubic)
    }
    expectMistake("affineGrid: theta [1, 2, 3] for size [2, 1, 4, 4]: it takes [2, 2, 3]") {
      _ = affineGrid(Tensor.zeros([1, 2, 3]), [2, 1, 4, 4])
    }
  }
}
