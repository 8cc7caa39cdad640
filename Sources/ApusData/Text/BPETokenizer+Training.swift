import ApusCore

extension BPETokenizer {
  /// Learns merges from texts: again and again the most frequent pair of tokens within words gets a token of its own.
  ///
  /// The result is that of Hugging Face's trainer with all 256 bytes as its alphabet: equally frequent pairs in the order of their tokens.
  ///
  /// - Parameter vocabularySize: tokens in all: added ones, 256 bytes and merges; fewer where the texts have no more pairs.
  /// - Parameter minimumCount: pairs that are rarer are not merged.
  /// - Parameter addedTokens: texts that are one token each; they come first.
  /// - Complexity: a pass over all distinct pairs per merge, and over the words that have it.
  public static func train(
    _ texts: some Sequence<String>, vocabularySize: Int, minimumCount: Int = 2, addedTokens: [String] = []
  ) -> BPETokenizer {
    let added = Set(addedTokens)
    let isFine = check(
      vocabularySize >= 256 + addedTokens.count && added.count == addedTokens.count && !added.contains(""), .value,
      "BPETokenizer", "a vocabulary of \(vocabularySize): it has 256 bytes and \(addedTokens.count) different added tokens")
    var trainer = PairTrainer(addedTokens: isFine ? addedTokens : [])
    for text in texts { trainer.count(text) }
    trainer.learn(vocabularySize: isFine ? vocabularySize : 0, minimumCount: max(minimumCount, 1))
    return trainer.tokenizer
  }
}

/// The state of a training.
private struct PairTrainer {
  private var words: [[UInt8]: Int] = [:]
  private var tokens: [[UInt8]]
  private var ids: [[UInt8]: Int32] = [:]
  private var merges: [BPETokenizer.Pair: BPETokenizer.Merge] = [:]
  private let byteTokens: [Int32]
  private let addedTokens: [String]

  init(addedTokens: [String]) {
    self.addedTokens = addedTokens
    tokens = addedTokens.map { Array($0.utf8) }
    // In the order of the characters that stand for them.
    let order = (0..<256).sorted { ByteAlphabet.characters[$0] < ByteAlphabet.characters[$1] }
    var byteTokens = [Int32](repeating: 0, count: 256)
    for byte in order {
      byteTokens[byte] = Int32(tokens.count)
      ids[[UInt8(byte)]] = Int32(tokens.count)
      tokens.append([UInt8(byte)])
    }
    self.byteTokens = byteTokens
  }

  mutating func count(_ text: String) {
    for word in WordSplitter(text).words { words[word, default: 0] += 1 }
  }

  mutating func learn(vocabularySize: Int, minimumCount: Int) {
    // Words in a fixed order, although the counts don't depend on it.
    var sequences = words.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { word in
      (tokens: word.map { byteTokens[Int($0)] }, count: words[word] ?? 0)
    }
    var counts: [BPETokenizer.Pair: Int] = [:]
    var places: [BPETokenizer.Pair: Set<Int>] = [:]
    for (i, sequence) in sequences.enumerated() { add(sequence.tokens, sequence.count, i, &counts, &places) }
    while tokens.count < vocabularySize {
      // The most frequent pair; of several the one with the smallest numbers.
      guard let best = counts.min(by: { ($1.value, $0.key.left, $0.key.right) < ($0.value, $1.key.left, $1.key.right) }),
        best.value >= minimumCount
      else { return }
      let token = token(for: tokens[Int(best.key.left)] + tokens[Int(best.key.right)])
      merges[best.key] = BPETokenizer.Merge(rank: merges.count, token: token)
      for i in places[best.key] ?? [] {
        let sequence = sequences[i]
        add(sequence.tokens, -sequence.count, i, &counts, &places)
        sequences[i].tokens = BPETokenizer.replacing(best.key, by: token, in: sequence.tokens)
        add(sequences[i].tokens, sequence.count, i, &counts, &places)
      }
      counts[best.key] = nil
      places[best.key] = nil
    }
  }

  /// Two pairs may make the same bytes; then they make the same token.
  private mutating func token(for bytes: [UInt8]) -> Int32 {
    if let token = ids[bytes] { return token }
    let token = Int32(tokens.count)
    ids[bytes] = token
    tokens.append(bytes)
    return token
  }

  private func add(
    _ tokens: [Int32], _ count: Int, _ word: Int, _ counts: inout [BPETokenizer.Pair: Int],
    _ places: inout [BPETokenizer.Pair: Set<Int>]
  ) {
    for i in 1..<max(tokens.count, 1) {
      let pair = BPETokenizer.Pair(left: tokens[i - 1], right: tokens[i])
      let sum = (counts[pair] ?? 0) + count
      counts[pair] = sum == 0 ? nil : sum
      if count > 0 { places[pair, default: []].insert(word) }
    }
  }

  var tokenizer: BPETokenizer {
    BPETokenizer(
      tokens: tokens, addedTokens: Dictionary(uniqueKeysWithValues: addedTokens.enumerated().map { ($1, $0) }), merges: merges,
      byteTokens: byteTokens)
  }
}
