import ApusCore
import ApusNN
import TestSupport
import Testing

/// Every kind of property that is looked through, with inheritance.
private class Base: Module {
  @Parameter var scale: Tensor  // [2]
  @Buffer var count: Tensor
  let first = Linear(2, 2)
  let number = 3
  let name = "base"

  override init() {
    scale = Tensor.ones([2])
    count = Tensor.zeros([], dtype: .int64)
  }
}

private final class Derived: Base {
  @Parameter var offset: Tensor?  // [2]
  @Parameter var absent: Tensor?
  @Buffer(isPersistent: false) var mask: Tensor
  var layers: [any Layer]
  let grid: [[Linear]]
  let byName: [String: Linear]
  let byNumber: [Int: Linear]
  var optional: Linear?
  let missing: Linear?
  let cells = [Parameter(wrappedValue: Tensor.zeros([1])), Parameter(wrappedValue: Tensor.zeros([2]))]
  let table = [Float](repeating: 0, count: 100_000)
  let closure: (Tensor) -> Tensor = { $0 }

  override init() {
    layers = [Linear(2, 3), ReLU(), Linear(3, 2, bias: false)]
    grid = [[Linear(1, 1, bias: false)], []]
    byName = ["b": Linear(1, 1, bias: false), "a": Linear(1, 1, bias: false)]
    byNumber = [10: Linear(1, 1, bias: false), 9: Linear(1, 1, bias: false)]
    optional = Linear(1, 2, bias: false)
    missing = nil
    super.init()
    offset = Tensor.zeros([2])
    absent = nil
    mask = Tensor([true])
  }
}

private final class Tied: Module {
  let embedding = Linear(3, 4, bias: false)
  let head = Linear(3, 4)

  override init() {
    super.init()
    head.$weight = embedding.$weight
  }
}

private final class Child: Module {
  weak var parent: Parent?
  let layer = Linear(1, 1)
}

private final class Parent: Module {
  let child = Child()
  override init() {
    super.init()
    child.parent = self
  }
}

