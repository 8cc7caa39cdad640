import ApusCore
import ApusNN
import Foundation

/// How one of the tokens that may come next is chosen.
///
/// In this order: tokens that occurred become less likely, the logits are divided by the temperature, all but the `topK` most likely go, all go
/// that are not needed for a probability of `topP`, and one of what is left is drawn.
public struct TokenSampling: Hashable, Sendable {
  /// Above 1 for more variety, below it for less; 0 for always the most likely.
  public var temperature: Double
  /// How many of the most likely tokens stay.
  public var topK: Int?
  /// The smallest set of tokens stays that has this probability together (Holtzman et al., "The curious case of neural text degeneration", 2020).
  public var topP: Double?
  /// What positive logits of tokens that occurred are divided by, and negative ones multiplied (Keskar et al., "CTRL", 2019); 1 for none.
  public var repetitionPenalty: Double

  public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil, repetitionPenalty: Double = 1) {
    let name = "TokenSampling"
    let isFine =
      check(temperature >= 0 && temperature.isFinite, .value, name, "temperature = \(temperature) is not 0 or more")
      && check(topK ?? 1 > 0, .value, name, "topK = \(topK ?? 0) is not positive")
      && check(topP.map { $0 > 0 && $0 <= 1 } ?? true, .value, name, "topP = \(topP ?? 0) is not above 0 and at most 1")
      && check(repetitionPenalty > 0, .value, name, "repetitionPenalty = \(repetitionPenalty) is not positive")
    self.temperature = isFine ? temperature : 1
    (self.topK, self.topP) = isFine ? (topK, topP) : (nil, nil)
    self.repetitionPenalty = isFine ? repetitionPenalty : 1
  }

  /// The most likely token, always.
  public static let greedy = TokenSampling(temperature: 0)

  /// Chooses a token.
  ///
  /// - Parameters:
  ///   - logits: `[vocabulary]`, unnormalised.
  ///   - tokens: what the text consists of so far, for the repetition penalty.
  ///   - generator: for the choice.
  /// - Returns: nil after a reported mistake.
  /// - Complexity: sorting the vocabulary; one pass with a temperature of 0.
  public func choose(_ logits: Tensor, after tokens: some Sequence<Int> = [], generator: Generator = .default) -> Int? {
    let name = "TokenSampling"
    guard logits.isValid,
      check(logits.rank == 1 && logits.count > 0, .shape, name, "logits of shape \(logits.shape) are not [vocabulary]")
    else { return nil }
    var scores = logits.scalars(as: Double.self)
    guard check(scores.allSatisfy { !$0.isNaN && $0 < .infinity }, .value, name, "a logit is infinite or no number") else {
      return nil
    }
    if repetitionPenalty != 1 { penalize(&scores, Set(tokens)) }
    if temperature == 0 { return scores.indices.max { scores[$0] < scores[$1] } }
    let (order, weights) = likely(scores)
    var rest = generator.uniform() * weights.reduce(0, +)
    for (token, weight) in zip(order, weights) {
      rest -= weight
      if rest < 0 { return token }
    }
    return order.last
  }

  private func penalize(_ scores: inout [Double], _ tokens: Set<Int>) {
    for token in tokens where scores.indices.contains(token) {
      scores[token] = scores[token] > 0 ? scores[token] / repetitionPenalty : scores[token] * repetitionPenalty
    }
  }

  /// The tokens that may be drawn, the most likely first, with weights in proportion to their probabilities.
  private func likely(_ scores: [Double]) -> (order: ArraySlice<Int>, weights: [Double]) {
    // Of equals the first, so that the choice does not depend on how the sort goes about it.
    var order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(topK ?? scores.count)
    var weights = order.map { exp((scores[$0] - scores[order[0]]) / temperature) }
    if let topP {
      let needed = topP * weights.reduce(0, +)
      var (sum, count) = (0.0, 0)
      while count < weights.count, sum < needed { (sum, count) = (sum + weights[count], count + 1) }
      (order, weights) = (order.prefix(count), Array(weights.prefix(count)))
    }
    return (order, weights)
  }
}
