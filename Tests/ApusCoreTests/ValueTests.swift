import ApusCore
import TestSupport
import Testing

@Suite("tensors are values")
struct ValueTests {
  @Test("changing a copy changes nothing else")
  func copies() {
    let x = Tensor([1.0, 2, 3])
    var y = x
    y += 1
    y[0] = 9
    expectClose(x, Tensor([1.0, 2, 3]))
    expectClose(y, Tensor([9.0, 3, 4]))
    let view = y[1...]
    y *= 2
    expectClose(view, Tensor([3.0, 4]))
    var z = y.reshape(3, 1)
    z -= 1
    expectClose(y, Tensor([18.0, 6, 8]))
    // An operand that is the tensor itself.
    y += y
    expectClose(y, Tensor([36.0, 12, 16]))
    y /= y
    expectClose(y, Tensor([1.0, 1, 1]))
  }

  @Test("a uniquely held tensor is changed in its own memory")
  func inPlace() {
    var x = Tensor.zeros([100])
    let before = x.withUnsafeBytes { $0.baseAddress }
    for i in 0..<100 { x[i] = Tensor(Double(i)) }
    x += 1
    x *= 2.0
    #expect(x.withUnsafeBytes { $0.baseAddress } == before)
    #expect(x.sum().item() == 10100)
    // An expanded tensor has one place for many elements: writing needs memory of its own.
    var wide = Tensor([1.0]).expand(3)
    wide[1] = 5
    expectClose(wide, Tensor([1.0, 5, 1]))
    wide = Tensor([1.0]).expand(3)
    wide += Tensor([1.0, 2, 3])
    expectClose(wide, Tensor([2.0, 3, 4]))
  }

  @Test("a saved activation survives a later change")
  func savedActivations() {
    let w = Tensor([2.0, 3], requiresGrad: true)
    var h = w * w
    let y = h * h
    h += 100
    y.sum().backward()
    expectClose(w.grad!, Tensor([32.0, 108]))
  }

  @Test("in noGrad a leaf stays the same leaf")
  func updates() {
    var w = Tensor([1.0, 2], requiresGrad: true)
    (w * w).sum().backward()
    noGrad {
      w -= 0.5 * w.grad!
      w[0] = 7
      w.assign(w * 2)
    }
    #expect(w.isLeaf && w.requiresGrad)
    expectClose(w.grad!, Tensor([2.0, 4]))
    expectClose(w.detach(), Tensor([14.0, 0]))
    // With recording on, the variable holds a result instead.
    w += 1
    #expect(!w.isLeaf)
  }

  @Test("in-place ops keep shape and dtype or say why not")
  func kinds() {
    expectMistake("add=: [2] (float32) cannot hold the result with [3, 2] (float32)") {
      var x = Tensor([1.0, 2])
      x += Tensor.ones([3, 2])
    }
    expectMistake("div=: [2] (int64) cannot hold the result with [] (int64)") {
      var x = Tensor([1, 2])
      x /= 2
    }
    expectMistake("mul=: [1] (float32) cannot hold a result of shape [2] (float32)") {
      var x = Tensor([1.0], requiresGrad: true)
      x *= Tensor([1.0, 2])
    }
    expectMistake("assign: [3] to a tensor of shape [2]") {
      var x = Tensor([1.0, 2])
      x.assign(Tensor([1.0, 2, 3]))
    }
    var i = Tensor([1, 2])
    i += 1
    i *= 3
    #expect(i.scalars(as: Int.self) == [6, 9] && i.dtype == .int64)
  }
}

