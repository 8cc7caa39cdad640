import ApusCore
import Foundation
import TestSupport
import Testing

@Suite("detectAnomaly")
struct AnomalyTests {
  /// The error that `body` makes inside `detectAnomaly`.
  func anomaly(_ body: () -> Void) -> TensorError? { mistake { detectAnomaly(body) } }

  /// The error without the place where the op was called.
  func text(_ body: () -> Void) -> String? {
    anomaly(body)?.description.components(separatedBy: "; ").first
  }

  @Test("a NaN or an infinity that an op makes is named with its place in the result")
  func forward() {
    let x = Tensor([[1.0, 4], [0, -1]])
    #expect(text { _ = x.log() } == "log: its result, float32 [2, 2], has NaN (first at [1, 1]), and its input has none")
    #expect(
      text { _ = (1 / x).sum() } == "div: its result, float32 [2, 2], has an infinity (first at [1, 0]), and its inputs have none"
    )
    #expect(
      text { _ = Tensor(0.0, dtype: .float64).log() } == "log: its result, float64 [], has an infinity, and its input has none")
    #expect(
      text { _ = (x * 1e5).to(.float16) }
        == "to: its result, float16 [2, 2], has an infinity (first at [0, 0]), and its input has none")
    #expect(anomaly { _ = x.log() }?.kind == .notFinite)
    #expect(anomaly { _ = x.exp().sum().log() } == nil)
  }

  @Test("a NaN that was there before is reported as such, an infinity is left alone")
  func given() {
    let x = Tensor([1.0, .nan])
    #expect(text { _ = Tensor([1.0, 2]) * x } == "mul: its result, float32 [2], has NaN (first at [1]), as input 1 had before")
    let masked = Tensor([1.0, -.infinity])
    #expect(anomaly { expectClose((masked + 1).softmax(dim: 0), Tensor([1.0, 0])) } == nil)
    #expect(text { _ = masked - masked } == "sub: its result, float32 [2], has NaN (first at [1]), and its inputs have none")
    #expect(anomaly { _ = x.isNaN() } == nil)
    #expect(mistake { _ = x.log() } == nil)
  }

  @Test("a gradient is reported with the forward op whose rule made it")
  func backward() {
    let x = Tensor([4.0, 0], requiresGrad: true)
    #expect(
      text { x.sqrt().sum().backward() }
        == "backward of sqrt: the gradient of its input, float32 [2], has an infinity (first at [1]), and the gradient of its result has none"
    )
    #expect(x.grad == nil)
    let zero = Tensor([0.0], requiresGrad: true)
    let message = text { (zero.square().sum().sqrt() * Tensor([0.0])).backward() }
    #expect(message?.contains("backward of sqrt: the gradient of its input, float32 [], has NaN") == true, "\(message ?? "none")")
    #expect(anomaly { (x + 1).sqrt().sum().backward() } == nil)
    // Recorded before the scope: the op is still named.
    let early = x.sqrt().sum()
    #expect(
      anomaly { early.backward() }?.message.hasSuffix("has none; called outside detectAnomaly, or by a backward pass") == true)
  }

  #if os(Linux)
    @Test("the error says where the op was called")
    func callSites() {
      let line = #line + 1
      let forward = anomaly { _ = Tensor([-1.0]).log() }?.message ?? ""
      #expect(forward.contains("called in") && forward.hasSuffix("AnomalyTests.swift:\(line)"), "\(forward)")
      let x = Tensor([0.0], requiresGrad: true)
      let backward =
        anomaly {
          let root = x.sqrt()
          (root * 2).sum().backward()
        }?.message ?? ""
      #expect(backward.hasSuffix("AnomalyTests.swift:\(line + 5)"), "\(backward)")
    }
  #endif

  @Test("the module that was running is named")
  func modules() {
    #expect(!ModulePath.isWanted)
    let error = anomaly {
      #expect(ModulePath.isWanted && ModulePath.current == nil)
      ModulePath.with("encoder") {
        ModulePath.with("encoder.norm") {
          #expect(ModulePath.current == "encoder.norm")
          _ = Tensor([-1.0]).log()
        }
      }
    }
    #expect(error?.message.hasSuffix("in module encoder.norm") == true)
    let x = Tensor([0.0], requiresGrad: true)
    let backward = anomaly { ModulePath.with("head") { x.sqrt() }.sum().backward() }
    #expect(backward?.message.hasSuffix("in module head") == true)
    #expect(ModulePath.with("nobody asks") { ModulePath.current } == nil)
  }

  @Test("inside a checkpoint, both times")
  func checkpoints() {
    let x = Tensor([0.0], requiresGrad: true)
    let error = anomaly { checkpoint(x) { x in ModulePath.with("block") { x.sqrt() } }.sum().backward() }
    #expect(error?.operation == "backward of sqrt" && error?.message.hasSuffix("in module block") == true)
    #expect(anomaly { checkpoint(x) { ($0 - 1).sqrt() }.sum().backward() }?.operation == "sqrt")
  }

  @Test("outside of catching the program ends with the text")
  func ending() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      detectAnomaly { _ = Tensor([-1.0]).log() }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("log: its result, float32 [1], has NaN (first at [0]), and its input has none"))
  }

  @Test("the scope ends with its body, also where that throws")
  func scopes() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { try detectAnomaly { throw Stop() } }
    #expect(mistake { _ = Tensor([-1.0]).log() } == nil)
  }
}
