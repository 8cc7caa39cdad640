import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("Vision models")
struct VisionTests {
  /// 64-bit FNV-1a.
  private func hash(_ text: String) -> UInt64 { text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }

  private func make(_ name: String) -> Module? {
    let parts = name.split(separator: "_")
    return switch String(parts[0]) {
    case "resnet18": ResNet.resnet18()
    case "resnet34": ResNet.resnet34()
    case "resnet50": ResNet.resnet50()
    case "resnet101": ResNet.resnet101()
    case "resnet152": ResNet.resnet152()
    case "vgg11": VGG.vgg11(hasBatchNorm: parts.count == 2)
    case "vgg13": VGG.vgg13(hasBatchNorm: parts.count == 2)
    case "vgg16": VGG.vgg16(hasBatchNorm: parts.count == 2)
    case "vgg19": VGG.vgg19(hasBatchNorm: parts.count == 2)
    case "densenet121": DenseNet.densenet121()
    case "densenet169": DenseNet.densenet169()
    case "densenet201": DenseNet.densenet201()
    case "mobilenet": MobileNetV2()
    case "squeezenet1": SqueezeNet()
    case "vit": VisionTransformer.vitB16()
    case _: nil
    }
  }

  // torchvision 0.28, for each of its models `m` by the name in front:
  //   state = m.state_dict()
  //   text = "".join(f"{k} {list(v.shape)}\n" for k, v in sorted(state.items()))
  //   print(sum(p.numel() for p in m.parameters()), len(state), hex(fnv1a_64(text)))
  @Test(
    "sizes, and every key with its shape, are torchvision's",
    arguments: [
      ("resnet18", 11_689_512, 122, 0x6ea2f393dbdf6cf4), ("resnet34", 21_797_672, 218, 0x8c4205da3490ade6),
      ("resnet50", 25_557_032, 320, 0x3daba3a4e389aa02), ("resnet101", 44_549_160, 626, 0xab7893c2f3cc6739),
      ("resnet152", 60_192_808, 932, 0x91c9b7037239e1aa), ("vgg11", 132_863_336, 22, 0x288d104ae091ee95),
      ("vgg13", 133_047_848, 26, 0x202f819ed780229c), ("vgg16", 138_357_544, 32, 0xc28928e39d007d16),
      ("vgg19", 143_667_240, 38, 0x36d33bf295df503e), ("vgg11_bn", 132_868_840, 62, 0x4486d62ddfb009dd),
      ("vgg13_bn", 133_053_736, 76, 0x96fbeb1f579b3c91), ("vgg16_bn", 138_365_992, 97, 0xefaeff4895642f0e),
      ("vgg19_bn", 143_678_248, 118, 0x9c7205a09df63499), ("densenet121", 7_978_856, 727, 0xf63c1578ce0f9c58),
      ("densenet169", 14_149_480, 1015, 0xe110e4788c7d08f2), ("densenet201", 20_013_928, 1207, 0xac1a9ed27d7501be),
      ("mobilenet_v2", 3_504_872, 314, 0x16931603f99fc823), ("squeezenet1_1", 1_235_496, 52, 0xb3e214f6c5863cf2),
      ("vit_b_16", 86_567_656, 152, 0x6512e108ff558aa4),
    ] as [(String, Int, Int, UInt64)])
  func sizes(name: String, parameters: Int, entries: Int, keys: UInt64) throws {
    let model = try #require(make(name))
    let state = model.stateDict()
    #expect(model.parameterCount == parameters)
    #expect(state.count == entries)
    let lines = state.map { "\($0.name) \(Array($0.tensor.shape))\n" }.sorted {
      Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8))
    }
    #expect(hash(lines.joined()) == keys)
  }

  private static let small = [
    "lenet", "mnist", "cifar", "resnet20", "vgg", "vgg_bn", "densenet", "mobilenet", "squeezenet", "vit",
  ]

  private func makeSmall(_ name: String, _ generator: Generator) throws -> (any Layer, Shape) {
    switch name {
    case "lenet": (LeNet(generator: generator), [2, 1, 28, 28])
    case "mnist": (MNISTCNN(generator: generator), [4, 1, 28, 28])
    case "cifar": (CIFARCNN(generator: generator), [2, 3, 32, 32])
    case "resnet20": (CIFARResNet(depth: 20, generator: generator), [2, 3, 32, 32])
    case "vgg": (VGG(blocks: [1, 1, 1, 1, 1], classes: 10, hidden: 16, dropout: 0, generator: generator), [2, 3, 32, 32])
    case "vgg_bn":
      (
        VGG(blocks: [1, 1, 1, 1, 1], classes: 10, hasBatchNorm: true, hidden: 16, dropout: 0, generator: generator),
        [4, 3, 64, 64]
      )
    case "densenet":
      (DenseNet(blocks: [2, 2], growth: 4, start: 8, classes: 10, stem: .cifar, generator: generator), [2, 3, 16, 16])
    case "mobilenet": (MobileNetV2(classes: 10, generator: generator), [4, 3, 64, 64])
    case "squeezenet": (SqueezeNet(classes: 10, dropout: 0, generator: generator), [2, 3, 64, 64])
    case _: (VisionTransformer.tiny(generator: generator), [2, 3, 32, 32])
    }
  }

  @Test("every parameter gets a gradient", arguments: small)
  func gradients(name: String) throws {
    let generator = Generator(seed: 1)
    let (model, shape) = try makeSmall(name, generator)
    // The head of a vision transformer starts at 0: nothing would pass it.
    if let vit = model as? VisionTransformer, let head = vit.heads[0] as? Linear {
      head.weight = Init.normal(head.weight.shape, generator: generator)
    }
    let y = model(Tensor.randn(shape, generator: generator))
    #expect(y.shape == [shape[0], 10])
    crossEntropy(y, Tensor.randint(0, 10, [shape[0]], generator: generator)).backward()
    expectGradients(model)
  }

  @Test("the networks that torchvision lacks have the sizes of their papers")
  func otherSizes() {
    #expect(LeNet().parameterCount == 61_706)
    // Section 4.2: 0.27 million.
    #expect(CIFARResNet(depth: 20).parameterCount == 272_474)
    // torchvision's resnet18 with a stem of 3×3 and ten classes.
    #expect(ResNet.resnet18(classes: 10, stem: .cifar).parameterCount == 11_173_962)
    #expect(MNISTCNN().stateDict().names.first == "0.weight" && CIFARCNN().stateDict().names.last == "25.bias")
  }

  @Test("what doesn't fit is an error")
  func errors() {
    expectMistake("CIFARResNet: depth 21 is not 6 n + 2 for an n above 0") { _ = CIFARResNet(depth: 21) }
    expectMistake("VGG: blocks [1, 2] are not five numbers above 0") { _ = VGG(blocks: [1, 2], hidden: 1) }
    expectMistake("DenseNet: blocks [0], growth 32, start 64: all above 0") { _ = DenseNet(blocks: [0]) }
    expectMistake("VisionTransformer: pictures of shape [1, 3, 28, 28] are not [batch, channels, 32, 32]") {
      _ = VisionTransformer.tiny()(Tensor.zeros([1, 3, 28, 28]))
    }
  }
}
