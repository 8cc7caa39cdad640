"""Expected values of convolutions from PyTorch, for ApusNN's tests.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_conv_golden.py
"""

import torch
import torch.nn.functional as F

from make_golden import case, leaf, write

FORWARD = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def convolution(axes, size, kernel, dtype, channels=(2, 2), batch=1, seed=0, **options):
    groups = options.get("groups", 1)
    x = leaf([batch, channels[0], *size], dtype, seed)
    w = leaf([channels[1], channels[0] // groups, *kernel], dtype, seed + 1, 0.5)
    b = leaf([channels[1]], dtype, seed + 2)
    y = FORWARD[axes](x, w, b, **options)
    return case(f"conv{axes}d", {"x": x, "weight": w, "bias": b}, y, [x, w, b], **options)


def transposed(axes, size, kernel, dtype, channels=(2, 2), batch=1, seed=0, **options):
    groups = options.get("groups", 1)
    x = leaf([batch, channels[0], *size], dtype, seed)
    w = leaf([channels[0], channels[1] // groups, *kernel], dtype, seed + 1, 0.5)
    b = leaf([channels[1]], dtype, seed + 2)
    y = TRANSPOSED[axes](x, w, b, **options)
    options["outputPadding"] = options.pop("output_padding", 0)
    return case(f"convTranspose{axes}d", {"x": x, "weight": w, "bias": b}, y, [x, w, b], **options)


f32, f64 = torch.float32, torch.float64
cases = [
    convolution(1, [6], [3], f32, padding=1, batch=2),
    convolution(1, [7], [2], f64, stride=2, dilation=2, seed=3),
    convolution(2, [4, 3], [3, 2], f64, padding=1, seed=6),
    convolution(2, [4, 5], [3, 3], f32, stride=2, padding=1, groups=2, seed=9),
    convolution(2, [4, 3], [2, 2], f64, padding="same", channels=(1, 2), seed=12),
    convolution(2, [4, 4], [3, 3], f64, padding=2, dilation=2, groups=3, channels=(3, 3), seed=15),
    convolution(3, [2, 3, 2], [2, 2, 1], f32, padding=1, channels=(1, 2), seed=18),
    transposed(1, [4], [4], f64, stride=2, padding=1, seed=21),
    transposed(2, [2, 3], [3, 3], f32, stride=2, padding=1, output_padding=1, groups=2, batch=2, seed=24),
    transposed(2, [2, 2], [2, 2], f64, dilation=2, seed=27),
    transposed(3, [2, 1, 2], [2, 1, 2], f32, stride=2, channels=(2, 1), seed=30),
]
write("ApusNNTests", "convolution", cases)
