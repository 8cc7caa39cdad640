import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Ctrl-C and SIGTERM. The first is remembered, for the training loop to stop after its batch; the second ends the program at once.
enum StopSignal {
  private static let first = Atomic<Int32>(0)

  /// The signal that has come, or nil.
  static var received: Int32? {
    let number = first.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// What the shell expects of a program that a signal has stopped.
  static func exitCode(_ signal: Int32) -> Int32 { 128 + signal }

  static func name(_ signal: Int32) -> String { signal == SIGINT ? "Ctrl-C" : "SIGTERM" }

  static func install() {
    // Made here: a handler must not be the first to touch a lazy global.
    first.store(0, ordering: .relaxed)
    var stopping = sigset_t()
    sigemptyset(&stopping)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&stopping, number)
      signal(number) { number in
        if StopSignal.first.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
    }
    // A parent that blocks signals in the thread that starts us (many do) hands that down: they would wait for ever.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // Whoever started this program from a thread that blocks signals has passed that on.
    sigprocmask(SIG_UNBLOCK, &stopping, nil)
    // A file that outgrows `ulimit -f` is a failed write like any other.
    signal(SIGXFSZ, SIG_IGN)
  }
}
