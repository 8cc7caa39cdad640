/// How a convolution extends its input with zeros: an `Int` on both ends of every axis, an array with one for each axis, `.same`, or
/// `.valid`.
public protocol ConvolutionPadding: Sendable {
  /// Zeros before and after each axis of a kernel with these sizes; nil where the number of axes does not fit.
  func zeros(kernel: [Int], dilation: [Int]) -> [(before: Int, after: Int)]?
}

extension Int: ConvolutionPadding {
  public func zeros(kernel: [Int], dilation: [Int]) -> [(before: Int, after: Int)]? { kernel.map { _ in (self, self) } }
}

extension [Int]: ConvolutionPadding {
  public func zeros(kernel: [Int], dilation: [Int]) -> [(before: Int, after: Int)]? {
    count == kernel.count ? map { ($0, $0) } : nil
  }
}

/// As many zeros as give an output of the input's size, with a stride of 1; an odd one goes to the end.
public struct SamePadding: ConvolutionPadding {
  public init() {}

  public func zeros(kernel: [Int], dilation: [Int]) -> [(before: Int, after: Int)]? {
    zip(kernel, dilation).map { k, d in
      let total = d * (k - 1)
      return (total / 2, total - total / 2)
    }
  }
}

/// No zeros.
public struct ValidPadding: ConvolutionPadding {
  public init() {}

  public func zeros(kernel: [Int], dilation: [Int]) -> [(before: Int, after: Int)]? { kernel.map { _ in (0, 0) } }
}

extension ConvolutionPadding where Self == SamePadding {
  /// An output of the input's size; needs a stride of 1.
  public static var same: SamePadding { SamePadding() }
}

extension ConvolutionPadding where Self == ValidPadding {
  /// No zeros.
  public static var valid: ValidPadding { ValidPadding() }
}
