import ApusCore
import ApusNN
import Foundation
import TestSupport
import Testing

@Suite("positions")
struct PositionTests {
  @Test("sinusoids are those of the paper")
  func sinusoids() {
    for features in [6, 5] {
      let table = sinusoidalPositions(9, features, offset: 3, dtype: .float64)
      #expect(table.shape == [9, features])
      for t in 0..<9 {
        for i in 0..<features {
          let angle = Double(t + 3) / pow(10000, Double(i / 2 * 2) / Double(features))
          let wave: Double = i % 2 == 0 ? sin(angle) : cos(angle)
          #expect(abs(table[t, i].item() - wave) < 1e-12)
        }
      }
    }
  }

  @Test("positions are added in every layout, and from an offset")
  func added() {
    let layers: [(Bool) -> (any Layer, (Tensor, Int) -> Tensor)] = [
      { first in
        let layer = SinusoidalPositions(4, batchFirst: first)
        return (layer, { layer($0, offset: $1) })
      },
      { first in
        let layer = LearnedPositions(9, 4, batchFirst: first, dtype: .float64, generator: Generator(seed: 1))
        return (layer, { layer($0, offset: $1) })
      },
    ]
    let x = samples([2, 6, 4], seed: 1)
    for make in layers {
      let ((first, firstAt), (last, _)) = (make(true), make(false))
      let y = first(x)
      let positions = (y - x)[0]
      expectClose(y - x, positions.expand([2, 6, 4]), relative: 1e-9, absolute: 1e-12)
      expectClose(last(x.transpose(0, 1)).transpose(0, 1), y, relative: 1e-12)
      expectClose(first(x[0]), y[0], relative: 1e-12)
      expectClose(firstAt(x[.all, 2...], 2), y[.all, 2...], relative: 1e-12)
    }
  }

  @Test("learned positions start small, are trained, and end")
  func learned() throws {
    let layer = LearnedPositions(300, 40, generator: Generator(seed: 1))
    #expect(abs(layer.weight.std().item() / 0.02 - 1) < 0.02)
    let small = LearnedPositions(5, 2, batchFirst: true, dtype: .float64)
    small(samples([3, 4, 2], seed: 1), offset: 1).sum().backward()
    #expect(small.$weight.grad?.scalars(as: Double.self) == [0, 0, 3, 3, 3, 3, 3, 3, 3, 3])
    expectMistake("LearnedPositions: positions 2..<6 are not in 0..<5") { _ = small(Tensor.zeros([1, 4, 2]), offset: 2) }
    expectMistake("LearnedPositions: input [4] is not [N, tokens, 2] or [tokens, 2]") { _ = small(Tensor.zeros([4])) }
    expectMistake("LearnedPositions: -1 positions of 2 features") { _ = LearnedPositions(-1, 2) }
    expectMistake("SinusoidalPositions: input [1, 4, 2] is not [tokens, N, 3] or [tokens, 3]") {
      _ = SinusoidalPositions(3)(Tensor.zeros([1, 4, 2]))
    }
    expectMistake("sinusoidalPositions: length = -1, features = 4, base = 10000.0") { _ = sinusoidalPositions(-1, 4) }
    #expect(small.description == "LearnedPositions(5, 2, batchFirst: true)")
  }

  @Test("rotary positions turn pairs as complex numbers", arguments: [false, true])
  func rotary(isInterleaved: Bool) {
    let (x, d, offset) = (samples([2, 3, 5, 8], seed: 1), 6, 4)
    let y = RotaryEmbedding(d, base: 100, isInterleaved: isInterleaved)(x, offset: offset)
    for t in 0..<5 {
      for i in 0..<(d / 2) {
        let (a, b) = isInterleaved ? (2 * i, 2 * i + 1) : (i, i + d / 2)
        let angle = Double(t + offset) * pow(100, -2 * Double(i) / Double(d))
        let (re, im) = (x[.all, .all, t, a], x[.all, .all, t, b])
        expectClose(y[.all, .all, t, a], re * cos(angle) - im * sin(angle), relative: 1e-10, absolute: 1e-12)
        expectClose(y[.all, .all, t, b], re * sin(angle) + im * cos(angle), relative: 1e-10, absolute: 1e-12)
      }
    }
    expectClose(y[.ellipsis, 6...], x[.ellipsis, 6...], relative: 0)
  }

