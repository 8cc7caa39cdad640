import CKernels
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The threads that share the work of an op.
///
/// Work is a number of chunks, cut by size and never by the number of threads, so that results don't depend on it. Whoever is free
/// takes the next chunk; the calling thread takes part and returns when all are done. A call from inside a chunk, or while another
/// thread's work is in the pool, runs on the calling thread alone.
///
/// The open job is one atomic word: a generation (upper half) and the number of chunks not yet taken (lower half). Taking a chunk is a
/// compare-and-swap on it, so a late worker can never take a chunk of a job that has been replaced.
package final class ThreadPool: @unchecked Sendable {
  package static let shared = ThreadPool(threadCount: defaultThreadCount())

  package let threadCount: Int

  private let job = Atomic<UInt64>(0)
  private let completed = Atomic<Int>(0)
  private let isBusy = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  // Written by the caller before a job opens, read by those who took a chunk of it.
  private var body: ((Int, Int) -> Void)?
  private var chunkCount = 0

  private var mutex = pthread_mutex_t()
  private var condition = pthread_cond_t()

  package init(threadCount: Int) {
    self.threadCount = max(threadCount, 1)
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
    for worker in 1..<self.threadCount where !startThread({ self.work(as: worker) }) { break }
  }

  /// Calls `body(0)` … `body(chunks - 1)`, in any order, on any of the pool's threads.
  package func run(chunks: Int, _ body: (Int) -> Void) {
    runByWorkers(chunks: chunks) { chunk, _ in body(chunk) }
  }

  /// The same, and tells each call which worker it runs on, from 0 to `threadCount` - 1: two calls with the same number never run at
  /// the same time, so what they need room for can be allocated once for each worker. What comes out must not depend on it.
  package func runByWorkers(chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
    guard chunks > 1, threadCount > 1, chunks < Int(UInt32.max),
      isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      for i in 0..<chunks { body(i, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      self.body = body
      chunkCount = chunks
      completed.store(0, ordering: .relaxed)
      let generation = (job.load(ordering: .relaxed) >> 32) &+ 1
      job.store(generation << 32 | UInt64(chunks), ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(&mutex)
        pthread_cond_broadcast(&condition)
        pthread_mutex_unlock(&mutex)
      }
      while takeChunk(as: 0) {}
      var spins = 0
      while completed.load(ordering: .acquiring) < chunks {
        spins += 1
        if spins > 2000 { sched_yield() } else { apus_pause() }
      }
      self.body = nil
    }
    isBusy.store(false, ordering: .releasing)
  }

  /// Calls `body` with consecutive ranges that cover `0..<count`, each of `grain` elements but the last.
  @inline(__always)
  package func forEachChunk(of count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    if count <= grain {
      if count > 0 { body(0..<count) }
      return
    }
    run(chunks: (count + grain - 1) / grain) { i in
      body(i * grain..<min((i + 1) * grain, count))
    }
  }

  /// Makes the pool usable in a process that `fork` has made, which has this thread alone: work runs on the calling thread.
  package func forgetWorkers() {
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&condition, nil)
    sleepers.store(0, ordering: .relaxed)
    job.store(0, ordering: .relaxed)
    isBusy.store(false, ordering: .relaxed)
  }

  private func takeChunk(as worker: Int) -> Bool {
    var open = job.load(ordering: .sequentiallyConsistent)
    while open & 0xFFFF_FFFF > 0 {
      let (exchanged, original) = job.compareExchange(expected: open, desired: open - 1, ordering: .acquiringAndReleasing)
      if exchanged {
        body!(chunkCount - Int(open & 0xFFFF_FFFF), worker)
        completed.add(1, ordering: .releasing)
        return true
      }
      open = original
    }
    return false
  }

  private func work(as worker: Int) {
    var idle = 0
    while true {
      if takeChunk(as: worker) {
        idle = 0
        continue
      }
      idle += 1
      if idle < Self.spinLimit {
        apus_pause()
        continue
      }
      pthread_mutex_lock(&mutex)
      sleepers.add(1, ordering: .sequentiallyConsistent)
      while job.load(ordering: .sequentiallyConsistent) & 0xFFFF_FFFF == 0 { pthread_cond_wait(&condition, &mutex) }
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
      pthread_mutex_unlock(&mutex)
      idle = 0
    }
  }

  /// A worker looks for work this often (one to two tenths of a millisecond) before it sleeps: waking a thread costs as much.
  private static let spinLimit = 5_000

  private static func defaultThreadCount() -> Int {
    if let text = environment("APUS_NUM_THREADS") {
      guard let count = Int(text), (1...1024).contains(count) else {
        fatalError("APUS_NUM_THREADS: '\(text)' is not a number of threads from 1 to 1024")
      }
      return count
    }
    return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }
}
