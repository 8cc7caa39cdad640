import Foundation
import TestSupport
import Testing

@Suite("Usage")
struct UsageTests {
  @Test("help and version go to standard output, with code 0")
  func help() throws {
    for words in [["--help"], ["-h"], ["help"]] {
      let run = try Apus.Running(words).outcome()
      #expect(run.code == 0 && run.errors.isEmpty)
      for word in [
        "Usage: apus <command>", "train <recipe>", "info", "inspect <file>", "convert <input> <output>", "data <action>",
        "APUS_NUM_THREADS",
      ] {
        #expect(run.output.contains(word))
      }
    }
    let version = try Apus.run("--version")
    #expect(version.code == 0 && version.errors.isEmpty)
    #expect(version.output.wholeMatch(of: /apus \d+\.\d+\.\d+\n/) != nil)
  }

  @Test(
    "each command has its page",
    arguments: [
      ("train", ["mnist-mlp", "fashion-mlp", "digits", "--epochs N", "--lr X", "-q, --quiet", "Examples:"]),
      ("eval", ["Usage: apus eval <checkpoint> [options]", "--recipe NAME"]),
      ("predict", ["Usage: apus predict <checkpoint> <picture>… [options]", "--invert"]),
      ("info", ["Usage: apus info", "--help"]),
      ("inspect", ["Usage: apus inspect <file>"]),
      ("convert", ["Usage: apus convert <input> <output> [options]", "--compress", ".safetensors"]),
      ("graph", ["Usage: apus graph <recipe> [options]", "-o, --output FILE", "mnist-cnn"]),
      ("data", ["list", "get", "show", "cifar-10", "spiral", "--data DIR"]),
    ])
  func commandHelp(_ command: String, _ words: [String]) throws {
    let run = try Apus.run(command, "--help")
    #expect(run.code == 0 && run.errors.isEmpty)
    for word in words { #expect(run.output.contains(word)) }
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(try Apus.run("help", command).output == run.output)
  }

  @Test(
    "wrong usage: one line that says what is accepted, and code 2",
    arguments: [
      (
        [],
        "apus: a command is missing; commands: train, eval, predict, generate, sample, graph, info, inspect, convert, data; 'apus --help' explains them"
      ),
      (
        ["trian"],
        "apus: unknown command 'trian'; did you mean 'train'? commands: train, eval, predict, generate, sample, graph, info, inspect, convert, data"
      ),
      (
        ["--verbose"],
        "apus: unknown option '--verbose'; commands: train, eval, predict, generate, sample, graph, info, inspect, convert, data, --help, --version"
      ),
      (["train"], "apus: train: the recipe is missing; recipes: mnist-mlp, mnist-cnn"),
      (
        ["train", "mnist"],
        "apus: train: unknown recipe 'mnist'; did you mean 'mnist-mlp'? recipes: mnist-mlp, mnist-cnn"
      ),
      (["train", "resnet"], "apus: train: unknown recipe 'resnet'; recipes: mnist-mlp, mnist-cnn"),
      (["train", "digits", "digits"], "apus: train: unexpected 'digits': takes one recipe"),
      (
        ["train", "digits", "--epoch", "3"],
        "apus: train: unknown option '--epoch'; did you mean '--epochs'? options: --data, --epochs, --batch-size, --lr, --optimizer, "
          + "--momentum, --weight-decay, --schedule, --warmup, --accumulate, --clip, --amp, --ema, --early-stop, --seed, --limit, "
          + "--augment, --cell, --latent, --save-dir, --resume, --checkpoint-every, --csv, --tensorboard, --profile, --device, --quiet, --help"
      ),
      (["train", "digits", "--resume=yes"], "apus: train: --resume takes no value"),
      (["train", "digits", "--checkpoint-every", "0"], "apus: train: --checkpoint-every takes a whole number from 1 to"),
      (
        ["train", "digits", "--augment"], "apus: train: --augment is for recipes with pictures that can be mirrored: cifar10-cnn"
      ),
      (["train", "spiral", "--data", "x"], "apus: train: this recipe draws its own points: --data takes synthetic only"),
      (["train", "digits", "-x"], "apus: train: unknown option '-x'; options: --data"),
      (["train", "digits", "--epochs"], "apus: train: --epochs needs a value: a whole number from 1 to"),
      (["train", "digits", "--epochs", "--lr", "1"], "apus: train: --epochs needs a value: a whole number from 1 to"),
      (["train", "digits", "--epochs", "0"], "apus: train: --epochs takes a whole number from 1 to 1000000000, not '0'"),
      (["train", "digits", "--epochs", "-1"], "apus: train: --epochs takes a whole number from 1 to 1000000000, not '-1'"),
      (["train", "digits", "--epochs=five"], "apus: train: --epochs takes a whole number from 1 to 1000000000, not 'five'"),
      (["train", "digits", "--epochs", "1.5"], "apus: train: --epochs takes a whole number"),
      (["train", "digits", "--epochs", "99999999999999999999"], "apus: train: --epochs takes a whole number"),
      (["train", "digits", "--batch-size", "0"], "apus: train: --batch-size takes a whole number from 1 to"),
      (["train", "digits", "--limit", "0"], "apus: train: --limit takes a whole number from 1 to"),
      (["train", "digits", "--lr", "0"], "apus: train: --lr takes a number above 0, as in 0.001 or 1e-3, not '0'"),
      (["train", "digits", "--lr", "-1e-3"], "apus: train: --lr takes a number above 0, as in 0.001 or 1e-3, not '-1e-3'"),
      (["train", "digits", "--lr", "nan"], "apus: train: --lr takes a number above 0"),
      (["train", "digits", "--lr", "inf"], "apus: train: --lr takes a number above 0"),
      (["train", "digits", "--lr", ""], "apus: train: --lr takes a number above 0"),
      (["train", "digits", "--seed", "-1"], "apus: train: --seed takes a whole number from 0 to 18446744073709551615, not '-1'"),
      (["train", "digits", "--device", "cuda"], "apus: train: --device takes cpu, not 'cuda'"),
      (["train", "digits", "--data", ""], "apus: train: --data takes a folder, or synthetic, not ''"),
      (["train", "digits", "--save-dir="], "apus: train: --save-dir takes a folder, not ''"),
      (["train", "digits", "--quiet=yes"], "apus: train: --quiet takes no value"),
      (["train", "a\u{1B}[31m\nb"], "apus: train: unknown recipe 'a\\u{1b}[31m\\u{a}b'; recipes:"),
      (["info", "x"], "apus: info: unexpected 'x': takes options only"),
      (["inspect"], "apus: inspect: the file is missing"),
      (["inspect", ""], "apus: inspect: the file is empty"),
      (["convert"], "apus: convert: the input is missing"),
      (["convert", "a.npz"], "apus: convert: the output is missing"),
      (["data", "lst"], "apus: data: unknown action 'lst'; did you mean 'list'? actions: list"),
      (["data", "get"], "apus: data: get needs a set: mnist, "),
      (["data", "get", "mnits"], "apus: data: unknown set 'mnits'; did you mean 'mnist'? sets: mnist, "),
      (["data", "list", "mnist"], "apus: data: list takes no set, not 'mnist'"),
      (["data", "show"], "apus: data: show needs a set: mnist, "),
      (["data", "show", "digits", "-o", "x.gif"], "apus: data: --output takes a .png file, not 'x.gif'"),
      (["graph"], "apus: graph: the recipe is missing; recipes: mnist-mlp, "),
      (["graph", "digits", "-o", "x.pdf"], "apus: graph: --output takes a file that ends with .svg, .png or .dot, not 'x.pdf'"),
      (["train", "digits", "--optimizer", "adm"], "apus: train: --optimizer takes adam, adamw, nadam, "),
      (["train", "digits", "--momentum", "0.9"], "apus: train: --momentum is for sgd and rmsprop, not adam"),
      (["train", "digits", "--optimizer", "sgd", "--momentum", "1"], "apus: train: --momentum takes a number below 1, not 1.0"),
      (
        ["train", "digits", "--schedule", "one-cycle", "--warmup", "5"],
        "apus: train: --warmup doesn't go with --schedule one-cycle"
      ),
      (["train", "digits", "--ema", "1"], "apus: train: --ema takes a number between 0 and 1, as in 0.999, not '1'"),
      (["train", "digits", "--amp", "float32"], "apus: train: --amp takes bfloat16, float16, not 'float32'"),
    ] as [([String], String)])
  func wrongUsage(_ words: [String], _ message: String) throws {
    let folder = try TemporaryFolder()
    let run = try Apus.Running(words, in: folder).outcome()
    #expect(run.code == 2)
    #expect(run.output.isEmpty)
    #expect(run.errorLines.count == 1)
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
    #expect(folder.names(in: "").isEmpty)
  }

  @Test(
    "so are wrong settings in the environment",
    arguments: [("APUS_NUM_THREADS", "0"), ("APUS_NUM_THREADS", "two"), ("APUS_MEMORY_LIMIT", "much"), ("APUS_ISA", "mmx")])
  func wrongEnvironment(_ name: String, _ value: String) throws {
    let run = try Apus.run("info", environment: [name: value])
    #expect(run.code == 2 && run.output.isEmpty)
    #expect(run.errorLines.count == 1 && run.errors.hasPrefix("apus: \(name) takes ") && run.errors.contains("'\(value)'"))
  }

  @Test("--option value and --option=value are the same; the last value counts")
  func spelling() throws {
    let folder = try TemporaryFolder()
    for words in [["--limit", "64", "--epochs", "1"], ["--epochs=7", "--limit=64", "--epochs=1"]] {
      let run = try Apus.Running(["train", "digits", "--save-dir", "run", "-q"] + words, in: folder).outcome()
      #expect(run.code == 0)
      #expect(try folder.rows("run/metrics.jsonl").count == 2)
    }
  }
}

@Suite("info, data, inspect")
struct InspectionTests {
  @Test("info: version, instruction set, threads, memory limit, data folders, data sets")
  func info() throws {
    let folder = try TemporaryFolder()
    let run = try Apus.run(
      "info", environment: ["APUS_NUM_THREADS": "3", "APUS_ISA": "baseline", "APUS_MEMORY_LIMIT": "2G", "APUS_DATA": folder.path])
    #expect(run.code == 0 && run.errors.isEmpty)
    for line in [
      "version          0.", "instruction set  baseline", "threads          3", "memory limit     2.1 GB",
      "data folders     \(folder.path)", "data sets        MNIST          not found",
    ] {
      #expect(run.output.contains(line), "\(run.output)")
    }
  }

  @Test("data list: the sets and where they are")
  func data() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("MNIST/raw"), withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: folder.file("MNIST/raw/t10k-labels-idx1-ubyte")))
    let run = try Apus.run("data", "list", "--data", folder.path)
    #expect(run.code == 0)
    #expect(run.output.contains("MNIST          \(folder.path)/MNIST/raw (1 of 4 files)"))
    #expect(run.output.contains("synthetic      built in"))
  }

  @Test("inspect: a file that isn't there, isn't one, or is damaged: one line with its name, code 1")
  func broken() throws {
    let folder = try TemporaryFolder()
    try Data("hello, world, hello".utf8).write(to: URL(fileURLWithPath: folder.file("text")))
    try Data().write(to: URL(fileURLWithPath: folder.file("empty")))
    for name in ["missing", "text", "empty", "."] {
      let run = try Apus.run("inspect", name, in: folder)
      #expect(run.code == 1 && run.output.isEmpty)
      #expect(run.errorLines.count == 1 && run.errors.hasPrefix("apus: \(name): "), "\(run.errors)")
    }
  }
}
