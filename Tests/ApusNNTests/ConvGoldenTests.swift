import ApusCore
import ApusNN
import TestSupport
import Testing

/// Values and gradients against PyTorch's, of the functions and of layers with the same parameters.
@Suite("golden values of convolutions")
struct ConvGoldenTests {
  struct Case: Decodable {
    let name: String
    let options: Options
    let inputs: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]
  }

  struct Options: Decodable {
    var stride: Int?
    var padding: Padding?
    var dilation: Int?
    var groups: Int?
    var outputPadding: Int?
  }

  /// A number, or the word `same`.
  enum Padding: Decodable {
    case number(Int), same

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = (try? container.decode(Int.self)).map { .number($0) } ?? .same
    }

    var value: any ConvolutionPadding {
      switch self {
      case .number(let zeros): zeros
      case .same: SamePadding()
      }
    }
  }

  @Test("functions and layers")
  func values() throws {
    for golden in try Golden<Case>.load("convolution") {
      var leaves = ["x", "weight", "bias"].map { golden.inputs[$0]!.tensor }
      for i in leaves.indices { leaves[i].requiresGrad = true }
      let y = golden.function(leaves[0], leaves[1], leaves[2])
      expectGolden(y, golden.output, golden.name)
      expectGoldenGradients(of: y, by: leaves, golden.gradients, "\(golden.name) \(golden.options)")
      let layer = golden.layer(leaves[1])
      layer.weight = leaves[1].detach()
      layer.bias = leaves[2].detach()
      expectGolden(layer(leaves[0]), golden.output, "\(layer)")
    }
  }
}

extension ConvGoldenTests.Case {
  private var setting: (stride: Int, padding: any ConvolutionPadding, dilation: Int, groups: Int, extra: Int) {
    let o = options
    return (o.stride ?? 1, o.padding?.value ?? 0, o.dilation ?? 1, o.groups ?? 1, o.outputPadding ?? 0)
  }

  func function(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor {
    let (stride, padding, dilation, groups, extra) = setting
    let zeros = padding as? Int ?? 0
    return switch name {
    case "conv1d": conv1d(x, w, b, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "conv2d": conv2d(x, w, b, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "conv3d": conv3d(x, w, b, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "convTranspose1d":
      convTranspose1d(x, w, b, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    case "convTranspose2d":
      convTranspose2d(x, w, b, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    default:
      convTranspose3d(x, w, b, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    }
  }

  func layer(_ w: Tensor) -> any Layer & ConvolutionLayer {
    let (stride, padding, dilation, groups, extra) = setting
    let (zeros, kernel) = (padding as? Int ?? 0, Array(w.shape.dropFirst(2)))
    let (ins, outs) =
      name.hasPrefix("convT") ? (w.shape[0], w.shape[1] * groups) : (w.shape[1] * groups, w.shape[0])
    return switch name {
    case "conv1d": Conv1d(ins, outs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "conv2d": Conv2d(ins, outs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "conv3d": Conv3d(ins, outs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case "convTranspose1d":
      ConvTranspose1d(
        ins, outs, kernelSize: kernel, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    case "convTranspose2d":
      ConvTranspose2d(
        ins, outs, kernelSize: kernel, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    default:
      ConvTranspose3d(
        ins, outs, kernelSize: kernel, stride: stride, padding: zeros, outputPadding: extra, groups: groups, dilation: dilation)
    }
  }
}
