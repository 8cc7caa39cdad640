import ApusCore
import ApusFormats

extension BPETokenizer {
  /// Writes a `tokenizer.json` as Hugging Face's tokenizers read it; it appears whole or not at all.
  public func save(to path: String) throws(DataError) {
    do throws(FileError) { try AtomicFile.write(json, to: path) } catch { throw DataError(error) }
  }

  private var json: String {
    let added = addedTokens.sorted { $0.value < $1.value }
    let addedIDs = Set(added.map(\.value))
    func text(_ token: Int) -> String {
      addedIDs.contains(token) ? String(decoding: tokens[token], as: UTF8.self) : ByteAlphabet.text(of: tokens[token])
    }
    let entries = added.map { text, id in
      """
      {"id":\(id),"content":\(jsonQuoted(text)),"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}
      """
    }
    let vocabulary = tokens.indices.filter { !tokens[$0].isEmpty }.map { "\(jsonQuoted(text($0))):\($0)" }
    let pairs = merges.sorted { $0.value.rank < $1.value.rank }.map { pair, _ in
      "[\(jsonQuoted(text(Int(pair.left)))),\(jsonQuoted(text(Int(pair.right))))]"
    }
    let bytes =
      "{\"type\":\"ByteLevel\",\"add_prefix_space\":\(addsPrefixSpace),\"trim_offsets\":true,\"use_regex\":\(splitsWords)}"
    return """
      {"version":"1.0","truncation":null,"padding":null,"added_tokens":[\(entries.joined(separator: ","))],"normalizer":null,
      "pre_tokenizer":\(bytes),"post_processor":null,"decoder":\(bytes),
      "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
      "fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
      "vocab":{\(vocabulary.joined(separator: ","))},
      "merges":[\(pairs.joined(separator: ","))]}}

      """
  }

  /// Reads a `tokenizer.json` of Hugging Face with a byte-level BPE model cut as GPT-2 cuts: GPT-2, RoBERTa, and what `save` wrote.
  ///
  /// What a post-processor would put around a text is left out, as with `add_special_tokens=False`.
  ///
  /// - Throws: `DataError`: a file that isn't intact; one that needs something else (another model, a normalizer, another way to cut
  ///   words), kind `unsupported`.
  public static func load(_ path: String) throws(DataError) -> BPETokenizer {
    try TokenizerFile(JSON.read(path), path: path).tokenizer()
  }
}

/// A `tokenizer.json`, to be checked.
private struct TokenizerFile {
  private let root: JSON
  private let path: String

  /// No vocabulary comes near it; a number of 2³¹ must not ask for memory.
  private static let vocabularyLimit = 1 << 22

  init(_ root: JSON, path: String) {
    self.root = root
    self.path = path
  }

  func tokenizer() throws(DataError) -> BPETokenizer {
    guard case .object(let model)? = root["model"], case .object(let vocabulary)? = model["vocab"] else {
      throw error(.format, "no model with a vocabulary in it")
    }
    try checkModel(model)
    let cutting = try cutting()
    let added = try addedTokens()
    var ids: [String: Int32] = [:]
    for (text, value) in vocabulary { ids[text] = Int32(try index(value, "token '\(printable(text, limit: 80))'")) }
    let tokens = try tokens(ids, added)
    return BPETokenizer(
      tokens: tokens, addedTokens: added, merges: try merges(model["merges"], ids), byteTokens: try byteTokens(ids),
      splitsWords: cutting.splitsWords, addsPrefixSpace: cutting.addsPrefixSpace)
  }

  private func checkModel(_ model: [String: JSON]) throws(DataError) {
    // Old files don't say what model they have; only BPE has merges.
    let type = model["type"]?.text ?? "BPE"
    guard type == "BPE" else { throw unsupported("a model of type \(printable(type, limit: 40))") }
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"]
    where !JSON.isUnset(model[key]) {
      throw unsupported("the model's \(key)")
    }
    if !JSON.isUnset(root["normalizer"]) { throw unsupported("a normalizer") }
  }