@Suite("modules")
struct ModuleTests {
  @Test("names are PyTorch's keys, in PyTorch's order")
  func names() {
    let model = Derived()
    #expect(
      model.stateDict().names == [
        "scale", "offset", "cells.0", "cells.1", "count", "first.weight", "first.bias", "layers.0.weight", "layers.0.bias",
        "layers.2.weight", "grid.0.0.weight", "by_name.a.weight", "by_name.b.weight", "by_number.9.weight", "by_number.10.weight",
        "optional.weight",
      ])
    #expect(model.namedBuffers().map(\.name) == ["count", "mask"])
    #expect(model.namedParameters().map(\.name) == model.stateDict().names.filter { $0 != "count" })
    #expect(model.children.map(\.name).prefix(4) == ["first", "layers.0", "layers.1", "layers.2"])
    #expect(model.namedModules().first?.name == "")
    #expect(model.modules().count == 11)
    #expect(model.parameterCount == 2 + 2 + 3 + 6 + 9 + 6 + 5 + 2)
  }

  @Test("keys are in PyTorch's spelling, errors in Swift's")
  func spelling() {
    final class Model: Module {
      @Parameter var inProjWeight = Tensor.zeros([1])
      @Buffer var runningMean = Tensor.zeros([1])
      @Parameter var weightIHL0 = Tensor.zeros([1])
      @Parameter var lastEMAValue = Tensor.zeros([1])
      @Parameter var layer1Norm2 = Tensor.zeros([1])
      let outProj = Linear(1, 1, bias: false)
      let perName = ["camelKey": Linear(1, 1, bias: false)]
    }
    #expect(
      Model().stateDict().names == [
        "in_proj_weight", "weight_ihl0", "last_ema_value", "layer1_norm2", "running_mean", "out_proj.weight",
        "per_name.camelKey.weight",
      ])
    final class Wrong: Module { let twoLayers = (Linear(1, 1), 1) }
    #expect(mistake { _ = Wrong().parameters() }?.operation == "Wrong.twoLayers")
  }

  @Test("the walk sees what was assigned since the last one")
  func freshness() {
    let model = Derived()
    let before = model.parameters().count
    model.layers.append(Linear(2, 2))
    model.optional = nil
    model.absent = Tensor.ones([1])
    #expect(model.parameters().count == before + 2)
    #expect(model.stateDict().names.contains("layers.3.bias"))
    #expect(!model.stateDict().names.contains("optional.weight"))
  }

  @Test("a tied parameter counts once and has both names")
  func tying() {
    let model = Tied()
    #expect(model.namedParameters().map(\.name) == ["embedding.weight", "head.bias"])
    #expect(model.parameterCount == 16)
    #expect(model.stateDict().names == ["embedding.weight", "head.weight", "head.bias"])
    model.embedding.weight = Tensor.full([4, 3], 2.0)
    #expect(model.head.weight[0, 0].item() == 2)
    (model.embedding(Tensor.ones([3])).sum() + model.head(Tensor.ones([3])).sum()).backward()
    #expect(model.parameters()[0].grad?[0, 0].item() == 2)
  }

  @Test("a child that knows its parent is no endless loop")
  func cycles() {
    let model = Parent()
    #expect(model.stateDict().names == ["child.layer.weight", "child.layer.bias"])
    #expect(model.modules().count == 3)
    #expect(model.eval().child.layer.isTraining == false)
    #expect("\(model)" == "Parent(\n  (child): Child(\n    (layer): Linear(in: 1, out: 1, bias: true)\n  )\n)")
  }

  @Test("a module used twice is one module with two names")
  func sharedModule() {
    let layer = Linear(2, 2)
    let model = Sequential([layer, ReLU(), layer])
    #expect(model.modules().count == 3)
    #expect(model.parameters().count == 2)
    #expect(model.stateDict().names == ["0.weight", "0.bias", "2.weight", "2.bias"])
  }

  @Test("train and eval reach every module")
  func modes() {
    let model = Sequential {
      Dropout(); Sequential { Dropout() }
    }
    #expect(model.modules().allSatisfy { $0.isTraining })
    model.eval()
    #expect(model.modules().allSatisfy { !$0.isTraining })
    model.train()
    #expect(model.modules().allSatisfy { $0.isTraining })
  }

  @Test("apply visits children before their parents")
  func apply() {
    var order: [String] = []
    Sequential {
      Linear(1, 1); Sequential { ReLU() }
    }.apply { order.append("\(type(of: $0))") }
    #expect(order == ["ReLU", "Sequential", "Linear", "Sequential"])
  }

  @Test("the tree with parameter counts")
  func parameterTree() {
    let model = Sequential {
      Flatten(); Linear(784, 128); ReLU(); Linear(128, 10)
    }
    #expect(
      model.parameterTree() == """
        Sequential(
          (0): Flatten(startDim: 1, endDim: -1)
          (1): Linear(in: 784, out: 128, bias: true)  100,480
          (2): ReLU()
          (3): Linear(in: 128, out: 10, bias: true)     1,290
        )
        101,770 parameters
        """)
    model[1].requiresGrad(false)
    #expect(model.parameterTree().hasSuffix("101,770 parameters, 1,290 of them trained"))
  }

  // MARK: Parameters

  @Test("assigning a tensor makes it a leaf that requires a gradient")
  func assignment() {
    let layer = Linear(2, 3)
    let cell = layer.$weight
    layer.weight = Tensor.zeros([3, 2])
    #expect(layer.weight.requiresGrad && layer.weight.isLeaf)
    #expect(cell === layer.$weight && cell.value.count == 6)
    layer.bias = nil
    #expect(layer.parameters().count == 1)
    // A literal takes on the dtype of its neighbours; a parameter doesn't.
    layer.bias = 1.5
    #expect((layer.bias! * Tensor.ones([], dtype: .float64)).dtype == .float64)
    #expect((layer.bias! * Tensor([1, 2], dtype: .float16)).dtype == .float16)
    #expect((layer.bias! + Tensor([1])).dtype == .float32)
  }

  @Test("changes in place keep leaf, gradient and memory")
  func inPlace() {
    let layer = Linear(3, 2)
    layer(Tensor.ones([1, 3])).sum().backward()
    let gradient = layer.weight.grad!
    let address = layer.weight.withUnsafeBytes { $0.baseAddress }
    noGrad {
      layer.weight -= 0.5 * gradient
      layer.weight *= 2
      layer.weight[0] = 7
      layer.$weight.value += 1
    }
    #expect(layer.weight.withUnsafeBytes { $0.baseAddress } == address)
    #expect(layer.weight.isLeaf && layer.weight.requiresGrad && layer.weight.grad != nil)
    #expect(layer.weight[0, 0].item() == 8)
  }

  @Test("a tensor with a history is no parameter")
  func history() {
    let layer = Linear(2, 2)
    let text =
      "Parameter: a tensor of shape [2, 2] that was computed from others with a gradient cannot be a parameter; "
      + "compute it in forward, or detach() it, or change the parameter inside noGrad { }"
    expectMistake(text) { layer.weight = layer.weight * 2 }
    expectMistake(text) { layer.weight += 1 }
    expectMistake(text) { layer.$weight.value = layer.weight * 2 }
    #expect(layer.weight.isLeaf && layer.weight.requiresGrad)
  }

  @Test("freezing keeps gradients away and survives loading and changing dtype")
  func freezing() throws {
    let model = Sequential {
      Linear(2, 2); Linear(2, 1)
    }
    model[0].requiresGrad(false)
    model(Tensor.ones([1, 2])).sum().backward()
    #expect(model.parameters().map { $0.grad != nil } == [false, false, true, true])
    try model.loadStateDict(model.stateDict())
    model.to(.float64)
    #expect(model.parameters().map(\.requiresGrad) == [false, false, true, true])
    model.requiresGrad(true)
    #expect(model.parameters().allSatisfy { $0.requiresGrad })
  }

  @Test("gradients are forgotten or set to zeros")
  func zeroGrad() {
    let layer = Linear(2, 1)
    layer(Tensor.ones([1, 2])).sum().backward()
    layer.zeroGrad(setToNone: false)
    #expect(layer.weight.grad?.abs().sum().item() == 0)
    layer.zeroGrad()
    #expect(layer.weight.grad == nil)
  }

  @Test("changing dtype changes floating-point tensors, with their gradients, and no others")
  func dtype() {
    let model = Derived()
    model.first(Tensor.ones([2])).sum().backward()
    let cell = model.first.$weight
    model.to(.bfloat16)
    #expect(model.parameters().allSatisfy { $0.dtype == .bfloat16 && $0.value.isLeaf && $0.requiresGrad })
    #expect(model.count.dtype == .int64 && model.mask.dtype == .bool)
    #expect(model.first.$weight === cell && cell.grad?.dtype == .bfloat16)
    #expect(model.first(Tensor.ones([1, 2], dtype: .bfloat16)).dtype == .bfloat16)
    expectMistake("to: a module's dtype is a floating-point one, not int32") { model.to(.int32) }
  }

  @Test("reading what was never given a value is an error")
  func emptySlot() {
    final class Late: Module {
      @Buffer(isPersistent: true) var value: Tensor
    }
    let late = Late()
    expectMistake("Slot: a parameter or buffer was read before it was given a value") { _ = late.value }
    late.value = Tensor([1.0])
    #expect(late.stateDict().names == ["value"])
  }

  // MARK: Places that are not looked through

  private struct Pack {
    let inner = Linear(1, 1)
  }
  private struct Nested {
    let pack = Pack()
  }
  private final class Plain {
    let inner = Linear(1, 1)
  }
  private enum Choice {
    case one(Linear)
    case none
  }
  private final class Loose: Module {
    let part: Any
    init(_ part: Any) { self.part = part }
  }

  @Test("a module in a place that is not looked through stops the walk, with the repaired declaration")
  func misplaced() {
    func text(_ value: Any) -> String? { mistake { _ = Loose(value).parameters() }?.description }
    #expect(
      text((Linear(1, 1), Linear(1, 2))) == """
        Loose.part: a tuple is not looked through for parameters: the Linear in it would be neither trained nor saved
          found:   let part: (Linear, Linear)
          declare: let part: [Linear]
        """)
    #expect(text((Linear(1, 1), 2, ReLU()))?.hasSuffix("declare: let part0: Linear; let part1: Int; let part2: ReLU") == true)
    #expect(text((query: Linear(1, 1), act: ReLU()))?.hasSuffix("declare: let query: Linear; let act: ReLU") == true)
    #expect(text(Pack())?.hasSuffix("found:   let part: Pack\n  declare: final class Pack: Module") == true)
    #expect(text(Nested())?.contains("a struct is not looked through for parameters: the Linear in it") == true)
    #expect(text(Plain())?.hasSuffix("declare: final class Plain: Module") == true)
    #expect(text([Plain()])?.hasSuffix("declare: final class Plain: Module") == true)
    #expect(text(Optional((Linear(1, 1), Linear(1, 1))) as Any)?.contains("a tuple") == true)
    #expect(text(["a": (Linear(1, 1), Linear(1, 1))])?.contains("a tuple") == true)
    #expect(text(Choice.one(Linear(1, 1)))?.contains("an enum is not looked through") == true)
    #expect(text(ContiguousArray([ReLU()]))?.hasSuffix("declare: let part: [ReLU]") == true)
    #expect(text((Parameter(wrappedValue: Tensor([1.0])), 1))?.contains("the Parameter<Tensor> in it") == true)
    for harmless: Any in [Choice.none, (1, "two"), Tensor([1.0]), Generator(seed: 1), [1.0], ["a": 1], Int?.none as Any, { 1 }] {
      #expect(text(harmless) == nil, "\(harmless)")
    }
  }

  @Test("a lazy module stops the walk")
  func lazyModule() {
    final class Model: Module {
      lazy var layer = Linear(1, 1)
      lazy var cache = 5
    }
    let error = mistake { _ = Model().parameters() }
    #expect(
      error?.description == """
        Model.layer: a lazy module is not there when the parameters are collected
          found:   lazy var layer: Linear
          declare: let layer: Linear
        """)
  }

  @Test("two properties of one name in a class and its superclass are an error")
  func sameName() {
    class First: Module { private let layer = Linear(1, 1, bias: false) }
    final class Second: First { private let layer = Linear(1, 1, bias: false) }
    expectMistake("stateDict: two tensors are named 'layer.weight'") { _ = Second().stateDict() }
  }
}
