import ApusTraining
import Foundation
import Testing

@Suite("Progress bar")
struct ProgressBarTests {
  @Test("label, share, bar, count, times, rate and note")
  func format() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("epoch 1/5", total: 200, on: sink.terminal(isInteractive: true, width: 200), clock: { clock.seconds })
    clock.seconds += 10
    bar.update(50, note: "loss=0.25")
    let filled = String(repeating: "█", count: 10) + String(repeating: " ", count: 30)
    #expect(sink.redraws == ["epoch 1/5:  25%|\(filled)|  50/200 [00:10<00:30, 5.00it/s, loss=0.25]"])
  }

  @Test("never wider than the terminal, whatever its width", arguments: [1, 10, 20, 40, 60, 80, 120, 200])
  func width(_ columns: Int) {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar(
      "a label", total: 1000, on: sink.terminal(isInteractive: true, width: columns), clock: { clock.seconds })
    for done in 0...1000 {
      clock.seconds += 1
      bar.update(done, note: "loss=\(done)")
    }
    #expect(sink.redraws.count == (columns == 1 ? 0 : 1001))
    #expect(sink.redraws.allSatisfy { $0.count < columns })
  }

  @Test("the bar grows with each eighth of a column")
  func eighths() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("x", total: 8 * 40, on: sink.terminal(isInteractive: true, width: 200), clock: { clock.seconds })
    for done in 0...8 * 40 {
      clock.seconds += 1
      bar.update(done)
    }
    let bars = sink.redraws.map { $0.split(separator: "|")[1] }
    #expect(bars.allSatisfy { $0.count == 40 })
    #expect(Set(bars).count == 8 * 40 + 1)
  }

  @Test("redraws at most ten times a second")
  func throttle() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("x", total: 100_000, on: sink.terminal(isInteractive: true), clock: { clock.seconds })
    for done in 1...20_000 {
      clock.seconds += 1.0 / 10_000
      bar.update(done)
    }
    #expect((18...21).contains(sink.redraws.count))
  }

  @Test("a file or a pipe gets one plain line and no carriage return")
  func plain() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar(
      "get x.gz", total: 2_500_000, unit: .bytes, on: sink.terminal(isInteractive: false), clock: { clock.seconds })
    for done in 0...10 {
      clock.seconds += 1
      bar.update(done * 250_000)
    }
    bar.finish()
    #expect(sink.text == "get x.gz: 2.5MB/2.5MB [00:11, 227.3kB/s]\n")
  }

  @Test("at the end the bar makes room for a plain line")
  func finish() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("x", total: 10, on: sink.terminal(isInteractive: true), clock: { clock.seconds })
    clock.seconds += 1
    bar.update(10)
    bar.finish("all done")
    #expect(sink.text.hasSuffix("\r\u{1B}[Kall done\n"))
    // Nothing was drawn: nothing to take away.
    let (other, silent) = (Sink(), ManualClock())
    ProgressBar("x", total: 10, on: other.terminal(isInteractive: true), clock: { silent.seconds }).clear()
    #expect(other.text.isEmpty)
  }

  @Test("unknown total: no share, no time left")
  func unknownTotal() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("get", total: nil, unit: .bytes, on: sink.terminal(isInteractive: true), clock: { clock.seconds })
    clock.seconds += 2
    bar.update(3000)
    #expect(sink.redraws == ["get: 3.0kB [00:02, 1.5kB/s]"])
  }

  @Test("slow work is given in seconds per item, long work with hours")
  func slow() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("x", total: 2, on: sink.terminal(isInteractive: true, width: 200), clock: { clock.seconds })
    clock.seconds += 3723
    bar.update(1)
    #expect(sink.redraws[0].hasSuffix("1/2 [1:02:03<1:02:03, 3723s/it]"))
  }

  @Test("nothing done yet, or no time gone: no rate, no division by zero")
  func empty() {
    let (sink, clock) = (Sink(), ManualClock())
    let bar = ProgressBar("x", total: 0, on: sink.terminal(isInteractive: true, width: 200), clock: { clock.seconds })
    bar.update(0)
    #expect(sink.redraws[0].hasSuffix("0/0 [00:00, ?it/s]"))
  }

  @Test("colour only where it is welcome")
  func colour() {
    for usesColor in [false, true] {
      let (sink, clock) = (Sink(), ManualClock())
      let terminal = sink.terminal(isInteractive: true, usesColor: usesColor)
      let bar = ProgressBar("x", total: 4, on: terminal, clock: { clock.seconds })
      clock.seconds += 1
      bar.update(1)
      #expect(sink.text.contains("\u{1B}[36m") == usesColor)
    }
  }
}
