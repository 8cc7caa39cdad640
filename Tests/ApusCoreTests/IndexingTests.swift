import ApusCore
import TestSupport
import Testing

/// Expected numbers are NumPy's: `x = np.arange(24).reshape(2, 3, 4)`.
@Suite("subscripts")
struct IndexingTests {
  let x = Tensor.arange(24).reshape(2, 3, 4)

  func expect(_ y: Tensor, _ shape: Shape, _ values: [Int], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(y.shape == shape, sourceLocation: sourceLocation)
    #expect(y.scalars(as: Int.self) == values, sourceLocation: sourceLocation)
  }

  @Test("numbers, ranges and strides")
  func basic() {
    expect(x[1, -1], [4], [20, 21, 22, 23])
    expect(x[0, 1, 2], [], [6])
    expect(x[0, 0..<2, 1...2], [2, 2], [1, 2, 5, 6])
    expect(x[0, 1..., 3...], [2, 1], [7, 11])
    expect(x[0, ..<1, ...1], [1, 2], [0, 1])
    expect(x[0, 0, ..<(-1)], [3], [0, 1, 2])
    expect(x[0, 0, (-2)...], [2], [2, 3])
    expect(x[0, 0, (-3)...(-1)], [3], [1, 2, 3])
    expect(x[0, 0, .slice(step: -1)], [4], [3, 2, 1, 0])
    expect(x[0, 0, .slice(-2, 0, step: -1)], [2], [2, 1])
    expect(x[0, 0, stride(from: 0, to: 4, by: 2)], [2], [0, 2])
    expect(x[0, 0, stride(from: 3, through: 0, by: -3)], [2], [3, 0])
    expect(x[0, 0, stride(from: 2, to: 2, by: 1)], [0], [])
    expect(x[0, 0, 2..<100], [2], [2, 3])
    expect(x[0, 0, 7..<9], [0], [])
  }

  @Test("ellipsis, whole axes and new axes")
  func special() {
    expect(x[.ellipsis, 0], [2, 3], [0, 4, 8, 12, 16, 20])
    expect(x[1, .ellipsis, 0], [3], [12, 16, 20])
    expect(x[.all, 1, .all].sum(dim: 0), [4], [20, 22, 24, 26])
    #expect(x[.newAxis, .ellipsis, .newAxis].shape == [1, 2, 3, 4, 1])
    #expect(x[0, .newAxis, 1].shape == [1, 4])
    #expect(x[.ellipsis].shape == [2, 3, 4])
  }

  @Test("integer tensors pick and broadcast together")
  func integerTensors() {
    expect(x[Tensor([1, 0, 1]), 0, 0], [3], [12, 0, 12])
    expect(x[0, Tensor([2, -1])], [2, 4], [8, 9, 10, 11, 8, 9, 10, 11])
    expect(x[Tensor([0, 1]), Tensor([1, 2]), Tensor([3, 0])], [2], [7, 20])
    expect(x[Tensor([[0], [1]]), Tensor([0, 2]), 1], [2, 2], [1, 9, 13, 21])
    // Adjacent index axes stay where they were; separated ones go in front.
    #expect(x[.all, Tensor([0, 1]), Tensor([1, 2])].shape == [2, 2])
    expect(x[Tensor([0, 1]), .all, Tensor([0, 3])], [2, 3], [0, 4, 8, 15, 19, 23])
    #expect(x[.all, Tensor([[0, 1], [1, 2]])].shape == [2, 2, 2, 4])
    expect(x[Tensor(1), Tensor(2)], [4], [20, 21, 22, 23])
    expect(x[Tensor([Int32(1)]), 0, 0], [1], [12])
    #expect(x[Tensor.zeros([0], dtype: .int64)].shape == [0, 3, 4])
  }

  @Test("masks pick where they are true")
  func masks() {
    expect(x[x .> 20], [3], [21, 22, 23])
    expect(x[Tensor([true, false]), 0, 0], [1], [0])
    expect(x[.all, Tensor([false, true, true]), 3], [2, 2], [7, 11, 19, 23])
    expect(x[x[.ellipsis, 0] .> 10], [3, 4], Array(12..<24))
    #expect(x[Tensor(true)].shape == [1, 2, 3, 4] && x[Tensor(false)].shape == [0, 2, 3, 4])
    expect(x.maskedSelect(Tensor([false, false, false, true])), [6], [3, 7, 11, 15, 19, 23])
    expect(Tensor([[0, 2], [3, 0]]).nonzero(), [2, 2], [0, 1, 1, 0])
    #expect(Tensor(7).nonzero().shape == [1, 0])
  }