  /// How the text is cut before pairs are merged.
  private func cutting() throws(DataError) -> (splitsWords: Bool, addsPrefixSpace: Bool) {
    guard let rule = root["pre_tokenizer"], rule["type"] == .string("ByteLevel") else {
      throw unsupported("a pre-tokenizer other than ByteLevel")
    }
    return (rule["use_regex"] != .bool(false), rule["add_prefix_space"] != .bool(false))
  }

  private func addedTokens() throws(DataError) -> [String: Int] {
    guard case .array(let entries) = root["added_tokens"] ?? .array([]) else { throw error(.format, "added_tokens is no list") }
    var result: [String: Int] = [:]
    for entry in entries {
      guard let text = entry["content"]?.text, !text.isEmpty, let id = entry["id"] else {
        throw error(.format, "an added token without content or id")
      }
      for key in ["single_word", "lstrip", "rstrip"] where !JSON.isUnset(entry[key]) {
        throw unsupported("\(key) of the added token '\(printable(text, limit: 80))'")
      }
      guard result.updateValue(try index(id, "added token '\(printable(text, limit: 80))'"), forKey: text) == nil else {
        throw error(.format, "the added token '\(printable(text, limit: 80))' a second time")
      }
    }
    return result
  }

  private func index(_ value: JSON, _ what: String) throws(DataError) -> Int {
    guard let index = value.index, index < Self.vocabularyLimit else {
      throw error(.size, "\(what) has no number of 0..<\(Self.vocabularyLimit)")
    }
    return index
  }

  /// The bytes of each token.
  private func tokens(_ ids: [String: Int32], _ added: [String: Int]) throws(DataError) -> [[UInt8]] {
    let largest = max(ids.values.max().map(Int.init) ?? -1, added.values.max() ?? -1)
    var tokens = [[UInt8]](repeating: [], count: largest + 1)
    for (text, id) in added {
      if !tokens[id].isEmpty { throw error(.format, "two added tokens with the number \(id)") }
      tokens[id] = Array(text.utf8)
    }
    for (text, id) in ids where added[text] != Int(id) {
      guard let bytes = ByteAlphabet.bytes(of: text), !bytes.isEmpty else {
        throw error(.format, "the token '\(printable(text, limit: 80))' has characters that stand for no byte")
      }
      guard tokens[Int(id)].isEmpty else { throw error(.format, "two tokens with the number \(id)") }
      tokens[Int(id)] = bytes
    }
    return tokens
  }

  private func byteTokens(_ ids: [String: Int32]) throws(DataError) -> [Int32] {
    var result: [Int32] = []
    for byte in 0...255 as ClosedRange<UInt8> {
      guard let id = ids[ByteAlphabet.text(of: [byte])] else {
        throw unsupported("a vocabulary without a token for byte \(byte)")
      }
      result.append(id)
    }
    return result
  }

  /// Merges as lists of two texts, or, in older files, as one text with a space.
  private func merges(_ value: JSON?, _ ids: [String: Int32]) throws(DataError) -> [BPETokenizer.Pair: BPETokenizer.Merge] {
    guard case .array(let entries)? = value else { throw error(.format, "no list of merges") }
    var result: [BPETokenizer.Pair: BPETokenizer.Merge] = [:]
    for (rank, entry) in entries.enumerated() {
      let parts: [String] =
        switch entry {
        case .array(let parts): parts.compactMap(\.text)
        case .string(let text): text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        case .null, .bool, .number, .object: []
        }
      guard parts.count == 2, let left = ids[parts[0]], let right = ids[parts[1]], let token = ids[parts[0] + parts[1]] else {
        throw error(.format, "merge \(rank) doesn't name two tokens that make a third")
      }
      let pair = BPETokenizer.Pair(left: left, right: right)
      if result[pair] == nil { result[pair] = BPETokenizer.Merge(rank: rank, token: token) }
    }
    return result
  }

  private func unsupported(_ what: String) -> DataError { error(.unsupported, "\(what) isn't supported") }

  private func error(_ kind: DataError.Kind, _ reason: String) -> DataError {
    DataError(kind, path: path, reason, advice: "name a byte-level BPE tokenizer's file, as GPT-2's tokenizer.json")
  }
}
