// Runs a model of the zoo on another program's numbers, for Tests/Interop/check_models.py:
//
//   ZooProbe MODEL IN.safetensors OUT.safetensors
//
// IN holds the state dictionary (`model.…`), the inputs (`input.0`, …) and a weight for each number of the output (`weight`). OUT gets the
// output in evaluation mode (`output`) and the gradients of Σ output · weight by all parameters (`gradient.…`).
import ApusCore
import ApusFormats
import ApusModels
import ApusNN
import Foundation

typealias Run = ([Tensor]) -> Tensor

func layer(_ layer: any Layer) -> (Module, Run) { (layer, { layer($0[0]) }) }

func model(_ name: String) -> (Module, Run)? {
  switch name {
  case "lenet": layer(LeNet())
  case "resnet18": layer(ResNet.resnet18(classes: 10))
  case "resnet18_cifar": layer(ResNet.resnet18(classes: 10, stem: .cifar))
  case "resnet50": layer(ResNet.resnet50(classes: 10))
  case "vgg11": layer(VGG.vgg11(classes: 10, hidden: 32))
  case "vgg16_bn": layer(VGG.vgg16(classes: 10, hasBatchNorm: true, hidden: 32))
  case "densenet121": layer(DenseNet.densenet121(classes: 10))
  case "mobilenet_v2": layer(MobileNetV2(classes: 10))
  case "squeezenet1_1": layer(SqueezeNet(classes: 10))
  case "vit": layer(VisionTransformer(size: 32, patch: 8, layers: 3, heads: 4, width: 64, hidden: 128, classes: 10))
  case "dcgan": layer(DCGANGenerator(channels: 3, size: 64, latent: 20, width: 8))
  case "rnn": layer(RecurrentLanguageModel(.rnn, vocabulary: 13, width: 10, hidden: 12, layers: 2))
  case "lstm": layer(RecurrentLanguageModel(.lstm, vocabulary: 13, width: 10, hidden: 12, layers: 2))
  case "gru": layer(RecurrentLanguageModel(.gru, vocabulary: 13, width: 10, hidden: 12, layers: 2))
  case "llama": layer(Llama(vocabulary: 13, context: 16, layers: 2, heads: 4, keyValueHeads: 2, width: 32, hidden: 48))
  case _: nil
  }
}

func run(_ arguments: [String]) throws {
  guard arguments.count == 4, let (module, call) = model(arguments[1]) else {
    throw TensorError(.value, "ZooProbe", "usage: ZooProbe MODEL IN.safetensors OUT.safetensors, not \(arguments.dropFirst())")
  }
  let contents = try Safetensors.read(arguments[2])
  func entries(_ prefix: String) -> [(String, Tensor)] {
    contents.tensors.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
  }
  try module.loadStateDict(StateDict(entries("model.")))
  module.eval()
  let y = call(entries("input.").sorted { $0.0 < $1.0 }.map(\.1))
  (y * contents["weight"]!).sum().backward()
  let gradients = module.namedParameters().compactMap { name, cell in cell.grad.map { (name: "gradient." + name, tensor: $0) } }
  try Safetensors.write([(name: "output", tensor: y.detach())] + gradients, to: arguments[3])
}

do {
  try run(CommandLine.arguments)
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
