"""Expected values from PyTorch for padding, pooling, unfolding and resampling.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_pooling_golden.py
Writes small JSON files beside the tests that read them. A tensor is {"dtype", "shape", "values"}; NaN and infinities are strings.
A case gives the gradients of Σ output · weights, where weights counts 1, 2, 3, … modulo 7, divided by 10.
"""

import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F

TESTS = pathlib.Path(__file__).resolve().parent.parent
F32, F64 = torch.float32, torch.float64


def number(x, dtype):
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if dtype == F32:
        return float(str(numpy.float32(x)))
    return float(f"{x:.12g}") if isinstance(x, float) else x


def tensor(t):
    t = t.detach()
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "values": [number(x, t.dtype) for x in t.flatten().tolist()],
    }


def write(name, cases):
    path = TESTS / "ApusCoreTests" / "Golden" / f"{name}.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")


def leaf(shape, dtype, seed, distinct=False):
    """Numbers with three decimals; distinct ones are steps of 1/8 in a random order."""
    generator = torch.Generator().manual_seed(seed)
    count = math.prod(shape)
    if distinct:
        x = torch.randperm(count, generator=generator).to(F64) / 8 - count / 16
    else:
        x = torch.round(torch.randn(count, generator=generator, dtype=F64), decimals=3)
    return x.reshape(shape).to(dtype).requires_grad_()


def case(function, inputs, outputs, leaves, **options):
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    y = outputs[0]
    weights = ((torch.arange(y.numel()) % 7 + 1).to(y.dtype) / 10).reshape(y.shape)
    gradients = torch.autograd.grad((y * weights).sum(), leaves) if leaves else []
    return {
        "function": function,
        "options": options,
        "inputs": [tensor(x) for x in inputs],
        "outputs": [tensor(x) for x in outputs],
        "gradients": [tensor(g) for g in gradients],
    }


def pad_cases():
    settings = [
        ((2, 3), [1, 2], "constant", 0.5), ((2, 3), [-1, 2, 1, -1], "constant", 0), ((2, 3, 4), [0, 0, 1, 1, 2, 0], "constant", -1),
        ((), [], "constant", 0), ((0, 3), [1, 1], "constant", 2), ((2, 3), [-3, 2], "constant", 3),
    ]
    for mode in ["reflect", "replicate", "circular"]:
        settings += [
            ((2, 4), [3, 2], mode, 0), ((1, 2, 5), [2, -1], mode, 0), ((1, 4), [-1, 3], mode if mode != "circular" else "reflect", 0),
            ((2, 3, 4), [1, 2, 2, 1], mode, 0), ((1, 2, 3, 3), [2, 0, -1, 1], mode, 0),
            ((1, 3, 2, 4), [3, 1, 1, 1, 2, 0], mode, 0), ((2, 1, 2, 3, 2), [1, 0, -1, 2, 0, 1], mode, 0),
            ((0, 2, 3), [1, 1], mode, 0),
        ]
    for i, (shape, padding, mode, value) in enumerate(settings):
        dtype = F32 if i % 4 == 3 else F64
        x = leaf(shape, dtype, i)
        y = F.pad(x, padding, mode=mode, value=value) if mode == "constant" else F.pad(x, padding, mode=mode)
        yield case("pad", [x], y, [x], padding=padding, mode=mode, value=float(value))


def max_pool_cases():
    settings = [
        ((2, 3, 7), dict(kernel_size=2)), ((2, 8), dict(kernel_size=3, stride=2, padding=1)),
        ((1, 2, 9), dict(kernel_size=3, stride=1, dilation=2, padding=1)), ((2, 7), dict(kernel_size=2, stride=2, ceil_mode=True)),
        ((2, 2, 4, 6), dict(kernel_size=2)), ((1, 2, 6, 7), dict(kernel_size=3, stride=2, padding=1)),
        ((2, 5, 5), dict(kernel_size=2, stride=2, ceil_mode=True)), ((1, 1, 5, 7), dict(kernel_size=2, stride=2)),
        ((1, 2, 5, 8), dict(kernel_size=[3, 2], stride=[1, 3], padding=[1, 0])),
        ((1, 1, 7, 9), dict(kernel_size=[2, 3], stride=[3, 1], dilation=[3, 2], padding=[1, 1])),
        ((1, 1, 4, 5), dict(kernel_size=3, stride=3, padding=1, ceil_mode=True)), ((0, 2, 4, 4), dict(kernel_size=2)),
        ((2, 4, 4, 4), dict(kernel_size=2)), ((1, 1, 4, 5, 6), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True)),
        ((1, 4, 5, 5), dict(kernel_size=[2, 1, 3], stride=[1, 2, 2], padding=[1, 0, 1], dilation=[2, 1, 2])),
    ]
    ranks = [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3]
    for i, (rank, (shape, options)) in enumerate(zip(ranks, settings)):
        dtype = F32 if i % 3 == 1 else F64
        x = leaf(shape, dtype, i, distinct=True)
        y = getattr(F, f"max_pool{rank}d")(x, return_indices=True, **options)
        yield case(f"maxPool{rank}d", [x], y, [x], **options)
    # Ties, NaN and infinities.
    x = torch.tensor([[[1, 1, 0, math.nan], [1, 1, 2, 3], [-math.inf] * 4, [-math.inf, -math.inf, math.inf, math.nan]]], dtype=F64)
    for options in [dict(kernel_size=2), dict(kernel_size=2, stride=1), dict(kernel_size=3, padding=1, stride=1)]:
        yield case("maxPool2d", [x], F.max_pool2d(x, return_indices=True, **options), [], **options)


