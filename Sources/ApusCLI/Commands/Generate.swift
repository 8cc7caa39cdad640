import Apus
import Foundation

extension Command {
  private static let prompt = Option.text(
    "prompt", letter: "p", "TEXT", accepts: "a text", "What the text begins with [default: a line break]")
  private static let maxTokens = Option.integer("max-tokens", in: 1...1_000_000_000, "The most tokens to add [default: 500]")
  private static let temperature = Option.numberOrZero(
    "temperature", "Above 1 for more variety, below it for less; 0 for always the most likely token [default: 0.8]")
  private static let topK = Option.integer("top-k", in: 1...1_000_000_000, "Choose among the N most likely tokens only")
  private static let topP = Option.fraction(
    "top-p", "Choose among the fewest tokens that have this probability together, as in 0.9")
  private static let penalty = Option.positiveNumber(
    "repetition-penalty", "Make tokens that occurred less likely, as in 1.2 [default: 1]")
  private static let seed = Option.seed("seed", "Seed of the choices; the same seed gives the same text [default: 42]")
  private static let stop = Option.texts(
    "stop", "TEXT", accepts: "a text", "End before this text; may be given more than once")

  static let generate = Command(
    name: "generate", summary: "Go on writing a text with a trained language model",
    discussion: """
      The text appears as it is written, prompt first. For translate-toy the prompt is a question, as in 'sort 3 1 4', and the answer is \
      always the most likely one.
      """,
    operands: [TrainedModel.operand],
    options: [prompt, maxTokens, temperature, topK, topP, penalty, seed, stop],
    examples: [
      Example(line: "apus generate runs/char-gpt --prompt \"ROMEO:\"", help: "A scene"),
      Example(line: "apus generate runs/char-gpt --temperature 0.5 --stop ROMEO:", help: "Calmer, and one speech only"),
    ],
    run: { arguments in
      let trained = try TrainedModel(arguments.operands[0], arguments, for: "generate")
      let output = Terminal.standardOutput
      if let model = trained.model as? Seq2SeqTransformer {
        output.line(try SequenceTranslation.answer(arguments[prompt] ?? "", model))
        return 0
      }
      guard let model = trained.model as? any LanguageModel, let saved = trained.facts.tokenizer else {
        throw UsageError("generate: the network of \(trained.recipe.name) writes no text")
      }
      let sampling = TokenSampling(
        temperature: arguments[temperature] ?? 0.8, topK: arguments[topK], topP: arguments[topP],
        repetitionPenalty: arguments[penalty] ?? 1)
      let text = arguments[prompt] ?? "\n"
      let tokenizer = saved.tokenizer
      var writer = TextStream(tokenizer, stops: arguments[stop] ?? []) { output.write($0) }
      let tokens = try tokenizer.encode(text)
      if arguments[prompt] != nil { output.write(text) }
      _ = try catching {
        model.generate(
          after: tokens, count: arguments[maxTokens] ?? 500, sampling: sampling,
          generator: Generator(seed: arguments[seed] ?? 42)
        ) { writer.add($0) }
      }
      writer.finish()
      output.write("\n")
      return 0
    })
}

/// Writes a text token by token, up to the first of the texts that end it. What may be the beginning of one is held back.
struct TextStream {
  private let tokenizer: any Tokenizer
  private let stops: [String]
  private let write: (String) -> Void
  private var pending = ""
  private var isOver = false

  init(_ tokenizer: any Tokenizer, stops: [String], write: @escaping (String) -> Void) {
    (self.tokenizer, self.stops, self.write) = (tokenizer, stops, write)
  }

  /// - Returns: whether the text goes on.
  mutating func add(_ token: Int) -> Bool {
    pending += tokenizer.decode([token])
    if let end = stops.compactMap({ pending.range(of: $0)?.lowerBound }).min() {
      write(String(pending[..<end]))
      (pending, isOver) = ("", true)
      return false
    }
    let kept = stops.map { pending.countOfTail(thatBegins: $0) }.max() ?? 0
    write(String(pending.dropLast(kept)))
    pending = String(pending.suffix(kept))
    return true
  }

  /// Writes what was held back, where no end came.
  mutating func finish() {
    if !isOver { write(pending) }
    pending = ""
  }
}

extension String {
  /// How many of its last characters are the first of `text`, but not all of them.
  fileprivate func countOfTail(thatBegins text: String) -> Int {
    (1..<max(text.count, 1)).last { $0 <= count && text.hasPrefix(suffix($0)) } ?? 0
  }
}
