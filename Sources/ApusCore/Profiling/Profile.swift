/// What `Profiler.record` has measured.
public struct Profile: Sendable {
  /// All calls of an op, or of a span.
  public struct Row: Sendable {
    public let name: String
    public let calls: Int
    /// Seconds in these calls, without those of other ops that ran inside them.
    public let ownTime: Double
    /// Seconds from beginning to end.
    public let time: Double
    /// Bytes of operands and results, each counted once for a call.
    public let bytes: Int
    /// Floating-point operations; 0 for ops that are not bound by them.
    public let flops: Double

    /// Bytes per second.
    public var bandwidth: Double { ownTime > 0 ? Double(bytes) / ownTime : 0 }
    /// Floating-point operations per second.
    public var flopRate: Double { ownTime > 0 ? flops / ownTime : 0 }
  }

  /// Ops, the one that took longest first.
  public let ops: [Row]
  /// Parts of the program that were named by `Profiler.span`, the longest first. `ownTime` is what none of the ops in it took.
  public let spans: [Row]
  /// Seconds from the scope's beginning to its end.
  public let duration: Double
  /// Calls that the trace left out, since it had reached its limit.
  public let droppedEvents: Int
  /// How often memory for a tensor's numbers was asked for; nearly always it is memory that an earlier tensor has left.
  public let blocks: Int
  /// Bytes of these blocks together.
  public let blockBytes: Int
  let events: [Event]

  init(
    duration: Duration, totals: [Key: Total], events: [Event], droppedEvents: Int, blocks: Int, blockBytes: Int
  ) {
    func rows(_ kind: Kind) -> [Row] {
      totals.filter { $0.key.kind == kind }.map { $0.value.row($0.key.name) }
        .sorted { ($0.ownTime, $1.name) > ($1.ownTime, $0.name) }
    }
    ops = rows(.op)
    spans = rows(.span).sorted { ($0.time, $1.name) > ($1.time, $0.name) }
    self.duration = duration.seconds
    self.events = events
    self.droppedEvents = droppedEvents
    (self.blocks, self.blockBytes) = (blocks, blockBytes)
  }

  /// Seconds in ops.
  public var opTime: Double { ops.reduce(0) { $0 + $1.ownTime } }
}

extension Profile {
  package enum Kind: Sendable { case op, span }

  struct Key: Hashable {
    let kind: Kind
    let name: String
  }

  /// One call.
  struct Event: Sendable {
    let kind: Kind
    let name: String
    /// From the beginning of the scope.
    let start: Duration
    let duration: Duration
    let thread: Int
    let work: Work
  }

  struct Total {
    private var calls = 0
    private var (time, own) = (Duration.zero, Duration.zero)
    private var bytes = 0
    private var flops = 0.0

    mutating func add(_ time: Duration, own: Duration, _ work: Work) {
      calls += 1
      self.time += time
      self.own += own
      bytes += work.bytes
      flops += work.flops
    }

    func row(_ name: String) -> Row {
      Row(name: name, calls: calls, ownTime: own.seconds, time: time.seconds, bytes: bytes, flops: flops)
    }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
