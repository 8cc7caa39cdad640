#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Collects what the ops of a `Profiler.record` scope took.
///
/// Calls nest: a matrix product may first have to compute the deferred ops that its operand waits for. So each thread has a stack of the calls
/// that are open, and a call that ends tells the one around it how long it took, which is not that one's own time.
package final class Recorder: Sendable {
  private struct State {
    /// Time of the finished calls inside each open call, for each thread.
    var nested: [UInt: [Duration]] = [:]
    /// Small numbers for the threads, in the order in which they appeared.
    var threads: [UInt: Int] = [:]
    var totals: [Profile.Key: Profile.Total] = [:]
    var events: [Profile.Event] = []
    var dropped = 0
    var (blocks, blockBytes) = (0, 0)
  }

  private let start = ContinuousClock.now
  private let traceLimit: Int
  private let guarded = Locked(State())

  init(traceLimit: Int) { self.traceLimit = max(traceLimit, 0) }

  /// A call begins; `end` takes what this returns.
  package func begin() -> ContinuousClock.Instant {
    guarded.withLock { $0.nested[currentThread, default: []].append(.zero) }
    return ContinuousClock.now
  }

  /// The call that began last on this thread ends.
  ///
  /// - Parameter name: nil where nothing was done that is to be counted.
  package func end(_ begin: ContinuousClock.Instant, _ name: String?, _ kind: Profile.Kind, _ work: Work) {
    let time = ContinuousClock.now - begin
    let thread = currentThread
    guarded.withLock { state in
      let inside = state.nested[thread]?.popLast() ?? .zero
      // A span is no op's work: the ops inside it are counted by what is around it, too.
      let passedOn = name == nil || kind == .span ? inside : time
      if let last = state.nested[thread]?.indices.last { state.nested[thread]![last] += passedOn }
      guard let name else { return }
      state.totals[Profile.Key(kind: kind, name: name), default: Profile.Total()].add(time, own: time - inside, work)
      guard state.events.count < traceLimit else {
        state.dropped += 1
        return
      }
      let number = state.threads[thread] ?? state.threads.count
      state.threads[thread] = number
      state.events.append(
        Profile.Event(kind: kind, name: name, start: begin - start, duration: time, thread: number, work: work))
    }
  }

  /// Memory for a tensor was asked for.
  func noteBlock(_ byteCount: Int) {
    guarded.withLock { state in
      state.blocks += 1
      state.blockBytes += byteCount
    }
  }

  func profile() -> Profile {
    let time = ContinuousClock.now - start
    return guarded.withLock { state in
      Profile(
        duration: time, totals: state.totals, events: state.events, droppedEvents: state.dropped, blocks: state.blocks,
        blockBytes: state.blockBytes)
    }
  }
}

/// A number that no other running thread has.
private var currentThread: UInt {
  #if canImport(Darwin)
    UInt(bitPattern: pthread_self())
  #elseif canImport(Musl)
    UInt(bitPattern: pthread_self())
  #else
    UInt(pthread_self())
  #endif
}
