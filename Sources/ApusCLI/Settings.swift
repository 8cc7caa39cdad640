import Apus

/// The environment variables that the core reads: there a wrong value ends the program; here it is wrong usage, said in one line.
enum Settings {
  static func check() throws(UsageError) {
    if let text = environment("APUS_NUM_THREADS"), !(Int(text).map((1...1024).contains) ?? false) {
      throw UsageError("APUS_NUM_THREADS takes a whole number from 1 to 1024, not '\(printable(text, limit: 80))'")
    }
    if let text = environment("APUS_MEMORY_LIMIT"), Allocator.parseByteCount(text) == nil {
      throw UsageError("APUS_MEMORY_LIMIT takes bytes, or a number with K, M or G as in 4G, not '\(printable(text, limit: 80))'")
    }
    let instructionSets = Runtime.availableInstructionSets
    if let text = environment("APUS_ISA"), !instructionSets.contains(text) {
      throw UsageError(
        "APUS_ISA takes one of \(instructionSets.joined(separator: ", ")), not '\(printable(text, limit: 80))'")
    }
  }
}