def avg_pool_cases():
    settings = [
        (1, (2, 3, 7), dict(kernel_size=2)), (1, (2, 8), dict(kernel_size=3, stride=2, padding=1, count_include_pad=False)),
        (1, (1, 2, 7), dict(kernel_size=3, stride=1, padding=1)), (1, (2, 7), dict(kernel_size=2, ceil_mode=True)),
        (2, (2, 2, 4, 6), dict(kernel_size=2)), (2, (1, 2, 6, 7), dict(kernel_size=3, stride=2, padding=1)),
        (2, (1, 2, 6, 7), dict(kernel_size=3, stride=2, padding=1, count_include_pad=False, ceil_mode=True)),
        (2, (2, 5, 5), dict(kernel_size=2, ceil_mode=True)), (2, (2, 5, 5), dict(kernel_size=2, divisor_override=3)),
        (2, (1, 2, 5, 8), dict(kernel_size=[3, 2], stride=[1, 3], padding=[1, 0])), (2, (0, 2, 4, 4), dict(kernel_size=2)),
        (2, (1, 1, 4, 5), dict(kernel_size=3, stride=3, padding=1, ceil_mode=True)),
        (2, (1, 1, 4, 5), dict(kernel_size=3, stride=1, padding=1, divisor_override=-2)),
        (3, (2, 4, 4, 4), dict(kernel_size=2)),
        (3, (1, 1, 4, 5, 6), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)),
        (3, (1, 4, 5, 5), dict(kernel_size=[2, 1, 3], stride=[1, 2, 2], padding=[1, 0, 1], divisor_override=4)),
    ]
    for i, (rank, shape, options) in enumerate(settings):
        x = leaf(shape, F32 if i % 3 == 1 else F64, i)
        yield case(f"avgPool{rank}d", [x], getattr(F, f"avg_pool{rank}d")(x, **options), [x], **options)


def adaptive_cases():
    settings = [
        (1, (2, 7), 3), (1, (1, 2, 6), 2), (1, (2, 3), 5), (2, (1, 2, 5, 7), [2, 3]), (2, (2, 4, 6), 2), (2, (1, 2, 4, 5), 1),
        (2, (2, 3, 7), [None, 4]), (2, (1, 1, 3, 3), [4, 7]), (2, (0, 2, 4, 4), 2), (3, (1, 1, 4, 5, 3), [2, 2, 2]), (3, (2, 4, 4, 2), 2),
        (3, (1, 3, 4, 5), [2, None, 1]),
    ]
    for i, (rank, shape, size) in enumerate(settings):
        x = leaf(shape, F32 if i % 3 == 1 else F64, i, distinct=True)
        yield case(f"adaptiveAvgPool{rank}d", [x], getattr(F, f"adaptive_avg_pool{rank}d")(x, size), [x], size=size)
        y = getattr(F, f"adaptive_max_pool{rank}d")(x, size, return_indices=True)
        yield case(f"adaptiveMaxPool{rank}d", [x], y, [x], size=size)


def max_unpool_cases():
    settings = [
        (1, (2, 8), dict(kernel_size=2), None), (1, (1, 2, 7), dict(kernel_size=2), [7]), (2, (1, 2, 4, 6), dict(kernel_size=2), None),
        (2, (1, 5, 5), dict(kernel_size=3, stride=2, padding=1), None), (2, (1, 1, 5, 7), dict(kernel_size=[2, 3]), [5, 7]),
        (3, (1, 1, 4, 4, 2), dict(kernel_size=2), None),
    ]
    for i, (rank, shape, options, size) in enumerate(settings):
        y, indices = getattr(F, f"max_pool{rank}d")(leaf(shape, F64, i, distinct=True), return_indices=True, **options)
        x = leaf(y.shape, F64, 50 + i)
        out = getattr(F, f"max_unpool{rank}d")(x, indices, output_size=size, **options)
        yield case(f"maxUnpool{rank}d", [x, indices], out, [x], size=size, **options)


