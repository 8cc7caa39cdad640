// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Apus", path: "..")],
  targets: [
    .executableTarget(name: "apus-bench", dependencies: [.product(name: "Apus", package: "Apus")])
  ],
  swiftLanguageModes: [.v6]
)
