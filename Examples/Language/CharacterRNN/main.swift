// A recurrent network that learns a text by heart, a character at a time, and recites it.
//
// It reads a character, changes its state, and says how likely each character is to follow. The state alone carries what was read before:
// whether an "a" is that of "date" or that of "shaken". Trained on the whole text, the gradient would go back through every character;
// here it goes back 50 and the state is handed on without its history.
//
//     swift run -c release CharacterRNN FILE    # a text of your own, and a sample in its style; `apus train char-rnn` does it in earnest

import Apus
import Foundation

let sonnet = """
  Shall I compare thee to a summer's day?
  Thou art more lovely and more temperate:
  Rough winds do shake the darling buds of May,
  And summer's lease hath all too short a date;
  Sometime too hot the eye of heaven shines,
  And often is his gold complexion dimm'd;
  And every fair from fair sometime declines,
  By chance or nature's changing course untrimm'd.


  """
let path = CommandLine.arguments.dropFirst().first
let text = try path.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? sonnet
let characters = CharacterTokenizer(text)
let tokens = try characters.encode(text)

final class CharacterModel: Module {
  let embedding: Embedding
  let rnn: GRU
  let head: Linear

  init(_ vocabulary: Int) {
    embedding = Embedding(vocabulary, 32)
    rnn = GRU(32, 128, batchFirst: true)
    head = Linear(128, vocabulary)
  }

  /// - Parameter ids: `[batch, steps]`.
  /// - Returns: the logits of what follows each, `[batch, steps, vocabulary]`, and the state.
  func callAsFunction(_ ids: Tensor, _ state: Tensor?) -> (logits: Tensor, state: Tensor) {
    let (y, state) = rnn(embedding(ids), state)
    return (head(y), state)
  }
}

manualSeed(1)
let model = CharacterModel(characters.vocabularySize)
let optimizer = Adam(model.parameters(), lr: 5e-3)
let streams = TokenStreams(tokens, streams: path == nil ? 1 : 32, length: 50)
let epochs = path == nil ? 60 : 5
for epoch in 1...epochs {
  var state: Tensor?
  var total = 0.0
  for batch in streams.loader() {
    let (logits, next) = model(batch.input, state)
    state = next.detach()
    let loss = crossEntropy(logits.flatten(startDim: 0, endDim: 1), batch.target.flatten())
    optimizer.zeroGrad()
    loss.backward()
    clipGradNorm(model.parameters(), maxNorm: 1)
    optimizer.step()
    total += loss.item()
  }
  if epoch % (epochs / 3) == 0 { print("epoch \(epoch): loss \(total / Double(streams.stepCount))") }
}

/// Goes on from `start`: with temperature 0 the likeliest character each time, otherwise one drawn from the distribution.
func sample(_ model: CharacterModel, from start: [Int], count: Int, temperature: Double) -> [Int] {
  var (tokens, state, input) = (start, nil as Tensor?, start)
  while tokens.count < start.count + count {
    let (logits, next) = noGrad { model(Tensor([input]), state) }
    state = next
    let last = logits[0, -1]
    // The greatest of logits + Gumbel noise is a draw from their softmax.
    let noise = -(-Tensor.rand(last.shape).log()).log()
    input = [(temperature == 0 ? last : last / temperature + noise).argmax().item(as: Int.self)]
    tokens += input
  }
  return tokens
}

if path == nil {
  let recited = sample(model, from: Array(tokens[..<6]), count: tokens.count - 6, temperature: 0)
  print("\(zip(recited, tokens).count { $0 == $1 }) of \(tokens.count) characters recited correctly")
} else {
  print(characters.decode(sample(model, from: Array(tokens[..<6]), count: 500, temperature: 0.8)))
}

// Prints:
// epoch 20: loss 0.06984710799796241
// epoch 40: loss 0.009666396837149347
// epoch 60: loss 0.004311093927494117
// 351 of 351 characters recited correctly
