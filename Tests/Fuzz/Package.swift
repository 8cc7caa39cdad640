// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Apus", path: "../..")],
  targets: [
    .executableTarget(name: "apus-fuzz", dependencies: [.product(name: "Apus", package: "Apus")])
  ],
  swiftLanguageModes: [.v6]
)