  @Test("assignment changes this tensor only, converts and broadcasts")
  func assignment() {
    var y = x
    y[0, 1] = 7
    expect(y[0, 1], [4], [7, 7, 7, 7])
    expect(x[0, 1], [4], [4, 5, 6, 7])
    y[.ellipsis, 0] = Tensor([1, 2, 3])
    expect(y[.ellipsis, 0], [2, 3], [1, 2, 3, 1, 2, 3])
    y[1, .all, .slice(step: -2)] = Tensor([[10.9, 20.9]])
    expect(y[1, 0], [4], [1, 20, 14, 10])
    y[y .> 9] = 0
    #expect(y.amax().item() <= 9)
    y[Tensor([0, 1]), Tensor([0, 2])] = Tensor([[1, 1, 1, 1], [2, 2, 2, 2]])
    expect(y[1, 2], [4], [2, 2, 2, 2])
    y[0] = x[1]
    expect(y[0], [3, 4], Array(12..<24))
    let view = y[0]
    y[0] = 0
    #expect(view.sum().item() == Double((12..<24).reduce(0, +)))
    y[1, 0] += 5
    var z = Tensor([1.0, 2, 3])
    z[Tensor([true, false, true])] = Tensor([8.0, 9])
    expect(z, [3], [8, 2, 9])
    // A tensor assigned to a part of itself.
    var w = Tensor([1, 2, 3, 4])
    w[1...] = w[..<3]
    expect(w, [4], [1, 1, 2, 3])
  }

  @Test("what doesn't fit is an error")
  func errors() {
    expectMistake("subscript: index 2 is not in axis 0 of [2, 3, 4]") { _ = x[2] }
    expectMistake("subscript: 4 indices for a tensor of shape [2, 3, 4]") { _ = x[0, 0, 0, 0] }
    expectMistake("subscript: more than one ellipsis") { _ = x[.ellipsis, .ellipsis] }
    expectMistake("subscript: index 3 is not in axis 1 of [2, 3, 4]") { _ = x[.all, Tensor([0, 3])] }
    expectMistake("subscript: index -4 is not in axis 1 of [2, 3, 4]") { _ = x[.all, Tensor([0, -4])] }
    expectMistake("subscript: index tensors of shapes [[2], [3]] do not broadcast") { _ = x[Tensor([0, 1]), Tensor([0, 1, 2])] }
    expectMistake("subscript: a mask of shape [3] for axes of sizes [2] of [2, 3, 4]") { _ = x[Tensor([true, false, true])] }
    expectMistake("subscript: index tensors are integers or bool, not float32") { _ = x[Tensor([1.0])] }
    expectMistake("subscript: a slice with step 0") { _ = x[.slice(step: 0)] }
    expectMistake("subscript: a value of shape [3] does not fit the part of shape [3, 4]") {
      var y = x
      y[0] = Tensor([1, 2, 3])
    }
    expectMistake("subscript: a value of shape [2] does not fit the part of shape [3]") {
      var y = x
      y[Tensor([0, 1, 0]), 0, 0] = Tensor([1, 2])
    }
    expectMistake("maskedSelect: the mask is int64, not bool") { _ = x.maskedSelect(x) }
  }

  @Test("gather and scatter, by dtype and layout")
  func gatherScatter() {
    let index = Tensor([[[0, 2, 1, 0]], [[1, 1, 1, 1]]])
    for dtype in DType.allCases {
      for layout in Layout.allCases {
        let table = layout.tensor(x.remainder(7).to(dtype))
        let y = table.gather(dim: 1, index: index)
        let expected = (0..<2).flatMap { i in (0..<4).map { j in table[i, index[i, 0, j].item(as: Int.self), j].item() } }
        #expect(y.scalars(as: Double.self) == expected, "\(dtype) \(layout)")
      }
    }
    let zeros = Tensor.zeros([3, 3])
    expectClose(
      zeros.scatter(dim: 1, index: Tensor([[0, 2], [1, 1]]), Tensor([[1.0, 2], [3, 4]])),
      Tensor([[1.0, 0, 2], [0, 4, 0], [0, 0, 0]]))
    expectClose(
      zeros.scatterAdd(dim: 0, index: Tensor([[0, 0, 2], [0, 1, 2]]), Tensor.ones([2, 3])),
      Tensor([[2.0, 1, 0], [0, 1, 0], [0, 0, 2]]))
    expectClose(zeros.scatter(dim: 0, index: Tensor([[2]]), 5)[2], Tensor([5.0, 0, 0]))
    expectMistake("gather: index 3 is not in 0..<3") { _ = zeros.gather(dim: 0, index: Tensor([[3]])) }
    expectMistake("gather: index -1 is not in 0..<3") { _ = zeros.gather(dim: 0, index: Tensor([[-1]])) }
    expectMistake("gather: the index is float32, not int64") { _ = zeros.gather(dim: 0, index: zeros) }
    expectMistake("gather: an index of shape [1] for a tensor of shape [3, 3]") { _ = zeros.gather(dim: 0, index: Tensor([0])) }
    expectMistake("gather: the index, [1, 4], is larger than the tensor, [3, 3], in axis 1") {
      _ = zeros.gather(dim: 0, index: Tensor([[0, 0, 0, 0]]))
    }
    expectMistake("scatter: source of shape [1, 1] is smaller than the index, [1, 2]") {
      _ = zeros.scatter(dim: 0, index: Tensor([[0, 0]]), Tensor([[1.0]]))
    }
    expectMistake("scatterAdd: source is int64, the tensor float32") {
      _ = zeros.scatterAdd(dim: 0, index: Tensor([[0]]), Tensor([[1]]))
    }
  }

