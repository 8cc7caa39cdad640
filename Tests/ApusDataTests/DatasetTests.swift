import ApusCore
import ApusData
import Testing

@Suite struct DatasetTests {
  @Test("a tensor data set hands out rows")
  func tensors() throws {
    let set = TensorDataset(input: Tensor([[1.0, 2], [3, 4], [5, 6]]), target: Tensor([10, 20, 30]))
    #expect(set.count == 3)
    #expect(set[1].input.array(as: [Float].self) == [3, 4])
    #expect(set[1].target.item(as: Int.self) == 20)
    let batch = set.batch(at: [2, 0, 2])
    #expect(batch.count == 3)
    #expect(batch.input.array(as: [[Float]].self) == [[5, 6], [1, 2], [5, 6]])
    #expect(batch.target.array(as: [Int].self) == [30, 10, 30])
  }

  @Test("tensors of different lengths don't make one")
  func mismatch() {
    let error = #expect(throws: TensorError.self) {
      try catching { TensorDataset(input: Tensor([1.0, 2]), target: Tensor([1])) }
    }
    #expect(error?.description == "TensorDataset: input [2] and target [1] differ in their first size")
    #expect(throws: TensorError.self) { try catching { TensorDataset(input: Tensor(1.0), target: Tensor(1)) } }
    #expect(throws: TensorError.self) {
      try catching { TensorDataset(input: Tensor([1.0, 2]), target: Tensor([1, 2])).batch(at: [2]) }
    }
  }

  @Test("count and a subscript are enough: batches are stacked")
  func stacked() throws {
    struct Squares: Dataset {
      let count = 10
      subscript(i: Int) -> Example { Example(input: Tensor([Float(i)]), target: Tensor(Float(i * i))) }
    }
    let batch = try Squares().batch(at: [3, 1])
    #expect(batch.input.array(as: [[Float]].self) == [[3], [1]])
    #expect(batch.target.array(as: [Float].self) == [9, 1])
    struct Lone: Dataset {
      let count = 2
      subscript(i: Int) -> Tensor { Tensor([i]) }
    }
    #expect(try Lone().batch(at: [1, 0]).array(as: [[Int]].self) == [[1], [0]])
  }

  @Test("a subset is some samples, a prefix the first ones")
  func subsets() throws {
    let set = TensorDataset(input: Tensor([0.0, 1, 2, 3]), target: Tensor([0, 1, 2, 3]))
    let some = Subset(set, indices: [3, 1])
    #expect(some.count == 2)
    #expect(try some[0].target.item(as: Int.self) == 3)
    #expect(try some.batch(at: [1, 0]).target.array(as: [Int].self) == [1, 3])
    #expect(set.prefix(2).indices == [0, 1])
    #expect(set.prefix(.max).count == 4)
    #expect(set.prefix(-1).count == 0)
  }

  @Test("pictures become floats of 0...1, or normalised per channel")
  func images() throws {
    let set = try ImageDataset(
      pixels: [0, 255, 51, 102, 255, 0, 0, 255], labels: [1, 0], shape: [2, 1, 2], classNames: ["a", "b"])
    let batch = set.batch(at: [1, 0, 1])
    #expect(batch.input.shape == [3, 2, 1, 2] && batch.input.dtype == .float32)
    #expect(batch.target.dtype == .int64 && batch.target.array(as: [Int].self) == [0, 1, 0])
    let close: ([Float], [Float]) -> Bool = { a, b in a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 } }
    #expect(close(set[0].input.scalars(as: Float.self), [0, 1, 0.2, 0.4]))
    let normal = set.normalized(mean: [0.5, 0.2], std: [0.5, 0.1])
    #expect(close(normal[0].input.scalars(as: Float.self), [-1, 1, 0, 2]))
    #expect(close(set.normalized(mean: [0], std: [2])[0].input.scalars(as: Float.self), [0, 0.5, 0.1, 0.2]))
    #expect(set.batch(at: []).input.shape == [0, 2, 1, 2])
  }

  @Test("pictures and labels must fit")
  func imageErrors() {
    func kind(_ pixels: Int, _ labels: [Int], _ shape: Shape) -> DataError.Kind? {
      dataError {
        _ = try ImageDataset(pixels: [UInt8](repeating: 0, count: pixels), labels: labels, shape: shape, classNames: ["a", "b"])
      }?
      .kind
    }
    #expect(kind(8, [0, 1], [1, 2, 2]) == nil)
    #expect(kind(8, [0, 2], [1, 2, 2]) == .labels)
    #expect(kind(8, [0, -1], [1, 2, 2]) == .labels)
    #expect(kind(7, [0, 1], [1, 2, 2]) == .labels)
    #expect(kind(8, [0, 1], [2, 2]) == .labels)
    #expect(kind(0, [0, 1], [1, 0, 2]) == .labels)
    let set = SyntheticDigits.load(.train, count: 3)
    #expect(throws: TensorError.self) { try catching { set.batch(at: [3]) } }
    #expect(throws: TensorError.self) { try catching { set.normalized(mean: [0, 0], std: [1, 1]) } }
    #expect(throws: TensorError.self) { try catching { set.normalized(mean: [0], std: [0]) } }
  }
}
