import ApusCore
import Foundation
import TestSupport
import Testing

@Suite("profiler")
struct ProfilerTests {
  /// Computes what is deferred: all of it, under `APUS_DEFER_FROM=2`.
  private func look(_ x: Tensor) { x.withUnsafeBytes { _ in } }

  private func row(_ profile: Profile, _ name: String) throws -> Profile.Row {
    try #require(profile.ops.first { $0.name == name }, "\(profile)")
  }

  @Test("a matrix product is counted with its calls, bytes and operations")
  func countsProducts() throws {
    let (a, b) = (Tensor.ones([64, 32]), Tensor.ones([32, 16]))
    let profile = Profiler.record { for _ in 0..<3 { _ = a.matmul(b) } }
    let matmul = try row(profile, "matmul")
    #expect(matmul.calls == 3)
    #expect(matmul.flops == 3 * 2 * 64 * 32 * 16)
    #expect(matmul.bytes == 3 * 4 * (64 * 32 + 32 * 16 + 64 * 16))
    #expect(matmul.ownTime > 0 && matmul.time >= matmul.ownTime)
    #expect(matmul.flopRate == matmul.flops / matmul.ownTime)
  }

  @Test("a convolution counts the same operations forward and in both gradients")
  func countsConvolutions() throws {
    let x = Tensor.ones([2, 3, 8, 8], requiresGrad: true)
    let w = Tensor.ones([4, 3, 3, 3], requiresGrad: true)
    let profile = Profiler.record { conv2d(x, w, padding: 1).sum().backward() }
    let flops = 2.0 * 2 * 4 * 8 * 8 * 3 * 3 * 3
    for name in ["conv2d", "convolution", "convolution by input", "convolution by weight"] {
      guard let found = profile.ops.first(where: { $0.name == name }) else { continue }
      #expect(found.flops == flops, "\(name)")
    }
    #expect(profile.ops.reduce(0) { $0 + $1.flops } == 3 * flops, "\(profile)")
    #expect(profile.spans.map(\.name) == ["backward"])
  }

  @Test("deferred ops are one pass under the names of all, and none where they are noted down")
  func namesPasses() throws {
    let x = Tensor.ones([1 << 18])
    let profile = Profiler.record { look((x * 3).exp() + 1) }
    let pass = try row(profile, "mul+exp+add")
    #expect(pass.calls == 1)
    #expect(pass.bytes >= 2 * 4 << 18)
    #expect(!profile.ops.contains { ["mul", "exp", "add"].contains($0.name) }, "\(profile)")
  }

  @Test("the time of ops inside an op is not the outer one's own")
  func splitsNestedTime() throws {
    let x = Tensor.rand([512, 512])
    look(x)  // random numbers are deferred as well
    let profile = Profiler.record { _ = (x * 2 + 1).matmul(x) }
    let (pass, matmul) = (try row(profile, "mul+add"), try row(profile, "matmul"))
    #expect(matmul.time >= matmul.ownTime + pass.time - 1e-9)
    #expect(profile.opTime <= profile.duration)
  }

  @Test("results are the same bits as without a profile")
  func keepsResults() {
    func step() -> [Tensor] {
      let generator = Generator(seed: 3)
      let x = Tensor.rand([4, 3, 9, 9], requiresGrad: true, generator: generator)
      let w = Tensor.rand([5, 3, 3, 3], requiresGrad: true, generator: generator)
      let y = maxPool2d(conv2d(x, w).relu(), kernelSize: 2).flatten(startDim: 1).softmax(dim: 1)
      (y * y).sum().backward()
      return [y, x.grad!, w.grad!]
    }
    let plain = step()
    var profiled: [Tensor] = []
    _ = Profiler.record { profiled = step() }
    for (a, b) in zip(plain, profiled) { #expect((a .== b).all().item(as: Bool.self)) }
  }

  @Test("scopes nest, spans have names, nothing is recorded outside")
  func nests() throws {
    var inner: Profile?
    let outer = Profiler.record {
      Profiler.span("warm up") { look(Tensor.ones([8]).exp()) }
      inner = Profiler.record { look(Tensor.ones([8]).sin()) }
    }
    look(Tensor.ones([8]).cos())
    #expect(outer.spans.map(\.name) == ["warm up"] && outer.spans[0].calls == 1)
    #expect(outer.ops.contains { $0.name == "exp" } && !outer.ops.contains { ["sin", "cos"].contains($0.name) })
    #expect(try #require(inner).ops.map(\.name) == ["sin"])
    #expect(Profiler.span("outside") { 7 } == 7)
  }

  @Test("an error that the body throws is passed on")
  func passesErrorsOn() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { _ = try Profiler.record { throw Stop() } }
  }

  @Test("the trace is JSON with an event for each call, up to its limit")
  func writesTrace() throws {
    let x = Tensor.ones([4, 4])
    let profile = Profiler.record(traceLimit: 3) {
      Profiler.span(#"a "quoted" \ name"#) { _ = x.matmul(x) }
      for _ in 0..<3 { look(x.exp()) }
    }
    #expect(profile.droppedEvents == 2)
    let trace = try #require(try JSONSerialization.jsonObject(with: Data(profile.chromeTrace.utf8)) as? [String: Any])
    let events = try #require(trace["traceEvents"] as? [[String: Any]])
    try #require(events.map { $0["name"] as? String } == ["matmul", #"a "quoted" \ name"#, "exp"])
    #expect((events[0]["args"] as? [String: Any])?["flops"] as? Double == 128)
    #expect((events[0]["args"] as? [String: Any])?["shapes"] as? String == "[4, 4] [4, 4]")
    // The span lies around its op.
    let (op, span) = (events[0], events[1])
    func time(_ event: [String: Any], _ key: String) throws -> Double { try #require(event[key] as? Double) }
    #expect(try time(op, "ts") >= time(span, "ts"))
    #expect(try time(op, "ts") + time(op, "dur") <= time(span, "ts") + time(span, "dur") + 1e-3)
  }

  @Test("the table has a row for each op, and sums up what it leaves out")
  func printsTable() {
    let x = Tensor.ones([4, 4])
    let profile = Profiler.record {
      look(x.exp())
      look(x.sin())
      _ = x.matmul(x)
    }
    let lines = profile.description.split(separator: "\n")
    #expect(lines.count == 7 && lines[0].hasPrefix("op ") && lines[5].hasPrefix("in all"))
    #expect(lines[6] == "3 blocks of memory for tensors, 0.0 MB together")
    #expect(lines.allSatisfy { $0.count <= 96 })
    #expect(profile.table(limit: 1).contains("2 more"))
  }
}
