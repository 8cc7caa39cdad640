import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct TransformTests {
  private let pictures = Tensor.arange(2 * 3 * 4 * 5, dtype: .float32).reshape(2, 3, 4, 5)

  private func generator(_ seed: UInt64 = 1) -> Generator { Generator(seed: seed, stream: 5) }

  private func rows(_ x: Tensor) -> [[[[Float]]]] { x.array() }

  @Test("flips with probability 1 and 0, and of about half")
  func flips() {
    for dtype in [DType.float32, .uint8] {
      let x = pictures.to(dtype)
      expectClose(RandomHorizontalFlip(p: 1).apply(x, generator()), x.flip(3))
      expectClose(RandomVerticalFlip(p: 1).apply(x, generator()), x.flip(2))
      expectClose(RandomHorizontalFlip(p: 0).apply(x, generator()), x)
      expectClose(RandomVerticalFlip(p: 0).apply(x.transpose(2, 3), generator()), x.transpose(2, 3))
    }
    let many = Tensor(scalars: (0..<2000).map { Float($0 % 2) }, shape: [1000, 1, 1, 2])
    let flipped = RandomHorizontalFlip().apply(many, generator()).scalars(as: Float.self)
    let count = stride(from: 0, to: 2000, by: 2).count { flipped[$0] == 1 }
    #expect(abs(count - 500) < 70)
  }

  @Test("random pieces come from everywhere, with a border where there is padding")
  func crops() throws {
    let x = Tensor.arange(1, 10, dtype: .float32).reshape(1, 1, 3, 3)
    let padded: [[Float]] = [[0, 0, 0, 0, 0], [0, 1, 2, 3, 0], [0, 4, 5, 6, 0], [0, 7, 8, 9, 0], [0, 0, 0, 0, 0]]
    let possible = Set((0..<3).flatMap { y in (0..<3).map { x in (0..<3).map { Array(padded[y + $0][x..<x + 3]) } } })
    let generator = generator()
    for dtype in [DType.float32, .uint8] {
      let seen = Set(
        (0..<200).map { _ in rows(RandomCrop(3, padding: 1).apply(x.to(dtype), generator).to(.float32))[0][0] })
      #expect(seen == possible)
    }
    let wide = RandomCrop(height: 2, width: 5, padding: 1, fill: -1).apply(x, generator)
    #expect(wide.shape == [1, 1, 2, 5] && rows(wide)[0][0].allSatisfy { $0[0] == -1 && $0[4] == -1 })
    #expect(rows(CenterCrop(1).apply(x, generator)) == [[[[5]]]])
    #expect(rows(CenterCrop(5).apply(x, generator))[0][0] == padded)
    expectMistake("RandomCrop: pieces of 6×6 of pictures [1, 1, 3, 3] with padding 1") {
      _ = RandomCrop(6, padding: 1).apply(x, generator)
    }
    expectMistake("RandomCrop: [3, 3] where pictures [N, C, H, W] are due") {
      _ = RandomCrop(1).apply(x.reshape(3, 3), generator)
    }
    expectMistake("RandomCrop: takes float32 or uint8 pictures, not float64") {
      _ = RandomCrop(1).apply(x.to(.float64), generator)
    }
  }

  @Test("bytes to floats, and normalisation by channel")
  func normalize() {
    let x = ToFloat().apply(pictures.to(.uint8), generator())
    expectClose(x, pictures / 255)
    let y = Normalize(mean: [0.1, 0.2, 0.3], std: [0.5, 1, 2]).apply(x, generator())
    expectClose(y[1, 2], (x[1, 2] - 0.3) / 2)
    expectClose(Normalize(mean: [0.1], std: [0.5]).apply(x, generator()), (x - 0.1) / 0.5)
    #expect(mistake { _ = Normalize(mean: [0, 0], std: [1, 1]).apply(x, generator()) }?.kind == .shape)
    #expect(mistake { _ = Normalize(mean: [0], std: [0]) } != nil)
    #expect(mistake { _ = Normalize(mean: [0], std: [1]).apply(pictures.to(.uint8), generator()) }?.kind == .dtype)
  }

  private struct Resizing: Decodable {
    let antialias: Bool
    let input: GoldenTensor
    let output: GoldenTensor
  }

  @Test("resizing agrees with PyTorch's, with and without antialias")
  func resize() throws {
    for golden in try Golden<Resizing>.load("resize") {
      let shape = golden.output.tensor.shape
      let resize = Resize(height: shape[2], width: shape[3], antialias: golden.antialias)
      expectGolden(resize.apply(golden.input.tensor, generator()), golden.output, "\(shape), antialias \(golden.antialias)")
    }
    #expect(Resize(2).apply(pictures.to(.uint8), generator()).dtype == .uint8)
  }

  @Test("rotation by a quarter turns the picture, by nothing leaves it")
  func rotation() {
    let x = Tensor.arange(1, 10, dtype: .float32).reshape(1, 1, 3, 3)
    for bilinear in [true, false] {
      let turned = RandomRotation(90...90, bilinear: bilinear).apply(x, generator())
      // Counter-clockwise, as torchvision: the right column becomes the top row.
      expectClose(turned, Tensor([[[[3.0, 6, 9], [2, 5, 8], [1, 4, 7]]]]), absolute: 1e-4)
      expectClose(RandomRotation(0, bilinear: bilinear).apply(x, generator()), x)
    }
    let filled = RandomRotation(45...45, fill: -5).apply(Tensor.ones([1, 1, 9, 9]), generator())
    #expect(filled[0, 0, 0, 0].item() == -5 && abs(filled[0, 0, 4, 4].item() - 1) < 1e-6)
  }

  private struct Hue: Decodable {
    let input: [Float]
    let turn: Double
    let output: [Float]
  }

  @Test("jitter by a fixed factor is torchvision's formula")
  func jitter() throws {
    let x = Tensor.rand([2, 3, 4, 4], generator: generator())
    let grey = (x * Tensor([0.2989, 0.587, 0.114]).reshape(1, 3, 1, 1)).sum(dim: 1, keepDim: true)
    // A range of one number comes from 1 + 1e-9 on both sides only by chance: so the range is checked instead.
    for _ in 0..<5 {
      let y = ColorJitter(brightness: 0.5).apply(x, generator(9))
      let factor = y[0, 0, 0, 0].item() / x[0, 0, 0, 0].item()
      #expect(factor > 0.49 && factor < 1.51)
      expectClose(y[0], (x[0] * factor).clamp(min: 0, max: 1), relative: 1e-4, absolute: 1e-5)
    }
    let flat = ColorJitter(saturation: 1).apply(grey.expand([2, 3, 4, 4]).contiguous(), generator())
    expectClose(flat, grey.expand([2, 3, 4, 4]).contiguous(), relative: 1e-3, absolute: 1e-3)
    let contrasted = ColorJitter(contrast: 0.9).apply(x * 0.2 + 0.4, generator())
    let means = (contrasted * Tensor([0.2989, 0.587, 0.114]).reshape(1, 3, 1, 1)).sum(dim: 1).mean(dims: [1, 2])
    let expected = ((grey * 0.2 + 0.4 * 0.9999).squeeze(dim: 1)).mean(dims: [1, 2])
    expectClose(means, expected, relative: 1e-3)
    for golden in try Golden<Hue>.load("hue") {
      var colors = golden.input
      colors.withUnsafeMutableBufferPointer { turnHue($0.baseAddress!, count: 1, by: Float(golden.turn)) }
      for (a, b) in zip(colors, golden.output) { #expect(abs(a - b) < 1e-5, "\(golden)") }
    }
    let all = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1).apply(x, generator())
    #expect(all.min().item() >= 0 && all.max().item() <= 1 && all.isNaN().any().item() == 0)
    #expect(mistake { _ = ColorJitter(hue: 0.6) } != nil)
    #expect(mistake { _ = ColorJitter(hue: 0.5).apply(Tensor.zeros([1, 1, 2, 2]), generator()) }?.kind == .shape)
  }

  @Test("erasing fills one rectangle; a cutout is a square")
  func erasing() {
    let x = Tensor.ones([50, 2, 16, 16])
    let y = RandomErasing(p: 1, value: 7).apply(x, generator())
    for i in 0..<50 {
      #expect((y[i, 0] .== y[i, 1]).all().item() == 1)
      let part = (y[i, 0] .== 7).to(.float32).mean().item()
      #expect(part > 0.005 && part < 0.4)
      let height = (y[i, 0] .== 7).any(dim: 1).to(.float32).sum().item()
      let width = (y[i, 0] .== 7).any(dim: 0).to(.float32).sum().item()
      #expect(height * width == part * 256)
    }
    expectClose(RandomErasing(p: 0).apply(x, generator()), x)
    let cut = Cutout(4).apply(x.to(.uint8), generator())
    let areas = (cut .== 0).to(.float32).sum(dims: [2, 3]).scalars(as: Float.self)
    #expect(areas.max() == 16 && areas.min()! >= 4 && areas.count == 100)
  }

  @Test("mixing pictures mixes labels by the same share")
  func mixing() {
    let batch = Batch(
      input: Tensor([0.0, 1, 2, 3]).reshape(4, 1, 1, 1) * Tensor.ones([4, 1, 8, 8]), target: Tensor([0, 1, 2, 3]))
    for seed in 0..<5 as Range<UInt64> {
      let mixed = MixUp(classCount: 5, alpha: 0.4).apply(batch, generator(seed))
      #expect(mixed.target.shape == [4, 5] && mixed.target.dtype == .float32)
      // Each picture is its number everywhere: the mixed number is the expectation of the label.
      let labels = (mixed.target * Tensor.arange(5, dtype: .float32)).sum(dim: 1)
      expectClose(mixed.input.mean(dims: [1, 2, 3]), labels, absolute: 1e-5)
      let cut = CutMix(classCount: 5).apply(batch, generator(seed))
      let cutLabels = (cut.target * Tensor.arange(5, dtype: .float32)).sum(dim: 1)
      expectClose(cut.input.mean(dims: [1, 2, 3]), cutLabels, absolute: 1e-5)
      expectClose(cut.target.sum(dim: 1), Tensor.ones([4]))
    }
    let again = MixUp(classCount: 5).apply(MixUp(classCount: 5).apply(batch, generator()), generator())
    expectClose(again.target.sum(dim: 1), Tensor.ones([4]))
    #expect(mistake { _ = MixUp(classCount: 3).apply(batch, generator()) }?.operation == "MixUp")
    #expect(mistake { _ = CutMix(classCount: 0) } != nil)
  }

  @Test("a loader's transform: one after the other, the same with workers")
  func loader() throws {
    let digits = SyntheticDigits.load(.train, count: 64)
    let steps = Compose(
      RandomCrop(28, padding: 2), RandomHorizontalFlip(), RandomApply(RandomErasing(p: 1)), Normalize(mean: [0.5], std: [0.25]))
    func run(_ workers: Int, _ prefetch: Int) -> [[Float]] {
      DataLoader(digits, batchSize: 16, shuffle: true, seed: 1, prefetch: prefetch, workers: workers, transform: steps)
        .map { $0.input.scalars(as: Float.self) }
    }
    let expected = run(1, 0)
    #expect(run(3, 2) == expected && run(1, 4) == expected)
    let plain = DataLoader(digits, batchSize: 16, shuffle: true, seed: 1).map { $0.input.scalars(as: Float.self) }
    #expect(plain != expected)
  }

  @Test("what a seed gives was frozen when this was written")
  func frozen() {
    let x = Tensor.arange(8, dtype: .float32).reshape(8, 1, 1, 1) * Tensor.ones([8, 1, 1, 2]) + Tensor([0.0, 0.5])
    let y = RandomHorizontalFlip().apply(x, Generator(seed: 42, stream: 1)).scalars(as: Float.self)
    let isLeft = stride(from: 0, to: 16, by: 2).map { y[$0] == y[$0].rounded() }
    #expect(isLeft == [true, true, false, false, false, false, true, true])
  }
}
