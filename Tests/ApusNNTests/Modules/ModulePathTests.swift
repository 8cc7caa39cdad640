import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("modules in errors")
struct ModulePathTests {
  private final class Broken: Module, Layer {
    func forward(_ x: Tensor) -> Tensor { (x * 0 - 1).sqrt() }
  }

  private final class Model: Module, Layer {
    let body = Sequential([Linear(2, 2), Broken()])
    func forward(_ x: Tensor) -> Tensor { body(x) }
  }

  private func text(_ body: () -> Void) -> String { mistake { detectAnomaly(body) }?.description ?? "" }

  @Test("detectAnomaly names the module that an op ran in, by its path from the outermost one")
  func paths() {
    let model = Model()
    #expect(text { _ = model(Tensor.ones([1, 2])) }.hasSuffix("in module Model.body.1 (Broken)"))
    #expect(text { _ = model.body(Tensor.ones([1, 2])) }.hasSuffix("in module Sequential.1 (Broken)"))
    #expect(text { _ = Broken()(Tensor.ones([1, 2])) }.hasSuffix("in module Broken"))
  }

  @Test("a module that is no part of its caller stands for itself, and modules without a mistake change nothing")
  func others() {
    final class Loose: Module, Layer {
      let makes: () -> Broken = { Broken() }
      func forward(_ x: Tensor) -> Tensor { makes()(x) }
    }
    #expect(text { _ = Loose()(Tensor.ones([1])) }.hasSuffix("in module Broken"))
    let lstm = LSTM(2, 3)
    #expect(text { _ = lstm(Tensor.ones([2, 1, 2])) } == "")
    #expect(text { _ = lstm(Tensor.full([2, 1, 2], Double.nan)) }.hasSuffix("in module LSTM"))
  }
}
