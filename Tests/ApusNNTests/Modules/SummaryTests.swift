import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("summary")
struct SummaryTests {
  /// Counts its calls, as batch norm does, and draws.
  private final class Restless: Module, Layer {
    @Buffer var calls = Tensor.zeros([], dtype: .int64)
    func forward(_ x: Tensor) -> Tensor {
      calls += 1
      return x + Tensor.rand(x.shape) * 0
    }
  }

  @Test("the table")
  func table() {
    let model = Sequential {
      Flatten(); Linear(784, 128); ReLU(); Sequential { Linear(128, 10) }
    }
    model[1].requiresGrad(false)
    #expect(
      model.summary(input: [2, 1, 28, 28]).description == """
        layer              output    parameters  multiply-adds
        ------------------------------------------------------
        Sequential         [2, 10]
          (0): Flatten     [2, 784]
          (1): Linear      [2, 128]     100,480        200,704
          (2): ReLU        [2, 128]
          (3): Sequential  [2, 10]
            (0): Linear    [2, 10]        1,290          2,560
        ------------------------------------------------------
        parameters     101,770 (1,290 trained, 100,480 frozen)
        multiply-adds  203,264
        memory         0.4 MB parameters and buffers, 8,400 bytes activations
        """)
  }

  @Test("a shared layer is counted once and named at each place; its calls add up")
  func shared() {
    let layer = Linear(3, 3)
    let summary = Sequential([layer, ReLU(), layer]).summary(Tensor.zeros([1, 3]))
    #expect(summary.rows.map(\.isRepeated) == [false, false, false, true])
    #expect(summary.rows.map(\.path) == ["", "0", "1", "2"] && summary.rows.map(\.depth) == [0, 1, 1, 1])
    #expect(summary.parameterCount == 12 && summary.trainedParameterCount == 12 && summary.multiplyAdds == 18)
    #expect(summary.description.contains("(as above)"))
  }

  @Test("the model is as before")
  func unchanged() {
    let restless = Restless()
    let model = Sequential([restless, Dropout(), Linear(2, 1)])
    model[1].eval()
    let summary = model.summary(input: [4, 2])
    #expect(summary.rows.count == 4 && restless.calls.item() == 0)
    #expect(model.modules().map(\.isTraining) == [true, true, false, true])
    #expect(model(Tensor.zeros([1, 2])).requiresGrad && restless.calls.item() == 1)
  }

  @Test("models with other inputs, and children in arrays")
  func others() {
    final class Model: Module {
      let layers = [Linear(2, 3), Linear(3, 4)]
      let unused = ReLU()
      func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor { layers[1](layers[0](a + b)) }
    }
    let model = Model()
    let summary = model.summary { _ = model(Tensor.zeros([5, 2]), Tensor.zeros([5, 2])) }
    #expect(summary.rows.map(\.name) == ["", "layers.0", "layers.1", "unused"])
    #expect(summary.rows.map(\.outputs) == [nil, [[5, 3]], [[5, 4]], nil])
    #expect(summary.multiplyAdds == 5 * (6 + 12))
  }

  @Test("layers without an input take it from the summary's")
  func lazy() {
    let model = Sequential([Linear(nil, 3), Linear(nil, 2)])
    #expect(model.summary(input: [1, 4]).parameterCount == 15 + 8)
    #expect(model.summary(input: [1, 4], dtype: .float32).rows[1].parameterCount == 15)
  }
}
