// swift-tools-version: 6.1
import PackageDescription

// MARK: - Public: what a package that depends on Apus can name

let package = Package(
  name: "Apus",
  platforms: [.macOS(.v15), .iOS(.v18)],
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .executable(name: "apus", targets: ["ApusCLI"]),
    .library(name: "ApusPython", type: .dynamic, targets: ["ApusPython"]),
  ],
  traits: [
    .trait(
      name: "ImageLibraries", description: "JPEG, and every kind of PNG, through libjpeg and libpng, which must be installed"),
    .trait(
      name: "NoFoundation",
      description: "ApusData without Foundation, which it needs for downloads alone: for the Python wheel, where Python downloads"
    ),
  ],
  swiftLanguageModes: [.v6]
)

// MARK: - Details: the targets, bottom up; each imports only targets above it

package.targets += [
  .target(name: "CKernels", exclude: ["README.md"], linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
  .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
  .target(name: "ApusCore", dependencies: ["CKernels"], exclude: ["README.md", "Ops/README.md"]),
  .target(name: "ApusNN", dependencies: ["ApusCore"], exclude: ["README.md"]),
  .target(name: "ApusOptim", dependencies: ["ApusCore", "ApusNN"], exclude: ["README.md"]),
  .target(name: "ApusFormats", dependencies: ["ApusCore", "CZlib"], exclude: ["README.md"]),
  .target(
    name: "CImages", exclude: ["README.md"],
    cSettings: [.define("APUS_IMAGE_LIBRARIES", .when(traits: ["ImageLibraries"]))],
    linkerSettings: ["png", "jpeg"].map { .linkedLibrary($0, .when(traits: ["ImageLibraries"])) }),
  .target(
    name: "ApusData",
    dependencies: ["ApusCore", "ApusFormats", "CZlib", .target(name: "CImages", condition: .when(traits: ["ImageLibraries"]))],
    exclude: ["README.md"],
    swiftSettings: ["ImageLibraries", "NoFoundation"].map { .define($0, .when(traits: [$0])) }),
  .target(
    name: "ApusTraining", dependencies: ["ApusCore", "ApusNN", "ApusOptim", "ApusFormats", "ApusData"], exclude: ["README.md"]),
  .target(name: "ApusModels", dependencies: ["ApusCore", "ApusNN"], exclude: ["README.md"]),
  .target(
    name: "Apus",
    dependencies: ["ApusCore", "ApusNN", "ApusOptim", "ApusFormats", "ApusData", "ApusTraining", "ApusModels"]),
  .executableTarget(name: "ApusCLI", dependencies: ["Apus"], exclude: ["README.md"]),
  .systemLibrary(name: "CApusPython"),
  .target(
    name: "ApusPython", dependencies: ["CApusPython", "ApusCore", "ApusNN", "ApusOptim", "ApusFormats", "ApusData"],
    exclude: ["README.md"]),
]

// MARK: - Tests: one folder per target

package.targets += [
  .target(name: "TestSupport", dependencies: ["ApusCore"], path: "Tests/Support"),
  .executableTarget(
    name: "ZooProbe", dependencies: ["ApusCore", "ApusNN", "ApusFormats", "ApusModels"], path: "Tests/Interop/ZooProbe"),
  .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
  .testTarget(name: "ApusCoreTests", dependencies: ["ApusCore", "TestSupport"], exclude: ["Golden"]),
  .testTarget(name: "ApusNNTests", dependencies: ["ApusNN", "TestSupport"], exclude: ["Golden"]),
  .testTarget(name: "ApusOptimTests", dependencies: ["ApusOptim", "ApusNN", "TestSupport"], exclude: ["Golden"]),
  .testTarget(name: "ApusFormatsTests", dependencies: ["ApusFormats", "TestSupport"]),
  .testTarget(name: "ApusDataTests", dependencies: ["ApusData", "TestSupport"], exclude: ["Golden"]),
  .testTarget(name: "ApusModelsTests", dependencies: ["ApusModels", "TestSupport"]),
  .testTarget(name: "ApusTrainingTests", dependencies: ["Apus", "TestSupport"]),
  .testTarget(name: "ApusCLITests", dependencies: ["Apus", "ApusCLI", "TestSupport"]),
]
