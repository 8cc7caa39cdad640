import Apus
import Foundation
import TestSupport
import Testing

@Suite("Fréchet distance")
struct FrechetDistanceTests {
  private static let points = Tensor.randn([400, 6], dtype: .float64, generator: Generator(seed: 1))

  @Test("equal clouds have none, moved ones the square of the way, stretched ones that of the difference in spread")
  func formulas() {
    #expect(frechetDistance(Self.points, Self.points) < 1e-9)
    #expect(abs(frechetDistance(Self.points, Self.points + 2) - 6 * 4) < 1e-9)
    let spread = Self.points.std(dim: 0).square().sum().item()
    #expect(abs(frechetDistance(Self.points, Self.points * 3 - Self.points.mean(dim: 0) * 2) - 4 * spread) < 1e-9)
  }

  /// numpy 2: i = arange(240).reshape(60, 4); a = sin(0.7 i + 0.01 i i % 3); b = 1.5 cos(0.3 i) + 0.2 a + 0.1; with covariances A and B
  /// |mean a − mean b|² + tr(A) + tr(B) − 2 Σ √eigvals(A B)
  @Test("correlated features, as numpy has it")
  func golden() {
    let i = (0..<240).map { Double($0) }
    let a = i.map { sin(0.7 * $0 + (0.01 * $0 * $0).truncatingRemainder(dividingBy: 3)) }
    let b = zip(i, a).map { cos(0.3 * $0) * 1.5 + 0.2 * $1 + 0.1 }
    func cloud(_ x: [Double]) -> Tensor { Tensor(scalars: x, shape: [60, 4], dtype: .float64) }
    #expect(abs(frechetDistance(cloud(a), cloud(b)) - 1.898305828455956) < 1e-9)
    #expect(abs(frechetDistance(cloud(b), cloud(a)) - 1.898305828455956) < 1e-9)
  }

  @Test("features that never differ are no difficulty; clouds that cannot be compared are a mistake")
  func edges() {
    let flat = Tensor.ones([10, 3])
    #expect(frechetDistance(flat, flat) == 0 && abs(frechetDistance(flat, flat + 1) - 3) < 1e-9)
    expectMistake("frechetDistance: [10, 3] and [10, 2] are not two or more points each with as many features") {
      _ = frechetDistance(flat, Tensor.ones([10, 2]))
    }
  }
}
