import CKernels

/// What this process computes with.
public enum Runtime {
  public static let version = "0.1.0"

  /// The instruction set that the kernels use: `baseline`, `avx2`, `avx512` or `neon`.
  ///
  /// The best of the machine, or the one that `APUS_ISA` names.
  public static var instructionSet: String { String(cString: apus_isa_name(isa)) }

  /// Threads that compute, the caller's included: `APUS_NUM_THREADS`, or one per core.
  public static var threadCount: Int { ThreadPool.shared.threadCount }

  package static let isa: apus_isa = {
    guard let name = environment("APUS_ISA"), !name.isEmpty else { return apus_isa_best() }
    let known = (0..<APUS_ISA_COUNT.rawValue).map { apus_isa(rawValue: $0) }
    let available = known.filter { apus_isa_is_available($0) }
    let names = available.map { String(cString: apus_isa_name($0)) }
    guard let i = names.firstIndex(of: name) else {
      fatalError("APUS_ISA: '\(name)' is not available on this machine; choose from: \(names.joined(separator: ", "))")
    }
    return available[i]
  }()
}
