import ApusCore
import ApusNN

/// A model that reads tokens and says for each what may come next. Called with `[batch, tokens]` (int64) it gives `[batch, tokens, vocabulary]`,
/// unnormalised.
///
/// For generating it has a memory of what it has read, so that each further token costs one step:
///
/// ```swift
/// let text = model.generate(after: tokenizer.encode("To be"), count: 200, sampling: TokenSampling(temperature: 0.8, topK: 40))
/// ```
public protocol LanguageModel: Layer {
  /// What it keeps of the tokens that it has read: keys and values, or the state of a recurrent network.
  associatedtype Memory

  /// How many different tokens there are.
  var vocabulary: Int { get }

  /// The most tokens that it can look at; nil where there is no limit.
  var context: Int? { get }

  /// The memory of a model that has read nothing.
  func makeMemory() -> Memory

  /// The logits of what follows the last of `ids`, `[batch, vocabulary]`, for tokens that come after those in `memory`.
  ///
  /// - Parameters:
  ///   - ids: `[batch, new tokens]`, int64.
  ///   - memory: takes the new tokens in.
  func next(_ ids: Tensor, memory: inout Memory) -> Tensor
}

extension LanguageModel {
  /// Continues a text: in evaluation mode and without a history.
  ///
  /// When the context is full the model goes on with the latter half of it, which it reads again.
  ///
  /// - Parameters:
  ///   - prompt: the tokens to go on from; at least one.
  ///   - count: the most tokens to add.
  ///   - sampling: how the next token is chosen.
  ///   - generator: for the choice.
  ///   - onToken: called with each new token; false ends the text with it.
  /// - Returns: the new tokens.
  @discardableResult
  public func generate(
    after prompt: [Int], count: Int, sampling: TokenSampling = TokenSampling(), generator: Generator = .default,
    onToken: (Int) -> Bool = { _ in true }
  ) -> [Int] {
    guard check(!prompt.isEmpty, .value, "\(type(of: self))", "no token to go on from") else { return [] }
    return evaluating {
      var (tokens, unread, memory, readCount) = (prompt, prompt.suffix(context ?? prompt.count), makeMemory(), 0)
      while tokens.count < prompt.count + count {
        if let context, readCount + unread.count > context {
          (unread, memory, readCount) = (tokens.suffix(max(context / 2, 1)), makeMemory(), 0)
        }
        let logits = next(Tensor(Array(unread)).reshape(1, unread.count), memory: &memory)
        guard logits.isValid, let token = sampling.choose(logits[0], after: tokens, generator: generator) else { break }
        readCount += unread.count
        tokens.append(token)
        unread = tokens.suffix(1)
        if !onToken(token) { break }
      }
      return Array(tokens.dropFirst(prompt.count))
    }
  }
}