def unfold_cases():
    settings = [
        ((1, 2, 4, 5), dict(kernel_size=2)), ((2, 5, 4), dict(kernel_size=[2, 3], padding=[1, 0], stride=[2, 1])),
        ((1, 1, 6, 6), dict(kernel_size=[3, 2], dilation=[2, 3], padding=1, stride=2)), ((0, 1, 3, 3), dict(kernel_size=2)),
    ]
    for i, (shape, options) in enumerate(settings):
        x = leaf(shape, F32 if i == 1 else F64, i)
        y = F.unfold(x, **options)
        yield case("unfold", [x], y, [x], **options)
        columns = leaf(y.shape, x.dtype, 20 + i)
        size = list(shape[-2:])
        yield case("fold", [columns], F.fold(columns, size, **options), [columns], size=size, **options)


def shuffle_cases():
    for shape, r in [((1, 8, 2, 3), 2), ((9, 1, 2), 3), ((2, 1, 4, 1, 2), 2)]:
        x = leaf(shape, F64, r)
        y = F.pixel_shuffle(x, r)
        yield case("pixelShuffle", [x], y, [x], r=r)
        y = y.detach().requires_grad_()
        yield case("pixelUnshuffle", [y], F.pixel_unshuffle(y, r), [y], r=r)
    x = leaf((2, 6, 2), F64, 3)
    yield case("channelShuffle", [x], F.channel_shuffle(x, 3).detach(), [], r=3)


SHAPES = {1: (1, 1, 5), 2: (1, 1, 3, 4), 3: (1, 1, 2, 2, 3)}


def interpolate_cases():
    rank_modes = [(1, "nearest"), (2, "nearest"), (3, "nearest"), (1, "nearest-exact"), (2, "nearest-exact"), (3, "nearest-exact"),
                  (1, "linear"), (2, "bilinear"), (2, "bicubic"), (3, "trilinear"), (1, "area"), (2, "area"), (3, "area")]
    count = 0
    for rank, mode in rank_modes:
        sized = [dict(size=[3, 7, 2][:rank]), dict(size=[5, 2, 1][:rank]), dict(size=1), dict(size=list(SHAPES[rank][2:]))]
        scaled = [dict(scale_factor=1.5), dict(scale_factor=[1.7, 0.6, 1.4][:rank]),
                  dict(scale_factor=1.2, recompute_scale_factor=True)]
        for i, options in enumerate(sized + scaled):
            if rank == 3 and i not in (0, 5) or mode == "nearest-exact" and i in (1, 2) or mode == "area" and i > 3:
                continue
            aligned = [False, True] if mode.endswith("linear") or mode == "bicubic" else [False]
            for align in aligned if i in (0, 2, 5) else [False]:
                count += 1
                x = leaf(SHAPES[rank], F32 if count % 3 == 0 else F64, count)
                extra = dict(align_corners=True) if align else {}
                y = F.interpolate(x, mode=mode, **options, **extra)
                yield case("interpolate", [x], y, [x], mode=mode, **options, **extra)


def grid_cases():
    count = 0
    for mode in ["bilinear", "nearest", "bicubic"]:
        for padding in ["zeros", "border", "reflection"]:
            for align in [False, True]:
                for shape in [(1, 2, 3, 3), (1, 1, 2, 3, 2)]:
                    if len(shape) == 5 and (mode == "bicubic" or padding == "reflection" and not align):
                        continue
                    count += 1
                    dtype = F32 if count % 5 == 0 and mode != "bicubic" else F64
                    x = leaf(shape, dtype, count)
                    grid = leaf((shape[0], *(2,) * (len(shape) - 3), 3, len(shape) - 2), dtype, 60 + count)
                    y = F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=align)
                    yield case("gridSample", [x, grid], y, [x, grid], mode=mode, padding=padding, align_corners=align)
    # The corners themselves, where there is no gradient by the grid.
    x = leaf((1, 1, 3, 3), F64, 1)
    for padding in ["zeros", "border", "reflection"]:
        grid = F.affine_grid(torch.eye(2, 3, dtype=F64)[None], [1, 1, 3, 3], align_corners=True).requires_grad_()
        y = F.grid_sample(x, grid, padding_mode=padding, align_corners=True)
        yield case("gridSample", [x, grid], y, [x, grid], mode="bilinear", padding=padding, align_corners=True)
    for size in [(2, 1, 3, 4), (1, 1, 2, 1, 3)]:
        for align in [False, True]:
            theta = leaf((size[0], len(size) - 2, len(size) - 1), F64, len(size))
            y = F.affine_grid(theta, list(size), align_corners=align)
            yield case("affineGrid", [theta], y, [theta], size=list(size), align_corners=align)


write("padding", list(pad_cases()))
write("maxPooling", list(max_pool_cases()))
write("avgPooling", list(avg_pool_cases()))
write("adaptivePooling", list(adaptive_cases()) + list(max_unpool_cases()))
write("unfold", list(unfold_cases()) + list(shuffle_cases()))
write("interpolate", list(interpolate_cases()))
write("gridSample", list(grid_cases()))
