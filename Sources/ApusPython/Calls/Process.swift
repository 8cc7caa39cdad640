import ApusCore
import CApusPython

/// The version of the library; for `apus_free`.
@c(apus_version)
public func apusVersion() -> UnsafeMutablePointer<CChar>? { strdup(Runtime.version) }

@c(apus_instruction_set)
public func apusInstructionSet() -> UnsafeMutablePointer<CChar>? { strdup(Runtime.instructionSet) }

@c(apus_thread_count)
public func apusThreadCount() -> Int32 { Int32(Runtime.threadCount) }

/// In a process that `fork` has made: the pool's threads stayed in the parent.
@c(apus_after_fork)
public func apusAfterFork() { ThreadPool.shared.forgetWorkers() }

/// Bytes in use and at most so far.
@c(apus_memory)
public func apusMemory(_ result: UnsafeMutablePointer<Int64>) {
  let statistics = Allocator.shared.statistics
  (result[0], result[1]) = (Int64(statistics.inUse), Int64(statistics.peak))
}
