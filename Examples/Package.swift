// swift-tools-version: 6.1
import PackageDescription

// Every program is a folder with one `main.swift` that ends with what it prints; the tests run it and compare.
let programs: KeyValuePairs<String, [String]> = [
  "Basics": [
    "AutogradByHand", "DoubleBackprop", "DrawGraph", "GoldsteinPrice", "LinearRegression", "MNISTCNN", "MNISTMLP", "Newton",
    "SineFit", "Spiral", "TanhDerivatives", "TruncatedBackprop", "XOR",
  ],
  "Vision": ["GradCAM", "ResNetCIFAR", "StateDictTransfer", "StyleTransfer", "TinyViT"],
  "Generative": ["ConditionalGAN", "DigitsDCGAN", "DigitsVAE", "PointGAN"],
  "Language": ["CharacterRNN", "FibonacciLSTM", "TextGeneration", "TinyGPT", "TransformerLM"],
  "Custom": [
    "CustomDataset", "CustomFunction", "CustomLayer", "CustomLoss", "CustomOp", "CustomOptimizer", "CustomRecipe",
  ],
]

let package = Package(
  name: "ApusExamples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Apus", path: "..")],
  targets: programs.flatMap { folder, names in
    names.map {
      .executableTarget(
        name: $0, dependencies: [.product(name: "Apus", package: "Apus")], path: "\(folder)/\($0)",
        exclude: $0 == "StateDictTransfer" ? ["digits.pth"] : [])
    }
  } + [
    .executableTarget(name: "Classics", dependencies: [.product(name: "Apus", package: "Apus")], path: "Classics"),
    .testTarget(name: "ExamplesTests", dependencies: (programs.flatMap(\.value) + ["Classics"]).map { .target(name: $0) }),
  ],
  swiftLanguageModes: [.v6]
)
