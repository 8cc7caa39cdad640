import Foundation
import TestSupport
import Testing

@Suite("train: methods and records")
struct TrainMethodTests {
  private static func train(_ words: [String], in folder: TemporaryFolder) throws -> Apus.Outcome {
    try Apus.Running(["train", "digits", "--limit", "400", "--epochs", "2", "--save-dir", "run"] + words, in: folder).outcome()
  }

  @Test(
    "every optimizer learns, and says so in config.json",
    arguments: ["adam", "adamw", "nadam", "radam", "sgd", "rmsprop", "adagrad", "lion", "lamb"])
  func optimizers(_ name: String) throws {
    let folder = try TemporaryFolder()
    let run = try Self.train(["--optimizer", name, "--lr", name == "sgd" || name == "adagrad" ? "0.05" : "0.001"], in: folder)
    #expect(run.code == 0, "\(run.errors)")
    let losses = try folder.rows("run/metrics.jsonl").compactMap { $0["loss"] as? Double }
    #expect(losses.count == 4 && losses[3] < losses[1], "\(losses)")
    #expect(try folder.text("run/config.json").contains("\"optimizer\": \"\(name)\""))
  }

  @Test(
    "every schedule moves the learning rate as it says",
    arguments: [
      ("constant", [1, 1, 1, 1]), ("cosine", [1, 0.8536, 0.5, 0.1464]), ("linear", [1, 0.75, 0.5, 0.25]),
      ("step", [1, 1, 0.1, 0.01]),
    ] as [(String, [Double])])
  func schedules(_ name: String, _ factors: [Double]) throws {
    let folder = try TemporaryFolder()
    let words = ["--schedule", name, "--batch-size", "200", "--lr", "0.1", "--optimizer", "sgd"]
    #expect(try Self.train(words, in: folder).code == 0)
    // The chart has a dot for each update, with its numbers.
    let chart = try folder.text("run/pictures/learning-rate.svg")
    let rates = chart.matches(of: /learning rate: learning rate ([\d.e-]+) at/).compactMap { Double($0.1) }
    // What is recorded of a batch is the rate after its update: that of the next.
    let expected = factors.dropFirst().map { 0.1 * $0 }
    #expect(zip(Array(rates.prefix(3)), expected).allSatisfy { abs($0 - $1) < 1e-4 } || name == "constant", "\(rates)")
    if name == "constant" { #expect(Set(rates) == [0.1]) }
  }

  @Test("accumulation, clipping, mixed precision, averages, warm-up, early stopping: together, and resumed to the same bits")
  func together() throws {
    let folder = try TemporaryFolder()
    let words = [
      "train", "digits", "--limit", "600", "--epochs", "3", "--batch-size", "50", "--schedule", "cosine", "--warmup", "4",
      "--accumulate",
      "2", "--clip", "1", "--amp", "bfloat16", "--ema", "0.9", "--early-stop", "5", "--checkpoint-every", "1", "-q",
    ]
    #expect(try Apus.Running(words + ["--save-dir", "whole"], in: folder).outcome().code == 0)
    let run = try Apus.Running(words + ["--save-dir", "part"], in: folder)
    try run.wait("a checkpoint") { folder.names(in: "part/checkpoints").contains { $0.hasPrefix("step-") } }
    run.send(SIGKILL)
    _ = try run.outcome()
    let resumed = try Apus.run("train", "digits", "--save-dir", "part", "--resume", "-q", in: folder)
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(try folder.read("whole/model.safetensors") == folder.read("part/model.safetensors"))
    #expect(try folder.metrics("whole") == folder.metrics("part"))
    // The averages are what was judged, so they are what is saved and what a checkpoint is judged by.
    let last = try #require(folder.names(in: "whole/checkpoints").last)
    let model = try Apus.run("eval", "whole", in: folder)
    let checkpoint = try Apus.run("eval", "whole/checkpoints/\(last)", in: folder)
    #expect(
      model.code == 0 && model.output.split(separator: "\n").dropFirst(2) == checkpoint.output.split(separator: "\n").dropFirst(2)
    )
    // Judged in float32 now, in bfloat16 then.
    let accuracy = try #require(try folder.rows("whole/metrics.jsonl").last?["accuracy"] as? Double)
    let match = try #require(model.output.firstMatch(of: /accuracy +([\d.]+) %/))
    let judged = try #require(Double(match.1))
    #expect(abs(judged - 100 * accuracy) < 1)
  }

