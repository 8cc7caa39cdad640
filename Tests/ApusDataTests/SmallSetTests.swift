import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

@Suite struct SmallSetTests {
  @Test("points in the plane and a curve: shapes, labels, seeds")
  func toys() {
    let spiral = ToySets.spiral(300)
    #expect(spiral.input.shape == [300, 2] && spiral.target.dtype == .int64)
    #expect((0..<3).allSatisfy { c in spiral.target.scalars(as: Int.self).count { $0 == c } == 100 })
    expectClose(spiral.input, ToySets.spiral(300).input)
    #expect((spiral.input .== ToySets.spiral(300, seed: 1).input).all().item() == 0)
    let radius = spiral.input.square().sum(dim: 1).sqrt()
    #expect(abs(radius[299].item() - 1) < 1e-5 && radius[0].item() == 0)
    let moons = ToySets.moons(10, noise: 0)
    #expect(moons.target.scalars(as: Int.self) == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    expectClose(moons.input[0], Tensor([1.0, 0]))
    expectClose(moons.input[9], Tensor([2.0, 0.5]), absolute: 1e-6)
    let sine = ToySets.sine(5, noise: 0)
    expectClose(sine.input, Tensor([[-1.0], [-0.5], [0], [0.5], [1]]))
    expectClose(sine.target, Tensor([[0.0], [-1], [0], [1], [0]]), absolute: 1e-6)
    for set in [ToySets.spiral(0), ToySets.moons(0), ToySets.sine(0), ToySets.spiral(1), ToySets.sine(1)] {
      #expect(set.input.isNaN().any().item() == 0)
    }
    #expect(mistake { _ = ToySets.spiral(3, classes: 0) } != nil)
  }

  @Test("synthetic CIFAR: a picture depends on seed, split and place alone")
  func syntheticCIFAR() {
    let set = SyntheticCIFAR.load(.train, count: 150)
    #expect(set.shape == [3, 32, 32] && set.labels.prefix(11) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    #expect(SyntheticCIFAR.load(.train, count: 40).pixels == Array(set.pixels.prefix(40 * 3072)))
    #expect(SyntheticCIFAR.load(.test, count: 40).pixels != Array(set.pixels.prefix(40 * 3072)))
    #expect(SyntheticCIFAR.load(.train, count: 0).count == 0)
  }

  @Test("tiny Shakespeare is known by its digest")
  func shakespeare() throws {
    let folder = try TemporaryFolder()
    let locator = DataLocator(folder: folder.path, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false)
    #expect(dataError { _ = try TinyShakespeare.load(from: locator) }?.kind == .missing)
    try folder.write(Array("To be".utf8), "tinyshakespeare/input.txt")
    #expect(dataError { _ = try TinyShakespeare.load(from: locator) }?.kind == .checksum)
  }

  @Test("the real tiny Shakespeare", .enabled(if: realData != nil))
  func realShakespeare() throws {
    let text = try TinyShakespeare.load(
      from: DataLocator(folder: realData, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false))
    #expect(text.utf8.count == 1_115_394 && Set(text).count == 65 && text.hasPrefix("First Citizen:\n"))
  }

  @Test("KMNIST has files and names of its own")
  func kuzushiji() throws {
    let folder = try TemporaryFolder()
    let locator = DataLocator(folder: folder.path, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false)
    try folder.write(idx([2, 1, 1], [1, 2]), "KMNIST/raw/train-images-idx3-ubyte")
    try folder.write(idx([2], [1, 9]), "KMNIST/raw/train-labels-idx1-ubyte")
    let set = try MNIST.load(.train, variant: .kuzushiji, from: locator)
    #expect(set.labels == [1, 9] && set.classNames[9] == "wo")
    #expect(dataError { _ = try MNIST.load(.test, variant: .kuzushiji, from: locator) }?.kind == .missing)
  }
}
