import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("weight averaging")
struct WeightAveragingTests {
  /// A parameter (1, −2) that moves by k · (0.5, 0.25) in step k, and the average's first number after each of five updates.
  static func run(_ make: ([ParameterCell]) -> WeightAverage) -> (cell: ParameterCell, average: WeightAverage, path: [Double]) {
    let cell = ParameterCell(Tensor([1.0, -2], dtype: .float64))
    let average = make([cell])
    let path = (1...5).map { k in
      noGrad { cell.value += Tensor([0.5, 0.25], dtype: .float64) * Double(k) }
      average.update()
      return average.averages[0].scalars(as: Double.self)[0]
    }
    return (cell, average, path)
  }

  func expectPath(_ path: [Double], _ expected: [Double]) {
    expectClose(
      Tensor(scalars: path, shape: [5], dtype: .float64), Tensor(scalars: expected, shape: [5], dtype: .float64),
      relative: 1e-14)
  }

  // torch 2.13: AveragedModel(m, multi_avg_fn=get_ema_multi_avg_fn(0.9)) and AveragedModel(m), with update_parameters in each step.
  @Test("the exponential average is PyTorch's")
  func exponential() {
    let (_, average, path) = Self.run { ExponentialMovingAverage($0, decay: 0.9) }
    expectPath(path, [1.5, 1.6, 1.84, 2.256, 2.8803999999999994])
    expectClose(average.averages[0], Tensor([2.8803999999999994, -1.0598000000000003], dtype: .float64), relative: 1e-14)
  }

  @Test("the running mean is PyTorch's")
  func mean() {
    expectPath(Self.run { StochasticWeightAverage($0) }.path, [1.5, 2, 2.6666666666666665, 3.5, 4.5])
  }

  @Test("averages are swapped in, and out again whatever happens")
  func swapping() throws {
    struct Mishap: Error {}
    let (cell, average, _) = Self.run { StochasticWeightAverage($0) }
    let address = cell.value.withUnsafeBytes { $0.baseAddress }
    let inside = average.withAveraged { cell.value.scalars(as: Double.self) }
    #expect(inside == [4.5, -0.25])
    #expect(cell.value.scalars(as: Double.self) == [8.5, 1.75])
    #expect(throws: Mishap.self) { try average.withAveraged { throw Mishap() } }
    #expect(cell.value.scalars(as: Double.self) == [8.5, 1.75] && !average.isSwappedIn)
    average.swap()
    #expect(cell.value.scalars(as: Double.self) == [4.5, -0.25] && cell.value.isLeaf && cell.value.requiresGrad)
    expectMistake("StochasticWeightAverage: update() while the averages stand in the parameters; swap() first") {
      average.update()
    }
    #expect(average.withAveraged { cell.value.scalars(as: Double.self) } == [4.5, -0.25])
    average.swap()
    #expect(cell.value.scalars(as: Double.self) == [8.5, 1.75])
    #expect(cell.value.withUnsafeBytes { $0.baseAddress } == address)
  }

  @Test("before the first update the average is the start, and later steps don't change it")
  func start() {
    let cell = ParameterCell(Tensor([1.0, -2]))
    let average = ExponentialMovingAverage([cell, cell])
    noGrad { cell.value += Tensor([1.0, 1]) }
    #expect(average.averages.map { $0.scalars(as: Double.self) } == [[1, -2]])
    average.update()
    noGrad { cell.value += Tensor([1.0, 1]) }
    #expect(average.averages[0].scalars(as: Double.self) == [2, -1])
  }

  @Test("a saved average goes on; one that doesn't fit is refused")
  func saving() throws {
    let (cell, average, _) = Self.run { StochasticWeightAverage($0) }
    let other = StochasticWeightAverage([cell])
    try other.loadStateDict(average.stateDict())
    average.update()
    other.update()
    #expect(average.averages[0].scalars(as: Double.self) == other.averages[0].scalars(as: Double.self))
    #expect(other.updates == 6)
    var broken = average.stateDict()
    broken.tensors["average.0"] = Tensor.zeros([3])
    broken.tensors["average.1"] = Tensor.zeros([3])
    broken.numbers["updates"] = 1.5
    let error = #expect(throws: OptimizerStateError.self) { try other.loadStateDict(broken) }
    #expect(
      error?.problems == [
        .value(name: "updates", found: 1.5, rule: "is not a number of updates"),
        .shape(name: "average.0", expected: [2], found: [3]), .unexpected(name: "average.1"),
      ])
    #expect(other.updates == 6)
    expectMistake("ExponentialMovingAverage: decay = 1.5 is not in 0...1") { _ = ExponentialMovingAverage([cell], decay: 1.5) }
  }
}
