// A transformer as a language model, and what a language model cannot do: know more than there is to know.
//
// The text comes from a small grammar: sentences such as "the old cat sees a bird .", in which some choices are free. A perfect model is
// uncertain exactly where the grammar leaves a choice, and its loss is the entropy of the grammar, which can be counted. The trained
// model should come close to it, and never lower on text that it has not seen.

import Apus
import Foundation

let words = ["the", "a", "old", "young", "cat", "dog", "bird", "sees", "hears", "follows", "."]
let random = Generator(seed: 1)
func choose(_ options: String...) -> String { options[Int(random.uniform() * Double(options.count))] }

/// Article, adjective or none, noun; verb; article, noun; full stop. A sentence that begins with "the" ends with an "a", and vice versa.
func sentence() -> [String] {
  let article = choose("the", "a")
  let adjective = choose("", "", "old", "young")
  let subject = [article] + (adjective.isEmpty ? [] : [adjective]) + [choose("cat", "dog", "bird")]
  return subject + [choose("sees", "hears", "follows"), article == "the" ? "a" : "the", choose("cat", "dog", "bird"), "."]
}
// One choice of two, one of none (1/2), old (1/4), young (1/4), and three of three.
let entropyOfSentence = log(2) + 1.5 * log(2) + 3 * log(3)

func text(sentences: Int) -> [Int] {
  (0..<sentences).flatMap { _ in sentence().map { word in words.firstIndex(of: word) ?? 0 } }
}
let (train, test) = (text(sentences: 3_000), text(sentences: 500))
let entropy = entropyOfSentence * 500 / Double(test.count)

final class TransformerModel: Module, Layer {
  let embedding: Embedding
  let positions: SinusoidalPositions
  let encoder: TransformerEncoder
  let head: Linear

  init(vocabulary: Int, width: Int) {
    embedding = Embedding(vocabulary, width)
    positions = SinusoidalPositions(width, batchFirst: true)
    encoder = TransformerEncoder(numLayers: 2) {
      TransformerEncoderLayer(width, 4, dimFeedforward: 4 * width, dropout: 0, batchFirst: true, normFirst: true)
    }
    head = Linear(width, vocabulary)
  }

  /// `[batch, tokens]` to the logits of what follows each token, `[batch, tokens, vocabulary]`. Nobody looks ahead (`isCausal`).
  func forward(_ ids: Tensor) -> Tensor { head(encoder(positions(embedding(ids)), isCausal: true)) }
}

/// The mean loss for a token.
func loss(_ model: TransformerModel, _ batch: Batch) -> Tensor {
  crossEntropy(model(batch.input).flatten(startDim: 0, endDim: 1), batch.target.flatten())
}

manualSeed(1)
let model = TransformerModel(vocabulary: words.count, width: 64)
let optimizer = AdamW(model.parameters(), lr: 2e-3)
let windows = TokenWindows(train, length: 64, step: 16)
let loader = DataLoader(windows, batchSize: 16, shuffle: true, seed: 1)
for epoch in 1...4 {
  for batch in loader {
    let loss = loss(model, batch)
    optimizer.zeroGrad()
    loss.backward()
    clipGradNorm(model.parameters(), maxNorm: 1)
    optimizer.step()
  }
  let losses = noGrad { DataLoader(TokenWindows(test, length: 64, step: 64), batchSize: 1).map { loss(model, $0).item() } }
  print("epoch \(epoch): test loss \(losses.reduce(0, +) / Double(losses.count))")
}
print("the entropy of the grammar: \(entropy)")

// Prints:
// epoch 1: test loss 1.0816615223884583
// epoch 2: test loss 0.8166025650501251
// epoch 3: test loss 0.7996015799045563
// epoch 4: test loss 0.8061706709861756
// the entropy of the grammar: 0.7748389549159002
