import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("collections of modules")
struct CollectionTests {
  private final class Model: Module {
    let blocks = ModuleList((0..<3).map { Linear($0 + 1, $0 + 2, bias: false) })
    let heads: ModuleDict<any Layer> = ["b": Linear(4, 1, bias: false), "a": ReLU()]

    func callAsFunction(_ x: Tensor) -> Tensor { heads["b"]!(blocks.reduce(x) { $1($0) }) }
  }

  @Test("lists and dictionaries have PyTorch's keys and printing")
  func names() {
    let model = Model()
    #expect(model.stateDict().names == ["blocks.0.weight", "blocks.1.weight", "blocks.2.weight", "heads.b.weight"])
    #expect(model(Tensor.ones([1])).shape == [1])
    #expect(
      ModuleList<any Layer>([ReLU(), Tanh()]).description == "ModuleList(\n  (0): ReLU()\n  (1): Tanh()\n)")
    #expect(model.heads.description.contains("(b): Linear(in: 4"))
    #expect(model.eval().heads["a"]?.isTraining == false)
  }

  @Test("a list can be indexed, cut, and changed")
  func list() {
    let list: ModuleList<any Layer> = [ReLU(), Tanh()]
    list.append(Sigmoid())
    list.insert(Identity(), at: 0)
    let kinds = { (list: ModuleList<any Layer>) in list.map { "\(type(of: $0))" } }
    #expect(kinds(list) == ["Identity", "ReLU", "Tanh", "Sigmoid"])
    #expect(list[-1] is Sigmoid && list[1] is ReLU && list.count == 4 && !list.isEmpty)
    list[0] = Flatten()
    #expect(kinds(list[1...]) == ["ReLU", "Tanh", "Sigmoid"] && list[1] === list[1...2][0])
    #expect(list.remove(at: 0) is Flatten)
    list.append(contentsOf: [ReLU()])
    #expect(kinds(list) == ["ReLU", "Tanh", "Sigmoid", "ReLU"])
    #expect(list.modules().count == 5)
  }

  @Test("a dictionary keeps its order and refuses names that are no part of a path")
  func dictionary() {
    let dictionary = ModuleDict<any Layer>([("one", ReLU()), ("two", Tanh()), ("one", Sigmoid())])
    #expect(dictionary.keys == ["one", "two"] && dictionary.values[0] is Sigmoid && dictionary.count == 2)
    dictionary["three"] = Identity()
    dictionary["one"] = nil
    dictionary["none"] = nil
    #expect(dictionary.map { $0.key } == ["two", "three"] && dictionary["one"] == nil && !dictionary.isEmpty)
    #expect(dictionary.removeValue(forKey: "two") is Tanh && dictionary.keys == ["three"])
    expectMistake("ModuleDict: 'a.b' cannot be a module's name: it is empty or has a point") { dictionary["a.b"] = ReLU() }
    expectMistake("ModuleDict: '' cannot be a module's name: it is empty or has a point") { dictionary[""] = ReLU() }
  }

  @Test("what is no module in a list stops the walk")
  func misplaced() {
    let error = mistake { _ = ModuleList([(Linear(1, 1), 1)]).parameters() }
    #expect(error?.message.contains("a tuple is not looked through") == true)
  }

  @Test("a sequence can be indexed, cut, and changed")
  func sequential() {
    let model = Sequential([Linear(2, 3), ReLU(), Linear(3, 1)])
    let head = model[1...]
    #expect(head.stateDict().names == ["1.weight", "1.bias"] && head[1] === model[2])
    #expect(model[-1] === model[2] && model[..<2].count == 2)
    model.insert(Tanh(), at: 1)
    model.append(Sigmoid())
    model.append(contentsOf: [ReLU()])
    model[2] = Identity()
    #expect(model.map { "\(type(of: $0))" } == ["Linear", "Tanh", "Identity", "Linear", "Sigmoid", "ReLU"])
    #expect(model.stateDict().names == ["0.weight", "0.bias", "3.weight", "3.bias"])
    #expect(model.remove(at: -1) is ReLU && model.count == 5 && !model.isEmpty)
    #expect(model(Tensor.ones([1, 2])).shape == [1, 1])
    expectMistake("Sequential: there is no layer 7 among 5") { _ = model[7] }
    expectMistake("Sequential: there is no layer -6 among 5") { model[-6] = ReLU() }
    expectMistake("Sequential: layers 3..<9 of 5") { _ = model[3..<9] }
  }

  @Test("layers of a sequence can have names")
  func named() {
    let model = Sequential(named: ["fc1": Linear(2, 3), "act": ReLU(), "fc2": Linear(3, 1, bias: false)])
    model.append(Tanh())
    #expect(model.stateDict().names == ["fc1.weight", "fc1.bias", "fc2.weight"])
    #expect(model["act"] is ReLU && model["3"] is Tanh && model["none"] == nil)
    #expect(model[1...].children.map(\.name) == ["act", "fc2", "2"])
    expectMistake("Sequential: 'a' cannot be a layer's name: it is a number, empty, has a point, or is taken") {
      _ = Sequential(named: ["a": ReLU(), "a": ReLU()])
    }
    expectMistake("Sequential: '1' cannot be a layer's name: it is a number, empty, has a point, or is taken") {
      _ = Sequential(named: ["1": ReLU()])
    }
  }

  @Test("paths lead to modules, parameters and buffers")
  func paths() {
    let model = Model()
    #expect(model.getSubmodule("blocks.1") === model.blocks[1] && model.getSubmodule("") === model)
    #expect(model.getSubmodule("blocks.7") == nil)
    #expect(model.getParameter("blocks.1.weight") === model.blocks[1].$weight && model.getParameter("blocks.1.bias") == nil)
    #expect(CrossEntropyLoss(weight: Tensor([1.0, 2])).getBuffer("weight")?.count == 2)
    #expect(model.getBuffer("blocks.1.weight") == nil)
  }
}
