import ApusCore
import CKernels
import TestSupport
import Testing

/// Values of every element-wise op, for every dtype that it takes and every layout, against the same function of one double.
@Suite("element-wise ops")
struct ElementwiseTests {
  @Test("the Swift cases and the C kernels have the same names in the same order")
  func names() {
    let aliases = [
      "logSigmoid": "log_sigmoid", "geluSlope": "gelu_slope", "bitwiseNot": "bitwise_not", "logicalNot": "logical_not",
      "isNaN": "isnan",
      "isInfinite": "isinf",
      "isFinite": "isfinite", "floorDivide": "floor_divide", "reluGradient": "relu_gradient", "tanhGradient": "tanh_gradient",
      "sigmoidGradient": "sigmoid_gradient", "bitwiseAnd": "bitwise_and",
      "bitwiseOr": "bitwise_or",
      "bitwiseXor": "bitwise_xor", "logicalAnd": "logical_and", "logicalOr": "logical_or", "logicalXor": "logical_xor",
    ]
    #expect(Unary.allCases.count == Int(APUS_UNARY_COUNT.rawValue))
    #expect(Binary.allCases.count == Int(APUS_BINARY_COUNT.rawValue))
    #expect(DType.allCases.count == Int(APUS_DTYPE_COUNT.rawValue))
    for op in Unary.allCases { #expect(String(cString: apus_unary_name(op.kernel)) == aliases[op.name, default: op.name]) }
    for op in Binary.allCases { #expect(String(cString: apus_binary_name(op.kernel)) == aliases[op.name, default: op.name]) }
  }

  /// Numbers that the dtype holds, with the special ones of floats.
  static func values(_ dtype: DType, in range: ClosedRange<Double>, _ shape: Shape, seed: UInt64) -> Tensor {
    if dtype == .bool { return Tensor.randint(0, 2, shape, generator: Generator(seed: seed)).to(.bool) }
    if dtype.isInteger {
      let low = dtype == .uint8 ? 0 : -9
      return Tensor.randint(low, 10, shape, dtype: dtype, generator: Generator(seed: seed))
    }
    return samples(shape, in: range, seed: seed).to(dtype)
  }

  static func tolerance(_ dtype: DType) -> (relative: Double, absolute: Double) {
    switch dtype {
    case .float64: (1e-13, 1e-14)
    case .float16: (0x1p-10, 1e-6)
    case .bfloat16: (0x1p-7, 1e-6)
    default: (2e-6, 1e-7)
    }
  }

  @Test("unary ops give the function's value", arguments: Unary.allCases)
  func unary(op: Unary) {
    for dtype in DType.allCases {
      guard let computed = op.computeType(dtype) else {
        #expect(
          mistake { _ = Tensor.zeros([2], dtype: dtype).unary(op) }?.description == "\(op.name): is not defined for \(dtype)")
        continue
      }
      for layout in Layout.allCases {
        for shape in awkwardShapes + [[5, 40]] {
          let range = dtype.isFloatingPoint ? op.gradientRange : -9...9
          let x = layout.tensor(Self.values(dtype, in: range, shape, seed: 11))
          let y = x.unary(op)
          let expected = x.scalars(as: Double.self).map { dtype == .bool && op == .bitwiseNot ? 1 - $0 : op.reference($0) }
          let resultType = op.isPredicate ? DType.bool : computed
          let bound = Self.tolerance(computed)
          // Through int64 where integers may wrap.
          let wide = Tensor(scalars: expected, shape: shape, dtype: .float64)
          expectClose(
            y, resultType.isInteger ? wide.to(.int64).to(resultType) : wide.to(resultType), relative: bound.relative,
            absolute: bound.absolute, "\(op) \(dtype) \(layout)")
        }
      }
    }
  }

  @Test("unary ops treat special numbers as the C library does", arguments: Unary.allCases.filter { $0 != .bitwiseNot })
  func specials(op: Unary) {
    let special: [Double] = [0, -0.0, 1, -1, .infinity, -.infinity, .nan, 1e30, -1e30, 1e-30, -1e-30, 88.8, -104, 0.5, -0.5, 2.5]
    for dtype in [DType.float32, .float64] {
      let x = Tensor(scalars: special, dtype: dtype)
      let expected = Tensor(scalars: x.scalars(as: Double.self).map(op.reference), dtype: .float64)
      let y = x.unary(op)
      // In float32 the functions of 1e30 and the like over- or underflow as their exact values do.
      expectClose(
        y, expected.to(op.isPredicate ? .bool : dtype), relative: dtype == .float64 ? 1e-13 : 2e-6, absolute: 1e-37,
        "\(op) \(dtype)")
    }
  }

  @Test("binary ops give the function's value and broadcast", arguments: Binary.allCases)
  func binary(op: Binary) {
    let shapes: [(Shape, Shape)] = [
      ([], []), ([7], [7]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1, 3], [4, 1]), ([2, 2], []), ([0, 3], [3]),
      ([2, 1, 2, 1], [1, 3, 1, 2]),
      ([3, 50], [3, 50]),
    ]
    for dtype in DType.allCases {
      guard let computed = op.computeType(dtype) else {
        let error = mistake { _ = Tensor.binary(op, Tensor.ones([2], dtype: dtype), Tensor.ones([2], dtype: dtype)) }
        #expect(error?.description == "\(op.name): is not defined for \(dtype) and \(dtype)")
        continue
      }
      for layout in Layout.allCases {
        for (sa, sb) in shapes {
          let (ra, rb) = dtype.isFloatingPoint ? op.gradientRanges : (-9...9, -9...9)
          let a = layout.tensor(Self.values(dtype, in: ra, sa, seed: 21))
          var b = layout.tensor(Self.values(dtype, in: rb, sb, seed: 22))
          let divides = [.floorDivide, .remainder, .fmod].contains(op)
          if divides && dtype.isInteger { b = b.maximum(Tensor.ones([], dtype: dtype)) }
          if op == .pow && dtype.isInteger { b = b.remainder(Tensor(3)).to(dtype) }
          let y = Tensor.binary(op, a, b)
          let shape = Shape.broadcast(sa, sb)!
          let (xs, ys) = (a.expand(shape).scalars(as: Double.self), b.expand(shape).scalars(as: Double.self))
          var expected = zip(xs, ys).map(op.reference)
          if computed == .bool && !op.isComparison { expected = expected.map { $0 == 0 ? 0 : 1 } }
          let bound = Self.tolerance(computed)
          // Through int64 where integers may wrap.
          let wide = Tensor(scalars: expected, shape: shape, dtype: .float64)
          let result = op.isComparison ? wide.to(.bool) : computed.isInteger ? wide.to(.int64).to(computed) : wide.to(computed)
          expectClose(y, result, relative: bound.relative * 4, absolute: bound.absolute, "\(op) \(dtype) \(layout) \(sa) \(sb)")
        }
      }
    }
  }