@Suite("creation and conversion")
struct CreationTests {
  @Test("from Swift values of any nesting, and back")
  func nesting() {
    #expect(Tensor(1.5).shape == [] && Tensor(1.5).dtype == .float32 && Tensor(3).dtype == .int64 && Tensor(true).dtype == .bool)
    #expect(Tensor([[[1, 2]], [[3, 4]]]).shape == [2, 1, 2])
    #expect(Tensor([[1.0, 2]], dtype: .float64).dtype == .float64 && Tensor([Float(1)]).dtype == .float32)
    #expect(Tensor([UInt8(1)]).dtype == .uint8 && Tensor([Int8(1)]).dtype == .int8 && Tensor([Float16(1)]).dtype == .float16)
    #expect(Tensor([[Int]]()).shape == [0, 0] && Tensor([Double]()).shape == [0])
    let x = Tensor([[1.5, 2.5], [3.5, 4.5]])
    #expect(x.array(as: [[Float]].self) == [[1.5, 2.5], [3.5, 4.5]])
    #expect(x.array(as: [[Int]].self) == [[1, 2], [3, 4]])
    let cube: [[[Double]]] = x.reshape(1, 2, 2).array()
    #expect(cube == [[[1.5, 2.5], [3.5, 4.5]]])
    #expect(x.T.scalars(as: Double.self) == [1.5, 3.5, 2.5, 4.5])
    #expect(Tensor(2.0).array(as: Double.self) == 2 && Tensor.zeros([0, 2]).array(as: [[Float]].self) == [])
    #expect(x[1, 1].item() == 4.5 && x[1, 1].item(as: Int.self) == 4 && Tensor([true]).item(as: Bool.self))
    #expect(Tensor(Int.max).item(as: Int.self) == .max && Tensor.full([2], Int.max)[1].item(as: Int.self) == .max)
    expectMistake("Tensor: rows of different lengths") { _ = Tensor([[1, 2], [3]]) }
    expectMistake("Tensor: 3 elements do not fill [2, 2]") { _ = Tensor(scalars: [1, 2, 3], shape: [2, 2]) }
    expectMistake("item: a tensor of shape [2, 2] has 4 elements, not one") { _ = x.item() }
    expectMistake("array: a tensor of shape [2, 2] is not an array of depth 1") { _ = x.array(as: [Float].self) }
  }

  @Test("from bytes and back")
  func bytes() {
    let x = Tensor([1.0, 2, 3, 4]).reshape(2, 2)
    let y = x.T.withUnsafeBytes { Tensor(bytes: $0, shape: [2, 2], dtype: .float32) }
    expectClose(y, x.T.contiguous())
    expectMistake("Tensor: 16 bytes do not fill [3] of float32") {
      x.withUnsafeBytes { _ = Tensor(bytes: $0, shape: [3], dtype: .float32) }
    }
  }

  @Test("zeros, ones, full, arange, linspace, eye")
  func factories() {
    for dtype in DType.allCases {
      #expect(Tensor.zeros([2, 2], dtype: dtype).any().item(as: Bool.self) == false)
      #expect(Tensor.ones([2, 2], dtype: dtype).sum().item() == 4 && Tensor.ones([], dtype: dtype).dtype == dtype)
    }
    #expect(
      Tensor.full([2], 3).dtype == .int64 && Tensor.full([2], 2.5).dtype == .float32 && Tensor.full([2], true).dtype == .bool)
    #expect(
      Tensor.arange(3).scalars(as: Int.self) == [0, 1, 2] && Tensor.arange(5, 1, step: -2).scalars(as: Int.self) == [5, 3])
    expectClose(Tensor.arange(0.0, 1, step: 0.25), Tensor([0.0, 0.25, 0.5, 0.75]))
    expectClose(Tensor.linspace(0, 1, 5), Tensor([0.0, 0.25, 0.5, 0.75, 1]))
    #expect(Tensor.linspace(0, 0.7, 8, dtype: .float64)[-1].item() == 0.7 && Tensor.linspace(1, 2, 1).item() == 1)
    expectClose(Tensor.eye(2, 3), Tensor([[1.0, 0, 0], [0, 1, 0]]))
    let x = Tensor.ones([2], dtype: .float64)
    #expect(Tensor.zerosLike(x).dtype == .float64 && Tensor.onesLike(x, dtype: .int8).dtype == .int8)
    #expect(Tensor.fullLike(x, 2).sum().item() == 4)
    #expect(Tensor.zeros([2], requiresGrad: true).requiresGrad && Tensor.ones([1], requiresGrad: true).isLeaf)
    expectMistake("arange: step is 0") { _ = Tensor.arange(0, 3, step: 0) }
    expectMistake("arange: no way from 3 to 0 by 1") { _ = Tensor.arange(3, 0) }
    expectMistake("arange: no way from 0.0 to 1.0 by -1.0") { _ = Tensor.arange(0.0, 1, step: -1) }
  }

  @Test("devices: this build has the CPU, and says so")
  func devices() throws {
    #expect(Tensor.ones([1]).device == .cpu && Tensor.ones([1]).to(.cpu).device.description == "cpu")
    #expect(try Device(named: "cpu") == .cpu)
    #expect(throws: TensorError(.device, "device", "'cuda' is not available; this build has: cpu")) { try Device(named: "cuda") }
  }
}
