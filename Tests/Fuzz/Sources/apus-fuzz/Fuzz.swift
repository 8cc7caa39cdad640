// Readers under libFuzzer, whose `main` calls the two functions here: any bytes must give an error with a name, or what the file says; never a
// crash, a hang or a huge allocation. `make fuzz` runs them all.

import Apus
import Foundation

/// Which reader: `APUS_FUZZ`. With `APUS_FUZZ_SEEDS` its seeds are written into that folder, and that is all.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
  guard let folder = ProcessInfo.processInfo.environment["APUS_FUZZ_SEEDS"] else { return 0 }
  do {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (i, seed) in try Harness.target.seeds().enumerated() {
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(i)"))
    }
    exit(0)
  } catch {
    fatalError("apus-fuzz: \(error)")
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  Harness.run(UnsafeBufferPointer(start: bytes, count: count))
  return 0
}

enum Harness {
  static let target: Target = {
    let name = ProcessInfo.processInfo.environment["APUS_FUZZ"] ?? ""
    guard let target = Target(rawValue: name) else {
      fatalError("APUS_FUZZ is one of \(Target.allCases.map(\.rawValue).joined(separator: ", ")), not '\(name)'")
    }
    return target
  }()

  /// One file, in memory where the system has such a folder, that is written again and again.
  private static let path: String = {
    let shared = "/dev/shm"
    let folder = FileManager.default.isWritableFile(atPath: shared) ? shared : NSTemporaryDirectory()
    return "\(folder)/apus-fuzz-\(getpid()).\(target.suffix)"
  }()

  static func run(_ input: UnsafeBufferPointer<UInt8>) {
    let bytes = target.prepared(Array(input))
    guard let stream = fopen(path, "wb") else { fatalError("apus-fuzz: cannot write \(path)") }
    fwrite(bytes, 1, bytes.count, stream)
    fclose(stream)
    do {
      try catching { try target.read(path) }
    } catch let error as FormatError {
      require(!error.reason.isEmpty && error.description.hasPrefix(path), "\(error)")
    } catch let error as DataError {
      require(!error.reason.isEmpty, "\(error)")
    } catch let error as TensorError {
      // Memory that a file may ask for and the machine doesn't have.
      require(error.kind == .outOfMemory, "a mistake in place of an error of the file: \(error)")
    } catch {
      fatalError("apus-fuzz: \(type(of: error)): \(error)")
    }
  }

  /// `precondition` says nothing in release builds.
  static func require(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { fatalError("apus-fuzz: \(text())") }
  }
}
