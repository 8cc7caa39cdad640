import ApusCore
import CApusPython

/// The version of the library; for `apus_free`.
@c(apus_version)
public func apusVersion() -> UnsafeMutablePointer<CChar>? { strdup(Runtime.version) }

@c(apus_instruction_set)
public func apusInstructionSet() -> UnsafeMutablePointer<CChar>? { strdup(Runtime.instructionSet) }

@c(apus_thread_count)
public func apusThreadCount() -> Int32 { Int32(Runtime.threadCount) }

/// Starts the default generator again.
@c(apus_manual_seed)
public func apusManualSeed(_ seed: UInt64) { manualSeed(seed) }

/// Seed, stream and offset of the default generator.
@c(apus_get_rng)
public func apusGetRNG(_ state: UnsafeMutablePointer<UInt64>) {
  let now = Generator.default.state
  (state[0], state[1], state[2]) = (now.seed, now.stream, now.offset)
}

@c(apus_set_rng)
public func apusSetRNG(_ state: UnsafePointer<UInt64>) {
  Generator.default.state = Generator.State(seed: state[0], stream: state[1], offset: state[2])
}

/// In a process that `fork` has made: the pool's threads stayed in the parent.
@c(apus_after_fork)
public func apusAfterFork() { ThreadPool.shared.forgetWorkers() }

/// Bytes in use and at most so far.
@c(apus_memory)
public func apusMemory(_ result: UnsafeMutablePointer<Int64>) {
  let statistics = Allocator.shared.statistics
  (result[0], result[1]) = (Int64(statistics.inUse), Int64(statistics.peak))
}
