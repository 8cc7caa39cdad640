import ApusCore
import Testing

@Suite("dtype promotion")
struct PromotionTests {
  /// torch.result_type(torch.empty(2, dtype=a), torch.empty(2, dtype=b)) for the dtypes in this order:
  /// f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool (PyTorch 2.13.0).
  static let order: [DType] = [.float32, .float64, .float16, .bfloat16, .int64, .int32, .int16, .int8, .uint8, .bool]
  static let tensors: [String] = [
    "f32 f64 f32 f32 f32 f32 f32 f32 f32 f32",
    "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64",
    "f32 f64 f16 f32 f16 f16 f16 f16 f16 f16",
    "f32 f64 f32 b16 b16 b16 b16 b16 b16 b16",
    "f32 f64 f16 b16 i64 i64 i64 i64 i64 i64",
    "f32 f64 f16 b16 i64 i32 i32 i32 i32 i32",
    "f32 f64 f16 b16 i64 i32 i16 i16 i16 i16",
    "f32 f64 f16 b16 i64 i32 i16 i8 i16 i8",
    "f32 f64 f16 b16 i64 i32 i16 i16 u8 u8",
    "f32 f64 f16 b16 i64 i32 i16 i8 u8 bool",
  ]
  static let short: [String: DType] = [
    "f32": .float32, "f64": .float64, "f16": .float16, "b16": .bfloat16, "i64": .int64, "i32": .int32, "i16": .int16, "i8": .int8,
    "u8": .uint8, "bool": .bool,
  ]

  @Test("of two tensors with axes is PyTorch's table")
  func ofTensors() {
    for (i, a) in Self.order.enumerated() {
      for (j, word) in Self.tensors[i].split(separator: " ").enumerated() {
        let b = Self.order[j]
        #expect((Tensor.ones([2], dtype: a) + Tensor.ones([2], dtype: b)).dtype == Self.short[String(word)], "\(a) + \(b)")
        #expect((Tensor.ones([], dtype: a) + Tensor.ones([], dtype: b)).dtype == Self.short[String(word)], "\(a) + \(b), scalars")
        #expect(DType.promote(a, b) == DType.promote(b, a))
      }
    }
  }

  @Test("a tensor with axes keeps its dtype beside a scalar tensor of the same or a lower category")
  func besideScalarTensors() {
    for a in Self.order {
      for b in Self.order {
        let result = (Tensor.ones([2], dtype: a) + Tensor.ones([], dtype: b)).dtype
        let category = { (d: DType) in d == .bool ? 0 : d.isFloatingPoint ? 2 : 1 }
        #expect(result == (category(b) > category(a) ? DType.promote(a, b) : a), "\(a) + scalar \(b)")
      }
    }
  }

  @Test("literals and Swift numbers are weak")
  func literals() {
    for a in Self.order {
      let x = Tensor.ones([2], dtype: a)
      #expect((x + 1).dtype == (a == .bool ? .int64 : a))
      #expect((x * 1.5).dtype == (a.isFloatingPoint ? a : .float32))
      let (n, d, f) = (2, 0.25, Float(0.5))
      #expect((n * x).dtype == (a == .bool ? .int64 : a))
      #expect((x * d).dtype == (a.isFloatingPoint ? a : .float32))
      #expect((f * x).dtype == (a.isFloatingPoint ? a : .float32))
      // Scalar tensors too.
      #expect((Tensor.ones([], dtype: a) * 1.5).dtype == (a.isFloatingPoint ? a : .float32))
    }
    #expect((Tensor.ones([2], dtype: .float64) * 0.1)[0].item() == 0.1)
    #expect((Tensor([1, 2]) / 2).dtype == .float32)
    #expect((Tensor([true]) / Tensor([true])).dtype == .float32)
    let literal: Tensor = 2.5
    #expect(literal.dtype == .float32)
    #expect((literal + literal).dtype == .float32)
    #expect(Tensor([1, 2]).exp().dtype == .float32)
    #expect(Tensor([1, 2]).sum().dtype == .int64)
    #expect(Tensor([true, true]).sum().dtype == .int64)
    #expect(Tensor([UInt8(200), 100]).sum().item() == 300)
  }

