import Apus
import ApusTraining
import Foundation
import TestSupport
import Testing

@Suite("TensorBoard")
struct TensorBoardTests {
  @Test("CRC-32C gives the values of RFC 3720, and TensorFlow's mask")
  func checksum() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum([]) == 0)
    // ((crc >> 15) | (crc << 17)) + 0xa282ead8 of 0xE3069283, in Python.
    #expect(CRC32C.masked(Array("123456789".utf8)) == 0xC78A_B0E5)
  }

  @Test("the file is made of frames with right checksums, the first a version, the second 48 bytes of a scalar")
  func frames() throws {
    let folder = try TemporaryFolder()
    let log = try TensorBoardLog(folder.file("run"), clock: { 1_700_000_000.5 })
    log.scalar("loss/train", 0.25, step: 3)
    let frames = try Self.frames(folder, "run")
    #expect(frames.count == 2)
    #expect(frames[0].contains("brain.Event:2".utf8))
    // Event: wall time (9), step (2), summary (2 + 19): value (2 + 17): tag (2 + 10), float (5).
    let tag = Array("loss/train".utf8)
    var expected: [UInt8] = [0x09] + withUnsafeBytes(of: (1_700_000_000.5).bitPattern.littleEndian, Array.init)
    expected += [0x10, 3, 0x2A, 19, 0x0A, 17, 0x0A, 10] + tag + [0x15, 0, 0, 0x80, 0x3E]
    #expect(frames[1] == expected)
  }

  @Test("two logs of one folder and one second are two files")
  func names() throws {
    let folder = try TemporaryFolder()
    let logs = try (0..<2).map { _ in try TensorBoardLog(folder.path, clock: { 12 }) }
    #expect(folder.names().count == logs.count)
    #expect(folder.names().allSatisfy { $0.wholeMatch(of: /events\.out\.tfevents\.0000000012\.[\w.-]+\.\d+\.\d+/) != nil })
  }

  @Test("histograms, pictures, texts and graphs are events of their own; a picture that is none is a mistake")
  func kinds() throws {
    let folder = try TemporaryFolder()
    let log = try TensorBoardLog(folder.file("run"))
    log.histogram("w", Tensor([1, 2, 3.5]), step: 1)
    try log.image("picture", Tensor.zeros([3, 4, 5], dtype: .uint8), step: 1)
    log.text("config", "epochs: 5", step: 0)
    let model = Sequential([Linear(2, 3), ReLU()])
    log.graph(ModelGraph(of: model, input: Tensor.zeros([1, 2])))
    let frames = try Self.frames(folder, "run")
    #expect(frames.count == 5)
    #expect(frames[2].contains([0x89, 0x50, 0x4E, 0x47]) && frames[3].contains("epochs: 5".utf8))
    #expect(frames[4].contains("0/Linear".utf8) && frames[4].contains("1/ReLU".utf8))
    #expect(throws: TensorError.self) { try catching { try log.image("x", Tensor.zeros([5, 4, 4]), step: 1) } }
  }

  @Test("a run that goes on says from where")
  func resumed() throws {
    let folder = try TemporaryFolder()
    _ = try TensorBoardLog(folder.path, resumingAt: 70, clock: { 1 })
    // Step 70, and a SessionLog with the status START.
    #expect(try Self.frames(folder)[1].suffix(6) == [0x10, 70, 0x3A, 2, 0x08, 1])
  }

  @Test("the callback writes curves of batches and passes, and histograms of all parameters")
  func callback() throws {
    let folder = try TemporaryFolder()
    let model = Sequential([Linear(2, 2, generator: Generator(seed: 1))])
    let trainer = Trainer(
      model, optimizer: SGD(model.parameters(), lr: 0.125), loss: { crossEntropy($0, $1) }, correct: correctClasses)
    let x = Tensor.randn([20, 2], generator: Generator(seed: 2))
    let answers = AnswerRecorder(classNames: ["a", "b"])
    let log = try TensorBoardLog(folder.path)
    trainer.callbacks = [answers, TensorBoardWriter(log, model: model, answers: answers, interval: 2)]
    let target = (x.sum(dim: 1) .> 0).to(.int64)
    try trainer.fit(x, target, validation: (x, target), epochs: 2, batchSize: 4, seed: 1)
    let text = try Self.frames(folder).map { String(decoding: $0, as: Unicode.ASCII.self) }
    func count(_ tag: String) -> Int { text.count { $0.contains(tag) } }
    #expect(count("batch/loss") == 6 && count("batch/learning_rate") == 6)
    for tag in ["loss/train", "loss/test", "accuracy/train", "accuracy/test", "parameters/0.weight", "test/Confusion matrix"] {
      #expect(count(tag) == 2, "\(tag)")
    }
  }

  /// The contents of all frames in the only file of a folder, their checksums verified.
  private static func frames(_ folder: TemporaryFolder, _ name: String = "") throws -> [[UInt8]] {
    let file = try #require(folder.names(in: name).first)
    var rest = try folder.read(name.isEmpty ? file : "\(name)/\(file)")[...]
    func number(_ bytes: some Sequence<UInt8>) -> Int { Array(bytes).reversed().reduce(0) { $0 << 8 | Int($1) } }
    var frames: [[UInt8]] = []
    while !rest.isEmpty {
      let (head, data) = (Array(rest.prefix(12)), Array(rest.dropFirst(12).prefix(number(rest.prefix(8)))))
      #expect(number(head.suffix(4)) == Int(CRC32C.masked(Array(head.prefix(8)))))
      #expect(number(rest.dropFirst(12 + data.count).prefix(4)) == Int(CRC32C.masked(data)))
      frames.append(data)
      rest = rest.dropFirst(16 + data.count)
    }
    return frames
  }
}

extension [UInt8] {
  fileprivate func contains(_ part: some Collection<UInt8>) -> Bool { firstRange(of: Array(part)) != nil }
}

@Suite("Histogram")
struct HistogramTests {
  @Test("every finite element is in one interval, the largest in the last")
  func counts() {
    let histogram = Histogram(of: Tensor([0, 1, 1, 2, 3, 4, Float.nan, .infinity]), bins: 4)
    #expect(histogram.counts == [1, 2, 1, 2])
    #expect(histogram.edges == [0, 1, 2, 3, 4])
    #expect(histogram.count == 6 && histogram.notFinite == 2 && histogram.sum == 11 && histogram.sumOfSquares == 31)
    #expect(abs(histogram.deviation - (31.0 / 6 - 121.0 / 36).squareRoot()) < 1e-12)
  }

  @Test("nothing, one value, extremes")
  func edges() {
    #expect(Histogram(of: Tensor.zeros([0]), bins: 2).counts == [0, 0])
    #expect(Histogram(of: Tensor([5, 5]), bins: 3).counts == [2, 0, 0])
    let wide = Histogram(
      of: Tensor(scalars: [-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude], shape: [2], dtype: .float64))
    #expect(wide.counts.first == 1 && wide.counts.last == 1 && wide.edges.allSatisfy(\.isFinite))
  }
}
