import ApusCore

extension OpTable {
  private static let options =
    ", *, dtype: dtype? = None, device: device? = None, requires_grad: bool = False, pin_memory: bool = False"

  /// A tensor of the dtype, and with the gradient, that the arguments of `options` say, from `i` on.
  static func made(_ a: Arguments, _ i: Int, default standard: DType = Defaults.dtype, _ body: (DType) -> Tensor)
    -> Tensor
  {
    var y = body(a.dtype(i, default: standard))
    if a.bool(i + 2) { y.requiresGrad = true }
    return y
  }

  private static func full(_ a: Arguments, _ shape: Shape, _ i: Int, _ option: Int, like: DType? = nil) -> Tensor {
    let standard = like ?? (a.isBool(i) ? .bool : a.isInt(i) ? .int64 : Defaults.dtype)
    return made(a, option, default: standard) { dtype in
      a.isInt(i) ? Tensor.full(shape, a.wideInt(i), dtype: dtype) : Tensor.full(shape, a.double(i), dtype: dtype)
    }
  }

  /// `count` of `torch.arange`'s rules: integers as long as all three are.
  private static func range(_ a: Arguments) -> Tensor {
    let (first, last) = a.isNone(1) ? (-1, 0) : (0, 1)
    let integers = (first < 0 || !isFloat(a, first)) && !isFloat(a, last) && !isFloat(a, 2)
    return made(a, 3, default: integers ? .int64 : Defaults.dtype) { dtype in
      if integers {
        let (start, end, step) = (first < 0 ? 0 : a.int(first), a.int(last), a.int(2))
        return counted(Double(end) - Double(start), Double(step)) { Tensor.arange(start, end, step: step, dtype: dtype) }
      }
      let (start, end, step) = (first < 0 ? 0 : a.double(first), a.double(last), a.double(2))
      return counted(end - start, step) { Tensor.arange(start, end, step: step, dtype: dtype) }
    }
  }

  private static func isFloat(_ a: Arguments, _ i: Int) -> Bool { a.isNumber(i) && !a.isInt(i) && !a.isBool(i) }

  /// `arange` goes by way of an array: more elements than fit in memory are an error before that.
  static func counted(_ span: Double, _ step: Double, _ body: () -> Tensor) -> Tensor {
    guard check(step == 0 || span.isNaN || span / step < 0x1p28, .outOfMemory, "arange", "\(span / step) elements") else {
      return .invalid
    }
    return body()
  }

  static let creation: [Op] = [
    Op("zeros", "*size: sizes" + options, .function, "A tensor of zeros.") { a in
      made(a, 1) { Tensor.zeros(a.shape(0), dtype: $0) }
    },
    Op("ones", "*size: sizes" + options, .function, "A tensor of ones.") { a in made(a, 1) { Tensor.ones(a.shape(0), dtype: $0) }
    },
    Op("empty", "*size: sizes" + options, .function, "A tensor to be filled; here of zeros.") { a in
      made(a, 1) { Tensor.zeros(a.shape(0), dtype: $0) }
    },
    Op("full", "size: ints, fill_value: number" + options, .function, "A tensor full of one number.") { a in
      full(a, a.shape(0), 1, 2)
    },
    Op("zeros_like", "input: Tensor" + options, .function, "Zeros of the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.zerosLike(a.input, dtype: $0) }
    },
    Op("ones_like", "input: Tensor" + options, .function, "Ones of the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.onesLike(a.input, dtype: $0) }
    },
    Op(
      "empty_like", "input: Tensor" + options, .function,
      "A tensor to be filled, of the shape and dtype of another; here of zeros."
    ) { a in
      made(a, 1, default: a.input.dtype) { Tensor.zerosLike(a.input, dtype: $0) }
    },
    Op(
      "full_like", "input: Tensor, fill_value: number" + options, .function,
      "One number in the shape and dtype of another tensor."
    ) { a in
      full(a, a.input.shape, 1, 2, like: a.input.dtype)
    },
    Op("new_zeros", "input: Tensor, *size: sizes" + options, .method, "Zeros of the dtype of this tensor.") { a in
      made(a, 2, default: a.input.dtype) { Tensor.zeros(a.shape(1), dtype: $0) }
    },
    Op("new_ones", "input: Tensor, *size: sizes" + options, .method, "Ones of the dtype of this tensor.") { a in
      made(a, 2, default: a.input.dtype) { Tensor.ones(a.shape(1), dtype: $0) }
    },
    Op(
      "new_empty", "input: Tensor, *size: sizes" + options, .method,
      "A tensor to be filled, of the dtype of this one; here of zeros."
    ) { a in
      made(a, 2, default: a.input.dtype) { Tensor.zeros(a.shape(1), dtype: $0) }
    },
    Op("new_full", "input: Tensor, size: ints, fill_value: number" + options, .method, "One number in the dtype of this tensor.")
    { a in
      full(a, a.shape(1), 2, 3, like: a.input.dtype)
    },
    Op(
      "arange", "start: number, end: number? = None, step: number = 1" + options, .function,
      "start, start + step, ... up to but not including end; from 0 where only one is given."
    ) {
      range($0)
    },
    Op(
      "linspace", "start: number, end: number, steps: int" + options, .function, "steps numbers from start to end, both included."
    ) { a in
      made(a, 3) { dtype in counted(a.double(2), 1) { Tensor.linspace(a.double(0), a.double(1), a.int(2), dtype: dtype) } }
    },
    Op(
      "logspace", "start: number, end: number, steps: int, base: float = 10.0" + options, .function,
      "Powers of base from base**start to base**end."
    ) { a in
      made(a, 4) { dtype in
        counted(a.double(2), 1) { Tensor.logspace(a.double(0), a.double(1), a.int(2), base: a.double(3), dtype: dtype) }
      }
    },
    Op("eye", "n: int, m: int? = None" + options, .function, "A matrix with ones on its diagonal.") { a in
      made(a, 2) { dtype in
        counted(a.double(0) * (a.optionalDouble(1) ?? a.double(0)), 1) { Tensor.eye(a.int(0), a.optionalInt(1), dtype: dtype) }
      }
    },
    Op(
      "tril_indices", "row: int, col: int, offset: int = 0", .function, "The indices of the lower triangle of a matrix: two rows."
    ) { a in
      counted(a.double(0) * a.double(1), 1) { Tensor.trilIndices(a.int(0), a.int(1), offset: a.int(2)) }
    },
    Op(
      "triu_indices", "row: int, col: int, offset: int = 0", .function, "The indices of the upper triangle of a matrix: two rows."
    ) { a in
      counted(a.double(0) * a.double(1), 1) { Tensor.triuIndices(a.int(0), a.int(1), offset: a.int(2)) }
    },
    cast("float", .float32), cast("double", .float64), cast("half", .float16), cast("bfloat16", .bfloat16), cast("long", .int64),
    cast("int", .int32), cast("short", .int16), cast("char", .int8), cast("byte", .uint8), cast("bool", .bool),
    Op("to_dtype", "input: Tensor, dtype: dtype, copy: bool = False", .hidden, "The tensor as another dtype.") { a in
      let y = a.input.to(a.dtype(1))
      return a.bool(2) && a.input.dtype == y.dtype ? y.clone() : y
    },
  ]

  private static func cast(_ name: String, _ dtype: DType) -> Op {
    Op(name, "input: Tensor", .method, "The tensor as \(dtype).") { $0.input.to(dtype) }
  }
}

/// What Python can change for the whole process.
enum Defaults {
  /// Of tensors made from Python's floats.
  nonisolated(unsafe) static var dtype: DType = .float32
}
