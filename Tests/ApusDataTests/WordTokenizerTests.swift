import ApusCore
import ApusData
import TestSupport
import Testing

@Suite("WordTokenizer")
struct WordTokenizerTests {
  private static let text = "the swift flies; the swift sleeps in flight, the swifts fly\n\nthe end"

  @Test("frequent words are one token, others are spelled, and nothing is lost")
  func roundTrip() throws {
    let tokenizer = WordTokenizer(Self.text, vocabularySize: 100)
    #expect(tokenizer.words.filter { $0.count > 1 } == [" swift", " the", "the"])
    let tokens = try tokenizer.encode(Self.text)
    #expect(tokenizer.decode(tokens) == Self.text)
    #expect(try tokenizer.encode(" the swift").count == 2 && tokenizer.encode(" end").count == 4)
    // A text of the same letters that has other words.
    #expect(try tokenizer.decode(tokenizer.encode("sight, fine thefts")) == "sight, fine thefts")
  }

  @Test("no more tokens than asked for, but each character; equal counts in the order of the words")
  func size() {
    let characters = Set(Self.text).count
    #expect(WordTokenizer(Self.text, vocabularySize: 0).vocabularySize == characters)
    #expect(WordTokenizer(Self.text, vocabularySize: characters + 1).words.last == " swift")
    #expect(WordTokenizer("b b a a", vocabularySize: 9).words == [" ", "a", "b", " a"])
  }

  @Test("made again from its words it is the same; a character that it hasn't seen is an error")
  func words() throws {
    let tokenizer = WordTokenizer(Self.text, vocabularySize: 100)
    let again = WordTokenizer(words: tokenizer.words)
    #expect(try again.encode(Self.text) == tokenizer.encode(Self.text))
    let error = #expect(throws: DataError.self) { try tokenizer.encode("Über") }
    #expect(error?.kind == .text && error?.reason == "the character 'Ü' (U+DC) has no token")
  }
}

@Suite("SeriesStreams")
struct SeriesStreamsTests {
  @Test("each batch goes on where the one before ended; the target is one further")
  func streams() throws {
    let series = SeriesStreams((0..<21).map { Float($0) }, streams: 2, length: 3)
    #expect(series.count == 6 && series.stepCount == 3)
    let batches = DataLoader(series, batchSize: 2).map { batch in
      (batch.input.scalars(as: Int.self), batch.target.scalars(as: Int.self))
    }
    #expect(batches.map(\.0) == [[0, 1, 2, 10, 11, 12], [3, 4, 5, 13, 14, 15], [6, 7, 8, 16, 17, 18]])
    #expect(batches.map(\.1) == batches.map { $0.0.map { $0 + 1 } })
    #expect(series[1].input.shape == [3, 1] && series[1].input[0, 0].item() == 10)
    #expect(SeriesStreams([], streams: 2, length: 3).count == 0 && SeriesStreams([1], streams: 1, length: 1).count == 0)
  }
}
