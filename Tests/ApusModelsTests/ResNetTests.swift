import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("ResNet")
struct ResNetTests {
  @Test(
    "parameters and keys are torchvision's",
    arguments: [
      ("resnet18", 11_689_512, 122), ("resnet34", 21_797_672, 218), ("resnet50", 25_557_032, 320), ("resnet101", 44_549_160, 626),
    ])
  func sizes(name: String, parameters: Int, entries: Int) throws {
    let models = [
      "resnet18": ResNet.resnet18, "resnet34": ResNet.resnet34, "resnet50": ResNet.resnet50, "resnet101": ResNet.resnet101,
    ]
    let make = try #require(models[name])
    let model = make(1000, .imageNet, .default)
    #expect(model.parameters().reduce(0) { $0 + $1.count } == parameters)
    let names = model.stateDict().names
    #expect(names.count == entries)
    for key in [
      "conv1.weight", "bn1.running_mean", "bn1.num_batches_tracked", "layer2.0.downsample.0.weight", "layer4.1.bn2.bias",
      "fc.bias",
    ] {
      #expect(names.contains(key), "\(key)")
    }
  }

  @Test("a small one gives every parameter a gradient")
  func gradients() {
    let generator = Generator(seed: 1)
    let model = ResNet(blocks: [1, 1, 1, 1], classes: 10, stem: .cifar, generator: generator)
    let y = model(Tensor.randn([2, 3, 16, 16], generator: generator))
    #expect(y.shape == [2, 10])
    crossEntropy(y, Tensor([3, 7])).backward()
    for (name, cell) in model.namedParameters() {
      let gradient = cell.grad.map { $0.abs().sum().item() } ?? 0
      #expect(gradient > 0 && gradient.isFinite, "\(name)")
    }
    expectMistake("ResNet: blocks [1, 2] are not four numbers above 0") { _ = ResNet(blocks: [1, 2]) }
  }
}
