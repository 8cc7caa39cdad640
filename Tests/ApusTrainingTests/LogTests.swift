import ApusFormats
import ApusTraining
import Foundation
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
  @Test("objects keep the order of their keys")
  func order() {
    let value: JSON = ["b": 1, "a": [true, nil2, 2.5, "x"], "c": [:], "d": []]
    #expect(value.description == #"{"b": 1, "a": [true, null, 2.5, "x"], "c": {}, "d": []}"#)
    #expect(
      value.indented
        == "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    null,\n    2.5,\n    \"x\"\n  ],\n  \"c\": {},\n  \"d\": []\n}")
  }

  private var nil2: JSON { .null }

  @Test("numbers come back as they were; what isn't finite is null")
  func numbers() throws {
    for x in [0.1, 1e-12, Double.leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 1 / 3.0, 123_456_789] {
      let data = Data(JSON.array([.number(x)]).description.utf8)
      #expect(try JSONDecoder().decode([Double].self, from: data) == [x])
    }
    #expect(JSON.array([.number(.nan), .number(-.infinity)]).description == "[null, null]")
  }

  @Test("strings come back as they were")
  func strings() throws {
    let text = "quote \" backslash \\ slash / tab \t newline \n bell \u{7} delete \u{7F} é 数 🙂"
    #expect(try JSONDecoder().decode([String].self, from: Data(JSON.array([.string(text)]).description.utf8)) == [text])
  }
}

@Suite("Metrics log")
struct MetricsLogTests {
  @Test("each line is in the file when append returns")
  func flushed() throws {
    let folder = try TemporaryFolder()
    let log = try MetricsLog(folder.file("m.jsonl"))
    log.append(["epoch": 1])
    #expect(try folder.text("m.jsonl") == "{\"epoch\": 1}\n")
    log.append(["epoch": 2])
    #expect(try folder.text("m.jsonl") == "{\"epoch\": 1}\n{\"epoch\": 2}\n")
  }

  @Test("a new log replaces an old one")
  func replaced() throws {
    let folder = try TemporaryFolder()
    try MetricsLog(folder.file("m.jsonl")).append(["old": true])
    try MetricsLog(folder.file("m.jsonl")).append(["new": true])
    #expect(try folder.text("m.jsonl") == "{\"new\": true}\n")
  }

  @Test("a folder that isn't there is an error with the path")
  func missingFolder() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError(path: folder.file("no/m.jsonl"), operation: "create", code: ENOENT)) {
      try MetricsLog(folder.file("no/m.jsonl"))
    }
  }

  #if os(Linux)
    @Test("a full disk is reported once and stops nothing")
    func fullDisk() throws {
      var failures: [FileError] = []
      let log = try MetricsLog("/dev/full") { failures.append($0) }
      for epoch in 1...3 { log.append(["epoch": .integer(epoch)]) }
      #expect(failures.map(\.code) == [ENOSPC])
    }
  #endif
}

@Suite("Run folder")
struct RunFolderTests {
  @Test("folders on the way are made; one that is there is fine")
  func create() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.file("a/b//c/"))
    try run.create()
    try run.create()
    #expect(FileManager.default.fileExists(atPath: folder.file("a/b/c")))
    #expect(run.metrics == folder.file("a/b//c/metrics.jsonl"))
  }

  @Test("a file in the way is an error that names it")
  func fileInTheWay() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder.file("x")))
    #expect(throws: FileError(path: folder.file("x"), operation: "make a folder of it", code: ENOTDIR)) {
      try RunFolder(folder.file("x/y")).create()
    }
  }
}