  @Test("maximum and minimum pass NaN on, fmax and fmin don't")
  func nan() {
    let (a, b) = (Tensor([1.0, .nan, .nan]), Tensor([Double.nan, 2, .nan]))
    #expect(a.maximum(b).isNaN().all().item(as: Bool.self))
    #expect(a.minimum(b).isNaN().all().item(as: Bool.self))
    expectClose(a.fmax(b), Tensor([1.0, 2, .nan]))
    expectClose(a.fmin(b), Tensor([1.0, 2, .nan]))
  }

  @Test("integers wrap, and dividing them by zero is an error")
  func integers() {
    #expect((Tensor([Int8.max]) + Tensor([Int8(1)])).item(as: Int.self) == -128)
    #expect((-Tensor([Int8.min])).item(as: Int.self) == -128)
    expectClose(Tensor([7, -7]).floorDivide(Tensor([2, 2])), Tensor([3, -4]))
    expectClose(Tensor([7, -7]).remainder(Tensor([-2, 2])), Tensor([-1, 1]))
    expectClose(Tensor([7, -7]).fmod(Tensor([-2, 2])), Tensor([1, -1]))
    expectClose(Tensor([2, 2, 1, -1]).pow(Tensor([3, -1, -2, -3])), Tensor([8, 0, 1, -1]))
    expectMistake("floorDivide: integer division by zero") { _ = Tensor([1]).floorDivide(Tensor([0])) }
    expectMistake("remainder: integer division by zero") { _ = Tensor([1, 2]).remainder(Tensor([1, 0])) }
  }

  @Test("large tensors are cut among threads without a seam")
  func large() {
    let n = 300_001
    let x = Tensor.arange(n, dtype: .float64)
    #expect((x * 2 + 1).sum().item() == Double(n) * Double(n))
    let wide = x.narrow(dim: 0, start: 0, count: 300_000).reshape(300, 1000)
    expectClose((wide.T + wide.T).T.contiguous(), wide * 2)
    expectClose(wide.T.contiguous().T, wide)
    expectClose((wide + Tensor.ones([1000], dtype: .float64)).to(.int64), wide.to(.int64) + 1)
  }

  @Test("where, clamp and maskedFill")
  func selection() {
    expectClose(`where`(Tensor([true, false]), Tensor([1, 2]), 7), Tensor([1, 7]))
    expectClose(`where`(Tensor([true, false]), Tensor([1, 2]), 0.5), Tensor([1.0, 0.5]))
    expectClose(`where`(Tensor([[true], [false]]), Tensor([1.0, 2]), Tensor([[3.0], [4]])), Tensor([[1.0, 2], [4, 4]]))
    expectClose(Tensor([-2.0, 0.5, .nan, 9]).clamp(min: -1, max: 1), Tensor([-1.0, 0.5, .nan, 1]))
    expectClose(Tensor([1, 5]).clamp(min: nil, max: 3), Tensor([1, 3]))
    expectClose(Tensor([1, 5]).clamp(max: 3.5), Tensor([1.0, 3.5]))
    expectClose(Tensor([1, 2, 3]).maskedFill(Tensor([true, false, true]), 0), Tensor([0, 2, 0]))
    expectMistake("where: the condition is int64, not bool") { _ = `where`(Tensor([1]), 1, 2) }
    expectMistake("where: [2], [3] and [] do not broadcast") { _ = `where`(Tensor([true, false]), Tensor([1, 2, 3]), 2) }
    expectMistake("clamp: neither min nor max is given") { _ = Tensor([1.0]).clamp() }
    expectMistake("maskedFill: mask of shape [3] does not broadcast to [2]") {
      _ = Tensor([1.0, 2]).maskedFill(Tensor([true, true, false]), 1)
    }
    expectMistake("maskedFill: the value has shape [1]; it must have no axes") {
      _ = Tensor([1.0, 2]).maskedFill(Tensor([true, true]), Tensor([1.0]))
    }
  }
}