  @Test("rotary scores depend on distances alone, and gradients are right to second order", arguments: [false, true])
  func rotaryProperties(isInterleaved: Bool) throws {
    let rotary = RotaryEmbedding(4, isInterleaved: isInterleaved)
    let (q, k) = (samples([3, 4], seed: 1), samples([3, 4], seed: 2))
    let scores = [0, 7].map { rotary(q, offset: $0).matmul(rotary(k, offset: $0).T) }
    expectClose(scores[0], scores[1], relative: 1e-9, absolute: 1e-12)
    try gradientCheck([q], order: 2) { rotary($0[0], offset: 2) * $0[0] }
    try gradientCheck([samples([2, 3, 7], seed: 3)], order: 2) { rotary($0[0]) }
    for dtype in [DType.float32, .float16, .bfloat16] { #expect(rotary(q.to(dtype)).dtype == dtype) }
    expectClose(rotary(q.to(.float32)), rotary(q).to(.float32), relative: 1e-5, absolute: 1e-6)
  }

  @Test("decoding with a cache and rotary positions is the full pass")
  func rotaryDecoding() {
    let (q, k, v) = (samples([1, 2, 6, 4], seed: 1), samples([1, 2, 6, 4], seed: 2), samples([1, 2, 6, 4], seed: 3))
    let (rotary, cache) = (RotaryEmbedding(4), KeyValueCache())
    let full = scaledDotProductAttention(rotary(q), rotary(k), v, isCausal: true)
    let parts = (0..<6).map { t in
      let token = { (x: Tensor) in x.narrow(dim: 2, start: t, count: 1) }
      let offset = cache.count
      let (keys, values) = cache.append(rotary(token(k), offset: offset), token(v))
      return scaledDotProductAttention(rotary(token(q), offset: offset), keys, values)
    }
    expectClose(cat(parts, dim: 2), full, relative: 1e-10)
  }

  @Test("ALiBi's slopes, and its bias against the paper's formula")
  func alibi() {
    let powers: [Double] = (1...8).map { pow(0.5, Double($0)) }
    #expect(alibiSlopes(8).scalars(as: Double.self) == powers)
    let six: [Double] = [0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]
    #expect(alibiSlopes(6, dtype: .float64).scalars(as: Double.self) == six)
    let (q, k, v) = (samples([6, 5, 4], seed: 1), samples([6, 5, 4], seed: 2), samples([6, 5, 4], seed: 3))
    let i = Tensor.arange(5, dtype: .float64)
    let distances = i - i.unsqueeze(dim: 1)  // j − i
    let paper = alibiSlopes(6, dtype: .float64).reshape(6, 1, 1) * distances
    expectClose(
      scaledDotProductAttention(q, k, v, mask: alibiBias(6, keys: 5, dtype: .float64), isCausal: true),
      scaledDotProductAttention(q, k, v, mask: paper, isCausal: true), relative: 1e-10)
    expectMistake("alibiSlopes: heads = 0 is not positive") { _ = alibiSlopes(0) }
  }

  @Test("rotary mistakes are named")
  func mistakes() {
    expectMistake("RotaryEmbedding: features = 3 is not positive and even, or base = 10000.0 not positive") {
      _ = RotaryEmbedding(3)
    }
    expectMistake("RotaryEmbedding: input [5, 2] is not [tokens, features] with at least 4 features") {
      _ = RotaryEmbedding(4)(Tensor.zeros([5, 2]))
    }
    expectMistake("RotaryEmbedding: offset = -1 is negative") { _ = RotaryEmbedding(4)(Tensor.zeros([5, 4]), offset: -1) }
    expectMistake("RotaryEmbedding: int64 is not floating-point") {
      _ = RotaryEmbedding(4)(Tensor.zeros([5, 4], dtype: .int64))
    }
  }
}
