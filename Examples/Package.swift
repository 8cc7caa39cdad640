// swift-tools-version: 6.1
import PackageDescription

// Every program is a folder with one `main.swift` that ends with what it prints; the tests run it and compare.
let basics = [
  "AutogradByHand", "CustomFunction", "DoubleBackprop", "DrawGraph", "GoldsteinPrice", "LinearRegression", "Newton", "SineFit",
  "TanhDerivatives", "TruncatedBackprop", "XOR",
]

let package = Package(
  name: "ApusExamples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Apus", path: "..")],
  targets: basics.map {
    .executableTarget(name: $0, dependencies: [.product(name: "Apus", package: "Apus")], path: "Basics/\($0)")
  } + [
    .testTarget(name: "BasicsTests", dependencies: basics.map { .target(name: $0) })
  ],
  swiftLanguageModes: [.v6]
)
