import CKernels

/// What this process computes with.
public enum Runtime {
  public static let version = "0.1.0"

  /// The instruction set that the kernels use: `baseline`, `avx2`, `avx512`, `avx512_bf16` (the same with products of bfloat16 in pairs) or
  /// `neon`.
  ///
  /// The best of the machine, or the one that `APUS_ISA` names.
  public static var instructionSet: String { String(cString: apus_isa_name(isa)) }

  /// Threads that compute, the caller's included: `APUS_NUM_THREADS`, or one per core.
  public static var threadCount: Int { ThreadPool.shared.threadCount }

  /// What this machine can run: the values that `APUS_ISA` takes here.
  public static var availableInstructionSets: [String] { available.map(\.name) }

  private static var available: [(isa: apus_isa, name: String)] {
    (0..<APUS_ISA_COUNT.rawValue).map { apus_isa(rawValue: $0) }.filter { apus_isa_is_available($0) }
      .map { ($0, String(cString: apus_isa_name($0))) }
  }

  package static let isa: apus_isa = {
    guard let name = environment("APUS_ISA") else { return apus_isa_best() }
    guard let match = available.first(where: { $0.name == name }) else {
      let names = availableInstructionSets.joined(separator: ", ")
      fatalError("APUS_ISA: '\(name)' is not available on this machine; choose from: \(names)")
    }
    return match.isa
  }()
}
