import ApusCore

extension OpTable {
  private static let maxSignature =
    "input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, dilation: ints = 1, ceil_mode: bool = False, return_indices: bool = False"

  private static func maxPool(_ n: Int) -> Op {
    Op(
      "max_pool\(n)d", maxSignature, .functional, fields: "tuple",
      "The greatest elements of windows; with return_indices also their places."
    ) { a -> Returned in
      let (x, kernel, stride) = (a.input, a.perAxis(1, n), a.optionalPerAxis(2, n))
      let (padding, dilation, ceil) = (a.perAxis(3, n), a.perAxis(4, n), a.bool(5))
      switch (n, a.bool(6)) {
      case (1, false):
        return .tensor(maxPool1d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil))
      case (2, false):
        return .tensor(maxPool2d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil))
      case (_, false):
        return .tensor(maxPool3d(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil))
      case (1, true):
        return .tensors(
          list(maxPool1dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)))
      case (2, true):
        return .tensors(
          list(maxPool2dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)))
      case (_, true):
        return .tensors(
          list(maxPool3dWithIndices(x, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceil)))
      }
    }
  }

  private static func avgPool(_ n: Int) -> Op {
    Op(
      "avg_pool\(n)d",
      "input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, ceil_mode: bool = False, count_include_pad: bool = True"
        + (n == 1 ? "" : ", divisor_override: int? = None"), .functional, "The means of windows."
    ) { a in
      let (x, kernel, stride, padding) = (a.input, a.perAxis(1, n), a.optionalPerAxis(2, n), a.perAxis(3, n))
      switch n {
      case 1:
        return avgPool1d(x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: a.bool(4), countIncludePad: a.bool(5))
      case 2:
        return avgPool2d(
          x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: a.bool(4), countIncludePad: a.bool(5),
          divisorOverride: a.optionalInt(6))
      default:
        return avgPool3d(
          x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: a.bool(4), countIncludePad: a.bool(5),
          divisorOverride: a.optionalInt(6))
      }
    }
  }

  private static func adaptive(_ n: Int, isMax: Bool) -> Op {
    Op(
      "adaptive_\(isMax ? "max" : "avg")_pool\(n)d",
      "input: Tensor, output_size: sizes?" + (isMax ? ", return_indices: bool = False" : ""),
      .functional, fields: "tuple",
      "The \(isMax ? "greatest elements" : "means") of as many windows as are asked for; None keeps a size."
    ) { a -> Returned in
      let (x, size) = (a.input, a.adaptiveSizes(1, n))
      switch (n, isMax, isMax && a.bool(2)) {
      case (1, false, _): return .tensor(adaptiveAvgPool1d(x, size))
      case (2, false, _): return .tensor(adaptiveAvgPool2d(x, size))
      case (_, false, _): return .tensor(adaptiveAvgPool3d(x, size))
      case (1, true, false): return .tensor(adaptiveMaxPool1d(x, size))
      case (2, true, false): return .tensor(adaptiveMaxPool2d(x, size))
      case (_, true, false): return .tensor(adaptiveMaxPool3d(x, size))
      case (1, true, true): return .tensors(list(adaptiveMaxPool1dWithIndices(x, size)))
      case (2, true, true): return .tensors(list(adaptiveMaxPool2dWithIndices(x, size)))
      case (_, true, true): return .tensors(list(adaptiveMaxPool3dWithIndices(x, size)))
      }
    }
  }

  private static func unpool(_ n: Int) -> Op {
    Op(
      "max_unpool\(n)d",
      "input: Tensor, indices: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, output_size: ints? = None",
      .functional,
      "The inverse of max_pool\(n)d: the maxima back at their places, 0 elsewhere."
    ) { a in
      let (x, indices, kernel, stride) = (a.input, a.tensor(1), a.perAxis(2, n), a.optionalPerAxis(3, n))
      let (padding, size) = (a.perAxis(4, n), a.optionalInts(5))
      switch n {
      case 1: return maxUnpool1d(x, indices, kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
      case 2: return maxUnpool2d(x, indices, kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
      default: return maxUnpool3d(x, indices, kernelSize: kernel, stride: stride, padding: padding, outputSize: size)
      }
    }
  }

  static let pooling: [Op] =
    (1...3).flatMap { [maxPool($0), avgPool($0), adaptive($0, isMax: false), adaptive($0, isMax: true), unpool($0)] }
    + [
      Op(
        "lp_pool2d", "input: Tensor, norm_type: float, kernel_size: ints, stride: ints? = None, ceil_mode: bool = False",
        .functional,
        "The p-norms of windows."
      ) { a in
        let (p, kernel) = (a.double(1), a.perAxis(2, 2))
        let count = Double(kernel.reduce(1, *))
        let means = avgPool2d(a.input.abs().pow(p), kernelSize: kernel, stride: a.optionalPerAxis(3, 2), ceilMode: a.bool(4))
        return (means * count).pow(1 / p)
      }
    ]
}