  @Test("indexSelect, indexAdd, indexCopy")
  func indexed() {
    expect(x.indexSelect(dim: 1, index: Tensor([2, 0]))[0], [2, 4], [8, 9, 10, 11, 0, 1, 2, 3])
    expect(x.indexSelect(dim: 2, index: Tensor(3)), [2, 3, 1], [3, 7, 11, 15, 19, 23])
    expect(Tensor([1, 2, 3]).indexAdd(dim: 0, index: Tensor([0, 0, 2]), Tensor([10, 20, 30])), [3], [31, 2, 33])
    expect(Tensor([1, 2, 3]).indexCopy(dim: 0, index: Tensor([2]), Tensor([9])), [3], [1, 2, 9])
    // Long columns and many rows take the threaded way.
    let table = Tensor.arange(500 * 300, dtype: .float64).reshape(500, 300)
    let rows = Tensor.randint(0, 500, [2000], generator: Generator(seed: 4))
    let sums = Tensor.zeros([500, 300], dtype: .float64).indexAdd(dim: 0, index: rows, table.indexSelect(dim: 0, index: rows))
    let counts = rows.oneHot(500).sum(dim: 0).to(.float64).unsqueeze(dim: 1)
    expectClose(sums, table * counts)
    expectMistake("indexSelect: index 3 is not in 0..<3") { _ = x.indexSelect(dim: 1, index: Tensor([3])) }
    expectMistake("indexSelect: the index has shape [1, 1]; it takes one axis") {
      _ = x.indexSelect(dim: 1, index: Tensor([[0]]))
    }
    expectMistake("indexAdd: source of shape [2] where [1] is needed") {
      _ = Tensor([1, 2]).indexAdd(dim: 0, index: Tensor([0]), Tensor([1, 2]))
    }
  }

  @Test("oneHot")
  func oneHot() {
    expect(Tensor([0, 2]).oneHot(), [2, 3], [1, 0, 0, 0, 0, 1])
    #expect(Tensor([[0], [1]]).oneHot(4).shape == [2, 1, 4])
    expectMistake("oneHot: class numbers 0…5 for 3 classes") { _ = Tensor([0, 5]).oneHot(3) }
    expectMistake("oneHot: class numbers are int64, not float32") { _ = Tensor([0.0]).oneHot(3) }
  }

  @Test("sort and topk are stable, put NaN last, and work along any axis")
  func sorting() {
    let y = Tensor([[3.0, 1, 2], [.nan, -1, -1]])
    let (values, indices) = y.sort(dim: 1)
    expectClose(values, Tensor([[1.0, 2, 3], [-1, -1, .nan]]))
    expect(indices, [2, 3], [1, 2, 0, 1, 2, 0])
    expect(y.argsort(dim: 1, descending: true), [2, 3], [0, 2, 1, 0, 1, 2])
    expect(Tensor([[3, 1], [2, 5]]).sort(dim: 0).values, [2, 2], [2, 1, 3, 5])
    let top = Tensor([4, 9, 1, 7]).topk(2)
    expect(top.values, [2], [9, 7])
    expect(top.indices, [2], [1, 3])
    expect(Tensor([4, 9, 1, 7]).topk(2, largest: false).values, [2], [1, 4])
    for dtype in DType.allCases where dtype != .bool {
      expect(Tensor([3, 1, 2]).to(dtype).sort().values.to(.int64), [3], [1, 2, 3])
    }
    expect(Tensor([true, false]).sort().values.to(.int64), [2], [0, 1])
    expectMistake("topk: k = 5 is not in 0...4 (shape [4])") { _ = Tensor([4, 9, 1, 7]).topk(5) }
  }
}
