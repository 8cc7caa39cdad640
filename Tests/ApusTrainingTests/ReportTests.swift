import Apus
import ApusTraining
import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Report")
struct ReportTests {
  private static func trained(_ callbacks: [any TrainingCallback]) throws -> Trainer {
    let model = Sequential([Flatten(), Linear(16, 2, generator: Generator(seed: 1))])
    let trainer = Trainer(
      model, optimizer: SGD(model.parameters(), lr: 0.1), loss: { crossEntropy($0, $1) }, correct: correctClasses)
    trainer.callbacks = callbacks
    let x = Tensor.randn([40, 1, 4, 4], generator: Generator(seed: 2))
    let target = (x.sum(dims: [1, 2, 3]) .> 0).to(.int64)
    trainer.learningRates = .perEpoch(ExponentialLR(trainer.optimizer, gamma: 0.5))
    try trainer.fit(x, target, validation: (x, target), epochs: 3, batchSize: 8, seed: 1)
    return trainer
  }

  @Test("one file that asks for nothing from elsewhere, with every picture and a row for each epoch")
  func selfContained() throws {
    let (answers, rates, losses) = (AnswerRecorder(classNames: ["minus <", "plus"]), LearningRateRecorder(), LossRecorder())
    let trainer = try Self.trained([answers, rates, losses])
    let pictures = [losses.curve(title: "Loss").drawing(), rates.curve(title: "Learning rate").drawing()] + answers.drawings()
    let page = RunReport(
      title: "a <b> & c", summary: "2 classes", facts: [("seed", "1")], history: trainer.history, pictures: pictures,
      listings: [("Model", trainer.model.description)]
    ).html()
    #expect(page.components(separatedBy: "<svg").count - 1 == pictures.count && pictures.count >= 4)
    #expect(page.contains("<h1>a &lt;b&gt; &amp; c</h1>") && !page.contains("<b>") && page.contains("minus &lt;"))
    #expect(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"))
    // The only address in it is the name of SVG's vocabulary.
    #expect(page.replacing("http://www.w3.org/2000/svg", with: "").firstMatch(of: /https?:|@import|<script|<link|url\(/) == nil)
    let rows = page.matches(of: /<tr><td>(\d+)<\/td>/).map { String($0.1) }
    #expect(rows == ["1", "2", "3"])
    #expect(page.contains("<th>train loss</th><th>train accuracy</th><th>test loss</th><th>test accuracy</th>"))
    // The same rules as in XML: every element is closed.
    let body = try #require(page.firstRange(of: "<main>")).lowerBound..<(try #require(page.firstRange(of: "</main>"))).upperBound
    #expect(try XMLDocument(xmlString: String(page[body])).rootElement()?.name == "main")
  }

  @Test("the recorders agree with the history, and a schedule's course has its steps")
  func recorders() throws {
    let (answers, rates) = (AnswerRecorder(classNames: ["a", "b"], sampleCount: 5), LearningRateRecorder())
    let trainer = try Self.trained([answers, rates])
    #expect(answers.confusion.total == 40)
    #expect(answers.confusion.accuracy == trainer.history.last?.accuracy)
    let line = rates.curve(title: "x").series[0]
    #expect(!rates.isConstant && Set(line.y) == [0.1, 0.05, 0.025] && line.x.last == 3)
    let again = LearningRateRecorder()
    try again.loadStateDict(rates.stateDict())
    #expect(again.curve(title: "x").series[0].x == line.x)
    #expect(throws: TrainingError.self) { try again.loadStateDict(OptimizerState()) }
  }

  @Test("the table of comma-separated values has a header and a row for each pass")
  func csv() throws {
    let folder = try TemporaryFolder()
    let log = try CSVLog(folder.file("metrics.csv"))
    let trainer = try Self.trained([log])
    let rows = try folder.text("metrics.csv").components(separatedBy: "\r\n").map { $0.components(separatedBy: ",") }
    #expect(rows[0] == ["epoch", "split", "loss", "accuracy", "samples", "complete", "seconds"])
    #expect(rows.count == 8 && rows[7] == [""])
    #expect(rows[2].prefix(4) == ["1", "test", "\(trainer.history[1].loss)", "\(try #require(trainer.history[1].accuracy))"])
    let second = try CSVLog(folder.file("again.csv"))
    second.replay(trainer.history)
    #expect(try folder.read("again.csv") == folder.read("metrics.csv"))
  }
}
