import ApusCore
import ApusModels
import TestSupport
import Testing

@Suite("Sampling of tokens")
struct TokenSamplingTests {
  /// How often each of the tokens comes among many.
  private func shares(_ sampling: TokenSampling, _ logits: Tensor, after tokens: [Int] = []) -> [Double] {
    let generator = Generator(seed: 1)
    var counts = [Double](repeating: 0, count: logits.count)
    for _ in 0..<4000 { counts[sampling.choose(logits, after: tokens, generator: generator)!] += 1 / 4000 }
    return counts
  }

  private func expectShares(_ shares: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    expectClose(
      Tensor(scalars: shares, shape: [shares.count], dtype: .float64),
      Tensor(scalars: expected, shape: [expected.count], dtype: .float64), relative: 0, absolute: 0.03,
      sourceLocation: sourceLocation)
    for (share, e) in zip(shares, expected) where e == 0 { #expect(share == 0, sourceLocation: sourceLocation) }
  }

  /// Logits of the probabilities 0.1, 0.4, 0.2, 0.3, and of one that can't be.
  private let logits = Tensor([0.1, 0.4, 0.2, 0.3, 0]).log() + 5

  @Test("tokens come as often as the softmax says, sharpened by the temperature")
  func temperature() {
    expectShares(shares(TokenSampling(), logits), [0.1, 0.4, 0.2, 0.3, 0])
    // Squares of the probabilities, in proportion.
    expectShares(shares(TokenSampling(temperature: 0.5), logits), [0.0333, 0.5333, 0.1333, 0.3, 0])
    expectShares(shares(.greedy, logits), [0, 1, 0, 0, 0])
  }

  @Test("top-k and top-p leave the most likely ones")
  func truncation() {
    expectShares(shares(TokenSampling(topK: 2), logits), [0, 0.571, 0, 0.429, 0])
    expectShares(shares(TokenSampling(topK: 1), logits), [0, 1, 0, 0, 0])
    expectShares(shares(TokenSampling(topP: 0.65), logits), [0, 0.571, 0, 0.429, 0])
    expectShares(shares(TokenSampling(topP: 0.75), logits), [0, 0.444, 0.222, 0.333, 0])
    expectShares(shares(TokenSampling(topP: 1e-9), logits), [0, 1, 0, 0, 0])
    // Of two equals the first.
    #expect(TokenSampling(topK: 1).choose(Tensor([1.0, 2, 2])) == 1)
    #expect(TokenSampling.greedy.choose(Tensor([1.0, 2, 2])) == 1)
  }

  @Test("the repetition penalty makes what occurred less likely, whatever the sign of its logit")
  func repetition() {
    let sampling = TokenSampling(temperature: 0, repetitionPenalty: 2)
    #expect(sampling.choose(Tensor([3.0, 2, 1]), after: [0]) == 1)
    #expect(sampling.choose(Tensor([-1.0, -1.5]), after: [0]) == 1)
    #expect(sampling.choose(Tensor([-1.0, -1.5]), after: [1, 7]) == 0)
  }

  @Test("what doesn't fit is an error")
  func errors() {
    expectMistake("TokenSampling: temperature = -1.0 is not 0 or more") { _ = TokenSampling(temperature: -1) }
    expectMistake("TokenSampling: topK = 0 is not positive") { _ = TokenSampling(topK: 0) }
    expectMistake("TokenSampling: topP = 1.5 is not above 0 and at most 1") { _ = TokenSampling(topP: 1.5) }
    expectMistake("TokenSampling: repetitionPenalty = 0.0 is not positive") { _ = TokenSampling(repetitionPenalty: 0) }
    expectMistake("TokenSampling: logits of shape [1, 2] are not [vocabulary]") {
      _ = TokenSampling().choose(Tensor([[1.0, 2]]))
    }
    expectMistake("TokenSampling: a logit is infinite or no number") { _ = TokenSampling().choose(Tensor([1.0, .nan])) }
  }
}
