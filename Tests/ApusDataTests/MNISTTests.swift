import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct MNISTTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var locator: DataLocator {
    DataLocator(folder: folder.path, environment: ["XDG_CACHE_HOME": folder.file("none")], allowsDownload: false)
  }

  /// Three pictures of 2×2 and their labels, as a set of one's own.
  private func writeOwn(images: [UInt8]? = nil, labels: [UInt8]? = nil, suffix: String = "") throws {
    let images = images ?? idx([3, 2, 2], [0, 51, 102, 153, 204, 255, 0, 0, 1, 2, 3, 4])
    let labels = labels ?? idx([3], [7, 0, 9])
    try folder.write(suffix.isEmpty ? images : gzip(images), "train-images-idx3-ubyte" + suffix)
    try folder.write(suffix.isEmpty ? labels : gzip(labels), "train-labels-idx1-ubyte" + suffix)
  }

  @Test("plain files of another size are a set of one's own")
  func own() throws {
    try writeOwn()
    let set = try MNIST.load(.train, from: locator)
    #expect(set.count == 3 && set.shape == [1, 2, 2] && set.labels == [7, 0, 9])
    #expect(set[1].input.shape == [1, 2, 2] && set[1].target.item() == 0)
    #expect(set[0].input.scalars(as: Float.self).map { ($0 * 5).rounded() } == [0, 1, 2, 3])
    #expect(throws: DataError.self) { try MNIST.load(.test, from: locator) }
  }

  @Test("an archive that isn't the published one is an error with both digests")
  func checksum() throws {
    try writeOwn(suffix: ".gz")
    let error = dataError { _ = try MNIST.load(.train, from: locator) }
    #expect(error?.kind == .checksum)
    #expect(error?.path == folder.file("train-images-idx3-ubyte.gz"))
    #expect(error?.reason.contains("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db") == true)
    // sha256sum of the file that `writeOwn` makes
    let own = try IDX.read(folder.file("train-images-idx3-ubyte.gz")).digest
    #expect(error?.reason.contains(own.description) == true)
  }

  @Test("of Fashion-MNIST a sound copy is accepted")
  func fashion() throws {
    try writeOwn(suffix: ".gz")
    let set = try MNIST.load(.train, variant: .fashion, from: locator)
    #expect(set.classNames[9] == "Ankle boot")
  }

  @Test("what doesn't fit is an error that names the file", arguments: ["", ".gz"])
  func misfits(suffix: String) throws {
    func error(images: [UInt8]? = nil, labels: [UInt8]? = nil) throws -> DataError? {
      try writeOwn(images: images, labels: labels, suffix: suffix)
      return dataError { _ = try MNIST.load(.train, from: locator) }
    }
    let label = try error(labels: idx([3], [7, 10, 9]))
    #expect(label?.kind == .labels)
    #expect(label?.path == folder.file("train-labels-idx1-ubyte" + suffix))
    #expect(label?.reason == "label 1 is 10, out of range: the classes are 0...9")
    let count = try error(labels: idx([2], [7, 1]))
    #expect(count?.kind == .labels)
    #expect(count?.reason.hasPrefix("2 labels for the 3 pictures of ") == true)
    #expect(try error(images: idx([3], [1, 2, 3]))?.kind == .format)
    #expect(try error(images: idx([3, 0, 2], []))?.kind == .format)
    #expect(try error(labels: idx([3, 1], [1, 2, 3]))?.kind == .format)
    #expect(try error(images: idx([3, 2, 2], [1, 2, 3], magic: [0, 0, 13, 3]))?.kind == .format)
    #expect(try error(images: idx([3, 2, 2], [1, 2, 3])) != nil)
  }

  @Test("the real MNIST", .enabled(if: realData != nil))
  func real() throws {
    let locator = DataLocator(folder: realData, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false)
    let (train, test) = (try MNIST.load(.train, from: locator), try MNIST.load(.test, from: locator))
    #expect(train.count == 60_000 && test.count == 10_000 && train.shape == [1, 28, 28])
    // numpy.bincount of the label files
    let counts = (0..<10).map { digit in train.labels.count { $0 == digit } }
    #expect(counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(Array(train.labels.prefix(10)) == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    // The mean and deviation that everyone normalises with.
    let values = train.pixels.map { Double($0) / 255 }
    let mean = values.reduce(0, +) / Double(values.count)
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    #expect(abs(mean - 0.1307) < 5e-5 && abs(deviation - 0.3081) < 5e-5)
  }

  @Test("the real MNIST's files aren't taken for Fashion-MNIST", .enabled(if: realData != nil))
  func confused() throws {
    // Test files only: they are small.
    let real = DataLocator(folder: realData, environment: ["XDG_CACHE_HOME": "/nonexistent"])
    let paths = [MNIST.files(.test, .digits).images, MNIST.files(.test, .digits).labels].compactMap(real.find)
    for path in paths {
      let name = path.split(separator: "/").last.map(String.init) ?? ""
      try folder.write(Array(Data(contentsOf: URL(fileURLWithPath: path))), name)
    }
    let error = dataError { _ = try MNIST.load(.test, variant: .fashion, from: locator) }
    #expect(error?.kind == .checksum)
    #expect(error?.reason == "these are MNIST's digits, not Fashion-MNIST")
    #expect(try MNIST.load(.test, from: locator).count == 10_000)
  }
}
