// A convolution with all its derivatives.
//
// Let T(x, w, y) = Σ y · conv(x, w), a number that is linear in each of its three arguments. The convolution is its derivative by y; what
// carries a gradient back to the input, ∂T/∂x, is a function of w and y (and, used forwards, the transposed convolution); that for the
// weight, ∂T/∂w, is one of x and y. So there are three ops of one kind, and the derivative of each by either of its arguments is again
// one of the three: the derivatives of every order.

/// The three arguments of T; and the derivative of T by each of them.
package enum ConvolutionPart: Int, CaseIterable, Sendable { case input, weight, output }

/// The sizes of T's arguments: input `[batch, in, input…]`, weight `[out, in / groups, kernel…]`, output `[batch, out, output…]`, and which
/// elements meet: input pixel = output pixel · stride − padding + kernel pixel · dilation, along each spatial axis. Input pixels outside
/// count as zeros.
package struct ConvolutionShape: Sendable {
  package var batch: Int
  package var groups: Int
  package var inChannels: Int
  package var outChannels: Int
  package var input: [Int]
  package var kernel: [Int]
  package var output: [Int]
  package var stride: [Int]
  package var padding: [Int]  // zeros before the input; those after it follow from the sizes
  package var dilation: [Int]

  package func dims(of part: ConvolutionPart) -> Dims {
    switch part {
    case .input: Dims([batch, inChannels] + input)
    case .weight: Dims([outChannels, inChannels / groups] + kernel)
    case .output: Dims([batch, outChannels] + output)
    }
  }
}

extension ConvolutionShape {
  /// The derivative of T by `part`, from the two others in the order of the cases.
  ///
  /// - Parameter bias: one number for each channel of the result, added to all its pixels.
  func derivative(by part: ConvolutionPart, _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, _ name: StaticString) -> Tensor {
    let inputs = [a, b] + (bias.map { [$0] } ?? [])
    let others = ConvolutionPart.allCases.filter { $0 != part }
    return recorded(
      compute(part, inputs), .named(name),
      .fromInputs { dy, x in
        // T with `part` replaced by dy, derived by one of the others.
        let da = x.needs(0) ? derivative(by: others[0], (part, dy), (others[1], x[1])) : nil
        let db = x.needs(1) ? derivative(by: others[1], (part, dy), (others[0], x[0])) : nil
        return x.count == 3 ? [da, db, x.needs(2) ? dy.sumOfPixels() : nil] : [da, db]
      }, inputs)
  }

  private func derivative(by part: ConvolutionPart, _ a: (ConvolutionPart, Tensor), _ b: (ConvolutionPart, Tensor)) -> Tensor {
    let isInOrder = a.0.rawValue < b.0.rawValue
    return derivative(by: part, isInOrder ? a.1 : b.1, isInOrder ? b.1 : a.1, part.gradientName)
  }

  /// float16 and bfloat16 are computed in float32 and rounded once.
  private func compute(_ part: ConvolutionPart, _ inputs: [Tensor]) -> TensorData {
    guard inputs.allSatisfy(\.isValid) else { return .invalid }
    let dtype = inputs.dropFirst().reduce(inputs[0].dtype) { DType.promote($0, $1.dtype) }
    let wide: DType = dtype == .float64 ? .float64 : .float32
    let data = inputs.map { $0.data.cast(wide) }
    guard data.allSatisfy(\.isValid) else { return .invalid }
    let ending = ConvolutionEnding(bias: data.count == 3 ? data[2] : nil)
    let y = inputs[0].device.backend.convolution(part, data[0], data[1], ending: ending, self)
    return y.isValid ? y.cast(dtype) : y
  }
}

extension ConvolutionPart {
  var gradientName: StaticString {
    switch self {
    case .input: "convolution by input"
    case .weight: "convolution by weight"
    case .output: "convolution"
    }
  }
}

extension Tensor {
  /// The gradient of a bias: the sum over images and pixels.
  fileprivate func sumOfPixels() -> Tensor { sum(dims: (0..<rank).filter { $0 != 1 }) }
}
