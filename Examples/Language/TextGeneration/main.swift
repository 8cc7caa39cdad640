// Writing with a language model: the cache, and the knobs that decide how daring it is.
//
// A model says how likely each token is to come next. Always taking the likeliest gives one text, often a dull one. Temperature flattens or
// sharpens the distribution; top-k keeps the k likeliest tokens; top-p keeps the likeliest ones that together have probability p.
//
// A transformer looks back at all tokens before the new one. What it computed for them does not change, so it is kept (`KeyValueCache`): a
// step costs one token, not the whole text. The result is the same.

import Apus

let text = String(
  repeating: """
    Round and round the rugged rocks the ragged rascal ran.
    She sells sea shells on the sea shore.
    How much wood would a woodchuck chuck if a woodchuck could chuck wood?
    Peter Piper picked a peck of pickled peppers.

    """, count: 4)
let characters = CharacterTokenizer(text)

manualSeed(1)
let model = GPT(vocabulary: characters.vocabularySize, context: 128, layers: 2, heads: 4, width: 64)
let optimizer = AdamW(model.parameters(), lr: 3e-3)
let windows = TokenWindows(try characters.encode(text), length: 64)
let sampler = RandomSampler(seed: 1, replacementDraws: 16 * 250)
for batch in DataLoader(windows, batchSize: 16, sampler: sampler) {
  let loss = crossEntropy(model(batch.input).flatten(startDim: 0, endDim: 1), batch.target.flatten())
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
}
model.eval()

/// How the next token is chosen from its logits, `[vocabulary]`.
struct Choice {
  var temperature = 1.0
  var topK = Int.max
  var topP = 1.0

  func callAsFunction(_ logits: Tensor, _ generator: Generator) -> Int {
    if temperature == 0 { return logits.argmax().item(as: Int.self) }
    // From the likeliest on; what lies beyond k, or after the p that is full, is never chosen.
    let (values, tokens) = (logits / temperature).softmax(dim: 0).sort(descending: true)
    let before = values.cumsum(dim: 0) - values
    let isOut = (before .>= topP) .| (Tensor.arange(0, values.count) .>= topK)
    let sums = values.maskedFill(isOut, 0).cumsum(dim: 0)
    let place = searchsorted(sums, sums[-1] * generator.uniform(), right: true)
    return tokens[place.item(as: Int.self)].item(as: Int.self)
  }
}

/// `count` tokens after `start`, with a cache or by reading everything again for each.
func write(_ model: GPT, _ start: [Int], count: Int, _ choice: Choice, cached: Bool = true) -> [Int] {
  let generator = Generator(seed: 5)
  var (tokens, input, caches) = (start, start, model.makeCaches())
  while tokens.count < start.count + count {
    if !cached { (input, caches) = (tokens, model.makeCaches()) }
    let logits = noGrad { model.next(Tensor([input]), caches: caches) }
    input = [choice(logits[0], generator)]
    tokens += input
  }
  return tokens
}

let start = try characters.encode("She sells ")
let greedy = write(model, start, count: 60, Choice(temperature: 0))
print(characters.decode(greedy).replacing("\n", with: " / "))
print("without the cache, the same: \(write(model, start, count: 60, Choice(temperature: 0), cached: false) == greedy)")

/// The share of written pairs of characters that occur in the text.
func share(_ model: GPT, _ choice: Choice) -> Double {
  let known = Set(zip(text, text.dropFirst()).map { "\($0)\($1)" })
  let written = characters.decode(write(model, start, count: 100, choice))
  let pairs = zip(written, written.dropFirst()).map { "\($0)\($1)" }
  return Double(pairs.count { known.contains($0) }) / Double(pairs.count)
}
let daring = share(model, Choice(temperature: 3))
print("temperature 0.5 keeps to the text better than 3: \(share(model, Choice(temperature: 0.5)) > daring)")
print("temperature 3 with top-k 2, too: \(share(model, Choice(temperature: 3, topK: 2)) > daring)")
print("temperature 3 with top-p 0.3, too: \(share(model, Choice(temperature: 3, topP: 0.3)) > daring)")

// Prints:
// She sells sea shells on the sea shore. / How much wood would a woodchuld
// without the cache, the same: true
// temperature 0.5 keeps to the text better than 3: true
// temperature 3 with top-k 2, too: true
// temperature 3 with top-p 0.3, too: true