  @Test("float16 scales its loss; a patience of none ends the run")
  func more() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train(["--amp", "float16"], in: folder).code == 0)
    // Steps too small to change an answer: no epoch is better than the first.
    let run = try Self.train(["--epochs", "9", "--lr", "1e-30", "--early-stop", "2"], in: folder)
    #expect(run.code == 0)
    #expect(try folder.rows("run/metrics.jsonl").count == 8)
  }

  @Test("--resume keeps the method, and an option that contradicts it is wrong usage")
  func contradictions() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train(["--schedule", "cosine", "--clip", "1"], in: folder).code == 0)
    for (words, message) in [
      (["--optimizer", "sgd"], "the run, which had --optimizer adam; "), (["--clip", "2"], "the run, which had --clip 1.0; "),
      (["--ema", "0.9"], "the run, which had no --ema; "), (["--epochs", "3"], "the run, which had --epochs 2; "),
    ] {
      let run = try Apus.Running(["train", "digits", "--save-dir", "run", "--resume"] + words, in: folder).outcome()
      #expect(run.code == 2 && run.errors.contains(message), "\(run.errors)")
    }
  }

  @Test("--csv and --tensorboard write their logs; pictures and report are always there")
  func records() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train(["--csv", "--tensorboard"], in: folder).code == 0)
    let rows = try folder.text("run/metrics.csv").components(separatedBy: "\r\n")
    #expect(rows[0] == "epoch,split,loss,accuracy,samples,complete,seconds" && rows.count == 6)
    #expect(folder.names(in: "run/events").count == 1)
    for name in ["loss", "accuracy", "learning-rate", "confusion-matrix", "samples-of-the-test-data", "mistakes", "weights"] {
      #expect(try folder.read("run/pictures/\(name).png").prefix(4) == [0x89, 0x50, 0x4E, 0x47], "\(name)")
      #expect(try folder.text("run/pictures/\(name).svg").hasPrefix("<svg "), "\(name)")
    }
    let report = try folder.text("run/report.html")
    #expect(
      report.contains("<h1>digits</h1>") && report.contains("101,770 parameters") && report.contains("2 epochs of 4 batches"))
    // A run that is over and resumed has the same report, times aside, though nothing was trained.
    #expect(try Self.train(["--resume"], in: folder).code == 0)
    #expect(try folder.text("run/report.html").contains("<title>Confusion matrix</title>"))
  }
}

@Suite("profile")
struct ProfileTests {
  @Test("--profile says what each op cost, as a table and as a trace")
  func profile() throws {
    let folder = try TemporaryFolder()
    let run = try Apus.Running(
      ["train", "digits", "--limit", "256", "--epochs", "1", "--save-dir", "run", "--profile"], in: folder
    ).outcome()
    #expect(run.code == 0 && run.output.contains("GFLOP/s"), "\(run.errors)")
    let table = try folder.text("run/profile.txt")
    for name in ["matmul", "cross_entropy", "optimizer step", "backward"] { #expect(table.contains("\n\(name) "), "\(table)") }
    let trace = try JSONSerialization.jsonObject(with: Data(folder.text("run/trace.json").utf8)) as? [String: Any]
    #expect((trace?["traceEvents"] as? [[String: Any]])?.contains { $0["name"] as? String == "matmul" } == true)
  }
}

@Suite("graph")
struct GraphTests {
  @Test("every recipe's network as DOT text", arguments: ["mnist-mlp", "mnist-cnn", "fashion-cnn", "cifar10-cnn", "spiral"])
  func dot(_ recipe: String) throws {
    let run = try Apus.run("graph", recipe)
    #expect(run.code == 0 && run.errors.isEmpty && run.output.hasPrefix("digraph \"\(recipe)\" {"))
    #expect(run.output.contains("Linear") && run.output.hasSuffix("}\n"))
  }

  @Test("as a picture by the suffix of the file")
  func pictures() throws {
    let folder = try TemporaryFolder()
    for name in ["a.svg", "a.png", "a.dot"] {
      let run = try Apus.run("graph", "digits", "-o", name, in: folder)
      #expect(run.code == 0 && run.output == "\(name): 3 layers\n", "\(run.output) \(run.errors)")
    }
    #expect(try folder.text("a.svg").contains("0: Linear") && folder.text("a.dot").hasPrefix("digraph"))
    #expect(try folder.read("a.png").prefix(4) == [0x89, 0x50, 0x4E, 0x47])
  }
}

@Suite("data show")
struct DataShowTests {
  @Test("built-in sets: what is in them, and a picture")
  func builtIn() throws {
    let folder = try TemporaryFolder()
    let digits = try Apus.run("data", "show", "digits", "-o", "digits.png", "--count", "10", in: folder)
    #expect(
      digits.code == 0 && digits.output.contains("1,000 pictures to train on") && digits.output.contains("the first 10 pictures"))
    #expect(try Apus.run("data", "show", "digits", in: folder).output.contains(/[#%@*]/))
    for name in ["spiral", "moons", "pictures"] {
      let run = try Apus.run("data", "show", name, "--output", "\(name).png", in: folder)
      #expect(run.code == 0 && folder.exists("\(name).png"), "\(run.errors)")
    }
  }
}
