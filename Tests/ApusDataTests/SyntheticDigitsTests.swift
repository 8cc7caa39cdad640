import ApusCore
import ApusData
import ApusFormats
import Testing

@Suite struct SyntheticDigitsTests {
  @Test("the same seed gives the same pictures; a longer set begins with the shorter")
  func deterministic() {
    let (a, b) = (SyntheticDigits.draw(.train, count: 300, seed: 7), SyntheticDigits.draw(.train, count: 173, seed: 7))
    #expect(Array(a.pixels.prefix(b.pixels.count)) == b.pixels)
    #expect(Array(a.labels.prefix(173)) == b.labels)
    #expect(SyntheticDigits.draw(.train, count: 300, seed: 8).pixels != a.pixels)
    #expect(SyntheticDigits.draw(.test, count: 300, seed: 7).pixels != a.pixels)
    #expect(SyntheticDigits.draw(.test, count: 0, seed: 7).pixels.isEmpty)
  }

  @Test("the pictures are what they were when this was written: nothing in them depends on the machine")
  func golden() {
    let (pixels, labels) = SyntheticDigits.draw(.train, count: 1000, seed: 0)
    #expect(SHA256.digest(of: pixels).description == "25d0a25f9b9e761444069fe242c68cf198ecbb883876ad18fdff3156bc462adb")
    #expect(Array(labels.prefix(10)) == [8, 6, 2, 9, 0, 3, 4, 5, 7, 1])
  }

  @Test("ten in a row are ten classes")
  func balanced() {
    let labels = SyntheticDigits.draw(.test, count: 500, seed: 3).labels
    for start in stride(from: 0, to: 500, by: 10) { #expect(Set(labels[start..<start + 10]).count == 10) }
    #expect(Array(labels[0..<10]) != Array(labels[10..<20]))
  }

  @Test("every picture has ink, mostly inside, and no two are the same")
  func ink() {
    let count = 2000
    let pixels = SyntheticDigits.draw(.train, count: count, seed: 1).pixels
    var seen: Set<[UInt8]> = []
    for i in 0..<count {
      let picture = Array(pixels[i * 784..<(i + 1) * 784])
      #expect(picture.count { $0 > 100 } >= 12, "picture \(i) is empty")
      #expect(picture.count { $0 > 100 } <= 450, "picture \(i) is full")
      seen.insert(picture)
    }
    #expect(seen.count == count)
  }

  @Test("as a data set: 28×28, ten classes")
  func dataset() {
    let set = SyntheticDigits.load(.train, count: 20)
    #expect(set.count == 20 && set.shape == [1, 28, 28] && set.classNames.count == 10)
    #expect(set.batch(at: [0, 1]).input.shape == [2, 1, 28, 28])
  }

  @Test("not trivial: the nearest mean picture, a linear classifier, errs often")
  func notTrivial() {
    let (train, test) = (SyntheticDigits.draw(.train, count: 5000, seed: 0), SyntheticDigits.draw(.test, count: 1000, seed: 0))
    var means = [[Float]](repeating: [Float](repeating: 0, count: 784), count: 10)
    for i in 0..<5000 { for k in 0..<784 { means[Int(train.labels[i])][k] += Float(train.pixels[i * 784 + k]) / 500 } }
    let correct = (0..<1000).count { i in
      let distances = means.map { mean in
        (0..<784).reduce(Float(0)) { sum, k in
          let difference = Float(test.pixels[i * 784 + k]) - mean[k]
          return sum + difference * difference
        }
      }
      return distances.firstIndex(of: distances.min()!) == Int(test.labels[i])
    }
    #expect(correct < 900 && correct > 500, "\(correct) of 1000")
  }
}