  @Test("numbers among themselves stay numbers, with all their digits")
  func numbers() {
    let e = 0.1
    var p = Tensor([1.0], dtype: .float64)
    p *= 1 - e
    #expect(p.item() == 0.9)
    let weak: Tensor = 0.1
    #expect((Tensor([1.0], dtype: .float64) * (weak * 3 - -weak)).item() == 0.1 * 3 + 0.1)
    for value in [0.5, -8, 8, 8.5, -0.0, 2.2e-16, -1e-300, 7.25, .infinity] {
      let product = (Tensor([1.0], dtype: .float64) * Tensor(floatLiteral: value)).item()
      #expect(product == value && product.sign == value.sign)
    }
    #expect((weak * 2).dtype == .float32 && (Tensor([1], dtype: .float16) * (weak * 2)).dtype == .float16)
    let two: Tensor = 2
    #expect((two * 3).item(as: Int.self) == 6 && (Tensor([Int8(1)]) * (two * 3)).dtype == .int8 && (two / 4).item() == 0.5)
    // A variable that was a literal and is changed is a tensor like any other.
    var changed: Tensor = 1.0
    changed += 1
    #expect(changed.to(.float64).item() == 2)
    #expect(Tensor.full([1], 0.1, dtype: .float64).item() == 0.1)
  }

  @Test("conversion truncates, saturates, and rounds halves to even")
  func conversion() {
    let x = Tensor([1.9, -1.9, 300, -300, .nan, .infinity, -.infinity, 0])
    #expect(x.to(.int8).scalars(as: Int.self) == [1, -1, 127, -128, 0, 127, -128, 0])
    #expect(x.to(.uint8).scalars(as: Int.self) == [1, 0, 255, 0, 0, 255, 0, 0])
    #expect(x.to(.bool).scalars(as: Bool.self) == [true, true, true, true, true, true, true, false])
    #expect(Tensor([70000.0, 65519, 1e-8]).to(.float16).scalars(as: Double.self) == [.infinity, 65504, 0])
    #expect(
      Tensor([Double(1 + 0x1p-8), 1 + 3 * 0x1p-8], dtype: .float64).to(.bfloat16).scalars(as: Double.self) == [1, 1 + 0x1p-6])
    #expect(Tensor([300, -1]).to(.uint8).scalars(as: Int.self) == [44, 255])
    for dtype in DType.allCases {
      #expect(DType(name: dtype.name) == dtype)
      #expect(Tensor([0, 1, 1]).to(dtype).to(.int64).scalars(as: Int.self) == [0, 1, 1])
    }
    #expect(DType(name: "float33") == nil)
  }

  @Test("half types convert as the hardware does, over all bit patterns")
  func halves() {
    let bits = (0...UInt16.max).map { $0 }
    let halves = bits.map { Float16(bitPattern: $0) }
    let floats = Tensor(scalars: halves).to(.float32).scalars(as: Float.self)
    #expect(zip(halves, floats).allSatisfy { Float($0) == $1 || ($0.isNaN && $1.isNaN) })
    #expect(
      zip(Tensor(scalars: floats).to(.float16).scalars(as: Float16.self), halves).allSatisfy {
        $0 == $1 || ($0.isNaN && $1.isNaN)
      })
    let brains = bits.map { BFloat16(bitPattern: $0) }
    let wide = Tensor(scalars: brains).to(.float32).scalars(as: Float.self)
    #expect(zip(brains, wide).allSatisfy { $0.floatValue == $1 || ($0.floatValue.isNaN && $1.isNaN) })
    #expect(
      zip(Tensor(scalars: wide).to(.bfloat16).scalars(as: BFloat16.self), brains).allSatisfy { $0 == $1 || $0.floatValue.isNaN })
    // Rounding once, not by way of float32.
    let tie = 1 + 0x1p-8 + 0x1p-40
    #expect(BFloat16(fromDouble: tie).floatValue == 1 + 0x1p-7)
    #expect(Tensor([tie], dtype: .float64).to(.bfloat16).item() == 1 + 0x1p-7)
  }
}
