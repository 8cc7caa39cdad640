import ApusCore
import ApusNN

extension OpTable {
  private static let convolution =
    "input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding: any = 0, dilation: ints = 1, groups: int = 1"
  private static let transposed =
    "input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding: ints = 0, output_padding: ints = 0, groups: int = 1, dilation: ints = 1"

  private static func convolved(_ a: Arguments, _ axes: Int) -> Tensor {
    let padding: any ConvolutionPadding =
      a.isString(4)
      ? a.choice(4, ["same": SamePadding() as any ConvolutionPadding, "valid": ValidPadding()]) : a.perAxis(4, axes)
    return convolved(a, axes, padding)
  }

  private static func convolved(_ a: Arguments, _ axes: Int, _ padding: some ConvolutionPadding) -> Tensor {
    let (x, weight, bias) = (a.input, a.tensor(1), a.optionalTensor(2))
    let (stride, dilation, groups) = (a.perAxis(3, axes), a.perAxis(5, axes), a.int(6))
    switch axes {
    case 1: return conv1d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case 2: return conv2d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    default: return conv3d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
  }

  private static func unconvolved(_ a: Arguments, _ n: Int) -> Tensor {
    let (x, weight, bias) = (a.input, a.tensor(1), a.optionalTensor(2))
    let (stride, padding, extra, dilation) = (a.perAxis(3, n), a.perAxis(4, n), a.perAxis(5, n), a.perAxis(7, n))
    let groups = a.int(6)
    switch n {
    case 1:
      return convTranspose1d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    case 2:
      return convTranspose2d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    default:
      return convTranspose3d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    }
  }

  static let spatial: [Op] = [
    Op(
      "conv1d", convolution, .functional,
      "Convolution of [N, C, L] or [C, L] with weight [out, C / groups, k]; padding may be 'same' or 'valid'."
    ) { a in
      convolved(a, 1)
    },
    Op(
      "conv2d", convolution, .functional,
      "Convolution of [N, C, H, W] or [C, H, W] with weight [out, C / groups, kH, kW]; padding may be 'same' or 'valid'."
    ) {
      a in convolved(a, 2)
    },
    Op(
      "conv3d", convolution, .functional,
      "Convolution of [N, C, D, H, W] or [C, D, H, W] with weight [out, C / groups, kD, kH, kW]."
    ) { a in convolved(a, 3) },
    Op("conv_transpose1d", transposed, .functional, "The gradient of conv1d as an op: weight [C, out / groups, k].") { a in
      unconvolved(a, 1)
    },
    Op("conv_transpose2d", transposed, .functional, "The gradient of conv2d as an op: weight [C, out / groups, kH, kW].") { a in
      unconvolved(a, 2)
    },
    Op("conv_transpose3d", transposed, .functional, "The gradient of conv3d as an op: weight [C, out / groups, kD, kH, kW].") {
      a in unconvolved(a, 3)
    },
    Op(
      "unfold", "input: Tensor, kernel_size: ints, dilation: ints = 1, padding: ints = 0, stride: ints = 1", .functional,
      "The windows of an image as columns: [N, C * kH * kW, windows]."
    ) {
      a in
      unfold(a.input, kernelSize: a.perAxis(1, 2), dilation: a.perAxis(2, 2), padding: a.perAxis(3, 2), stride: a.perAxis(4, 2))
    },
    Op(
      "fold", "input: Tensor, output_size: ints, kernel_size: ints, dilation: ints = 1, padding: ints = 0, stride: ints = 1",
      .functional,
      "The sum of windows, put back to their places: the inverse of unfold where they don't overlap."
    ) { a in
      fold(
        a.input, outputSize: a.perAxis(1, 2), kernelSize: a.perAxis(2, 2), dilation: a.perAxis(3, 2), padding: a.perAxis(4, 2),
        stride: a.perAxis(5, 2))
    },
    Op(
      "interpolate",
      "input: Tensor, size: ints? = None, scale_factor: any = None, mode: str = 'nearest', align_corners: bool? = None, recompute_scale_factor: bool? = None, antialias: bool = False",
      .functional, "An image of another size: 'nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic' or 'area'."
    ) { a -> Tensor in
      let axes = Swift.max(a.input.rank - 2, 1)
      let mode = a.choice(
        3,
        [
          "nearest": InterpolationMode.nearest, "nearest-exact": .nearestExact, "linear": .linear, "bilinear": .bilinear,
          "trilinear": .trilinear, "bicubic": .bicubic, "area": .area,
        ])
      guard check(!a.bool(6), .unsupported, "interpolate", "antialias is not available") else { return .invalid }
      let factors = a.optionalDoubles(2).map { $0.count == 1 ? [Double](repeating: $0[0], count: axes) : $0 }
      return interpolate(
        a.input, size: a.optionalPerAxis(1, axes), scaleFactor: factors, mode: mode, alignCorners: a.bool(4),
        recomputeScaleFactor: a.bool(5))
    },
    Op(
      "grid_sample",
      "input: Tensor, grid: Tensor, mode: str = 'bilinear', padding_mode: str = 'zeros', align_corners: bool? = None",
      .functional,
      "The image at the places of grid, whose coordinates run from -1 to 1."
    ) { a in
      gridSample(
        a.input, a.tensor(1), mode: a.choice(2, ["bilinear": GridSampleMode.bilinear, "nearest": .nearest, "bicubic": .bicubic]),
        paddingMode: a.choice(3, ["zeros": GridPaddingMode.zeros, "border": .border, "reflection": .reflection]),
        alignCorners: a.bool(4))
    },
    Op(
      "affine_grid", "theta: Tensor, size: ints, align_corners: bool? = None", .functional,
      "The grid of affine maps theta [N, 2, 3] for grid_sample."
    ) { a in
      affineGrid(a.input, a.shape(1), alignCorners: a.bool(2))
    },
    Op(
      "pad", "input: Tensor, pad: ints, mode: str = 'constant', value: float? = None", .functional,
      "Elements around an image; pad counts from the last axis: (left, right, top, bottom, ...)."
    ) {
      a in
      pad(
        a.input, a.ints(1),
        mode: a.choice(2, ["constant": PadMode.constant, "reflect": .reflect, "replicate": .replicate, "circular": .circular]),
        value: a.optionalDouble(3) ?? 0)
    },
    Op("pixel_shuffle", "input: Tensor, upscale_factor: int", .functional, "[N, C * r * r, H, W] as [N, C, H * r, W * r].") { a in
      pixelShuffle(a.input, a.int(1))
    },
    Op("pixel_unshuffle", "input: Tensor, downscale_factor: int", .functional, "[N, C, H * r, W * r] as [N, C * r * r, H, W].") {
      a in
      pixelUnshuffle(a.input, a.int(1))
    },
    Op("channel_shuffle", "input: Tensor, groups: int", .functional, "The channels of groups dealt in turn.") { a in
      channelShuffle(a.input, a.int(1))
    },
  ]
}
