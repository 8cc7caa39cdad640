"""Expected values from PyTorch, for the activations and other small layers of ApusNN.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_small_layer_golden.py
Writes Tests/ApusNNTests/Golden/activationLayers.json and smallLayers.json. A case has inputs, parameters, the output, and the gradients of
Σ output · (1, 2, 3, …)/10 with respect to all inputs and parameters; the Swift tests know the layers by the cases' names.
"""

import json
import math
import pathlib

import numpy
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusNNTests" / "Golden"
FILES = {}


def number(x, dtype):
    # As few digits as tell a float32 from its neighbours.
    return float(str(numpy.float32(x))) if dtype == torch.float32 else x


def encoded(t):
    t = t.detach()
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "values": [number(x, t.dtype) for x in t.flatten().tolist()],
    }


def x(*shape, seed=1, scale=1.5):
    """Numbers with two digits."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale * 100).round() / 100 + 0.003


def case(file, name, make, *inputs):
    # In PyTorch's gradient of Hardsigmoid 1/6 is a float32 whatever the dtype.
    for dtype in [torch.float32, torch.float64] if name != "Hardsigmoid" else [torch.float32]:
        torch.manual_seed(3)
        layer = make().to(dtype)
        xs = [t.to(dtype).requires_grad_() for t in inputs]
        y = layer(*xs)
        weights = ((torch.arange(y.numel(), dtype=dtype) + 1) / 10).reshape(y.shape)
        parameters = dict(layer.named_parameters())
        gradients = torch.autograd.grad((y * weights).sum(), xs + list(parameters.values()))
        FILES.setdefault(file, []).append(
            {
                "name": name,
                "inputs": [encoded(t) for t in xs],
                "parameters": {k: encoded(v) for k, v in parameters.items()},
                "output": encoded(y),
                "gradients": [encoded(g) for g in gradients],
            }
        )


class SwiGLU(nn.Module):
    """Shazeer 2020, section 2: (silu(x W) ⊙ x V) W₂."""

    def __init__(self, features, hidden, out, bias):
        super().__init__()
        self.w1 = nn.Linear(features, hidden, bias=bias)
        self.w2 = nn.Linear(hidden, out, bias=bias)
        self.w3 = nn.Linear(features, hidden, bias=bias)

    def forward(self, x):
        return self.w2(nn.functional.silu(self.w1(x)) * self.w3(x))


def activations():
    values = x(2, 4, scale=2.5)
    for name, make in {
        "ReLU6": lambda: nn.ReLU6(), "LeakyReLU": lambda: nn.LeakyReLU(), "LeakyReLU 0.2": lambda: nn.LeakyReLU(0.2),
        "Hardtanh": lambda: nn.Hardtanh(), "Hardtanh -2 0.5": lambda: nn.Hardtanh(-2, 0.5),
        "Hardsigmoid": lambda: nn.Hardsigmoid(), "Hardswish": lambda: nn.Hardswish(),
        "Hardshrink": lambda: nn.Hardshrink(), "Softshrink 1": lambda: nn.Softshrink(1),
        "Threshold 0.5 2": lambda: nn.Threshold(0.5, 2), "ELU": lambda: nn.ELU(), "ELU 0.5": lambda: nn.ELU(0.5),
        "CELU": lambda: nn.CELU(), "CELU 2": lambda: nn.CELU(2), "SELU": lambda: nn.SELU(), "GELU": lambda: nn.GELU(),
        "GELU tanh": lambda: nn.GELU("tanh"), "SiLU": lambda: nn.SiLU(), "Mish": lambda: nn.Mish(),
        "Softplus": lambda: nn.Softplus(), "Softplus 2 3": lambda: nn.Softplus(2, 3), "Softsign": lambda: nn.Softsign(),
        "Tanhshrink": lambda: nn.Tanhshrink(), "LogSigmoid": lambda: nn.LogSigmoid(), "Softmin": lambda: nn.Softmin(1),
        "GLU": lambda: nn.GLU(), "GLU 0": lambda: nn.GLU(0), "RReLU": lambda: nn.RReLU().eval(),
        "PReLU": lambda: nn.PReLU(), "PReLU 4": lambda: nn.PReLU(4, 0.5),
    }.items():
        case("activationLayers", name, make, values)
    case("smallLayers", "Softmax2d", lambda: nn.Softmax2d(), x(3, 2, 2))
    case("smallLayers", "Softmax2d of a batch", lambda: nn.Softmax2d(), x(2, 3, 1, 2))
    case("smallLayers", "PReLU of images", lambda: nn.PReLU(3), x(2, 3, 1, 2))


def small():
    case("smallLayers", "SwiGLU", lambda: SwiGLU(3, 4, 3, False), x(2, 3))
    case("smallLayers", "SwiGLU with bias", lambda: SwiGLU(3, 2, 1, True), x(2, 3))
    case("smallLayers", "Bilinear", lambda: nn.Bilinear(3, 2, 2), x(2, 3), x(2, 2, seed=2))
    case("smallLayers", "Bilinear of one, without bias", lambda: nn.Bilinear(3, 2, 2, bias=False), x(3), x(2, seed=2))
    case("smallLayers", "Bilinear of batches", lambda: nn.Bilinear(2, 2, 3), x(2, 2, 2), x(2, 2, 2, seed=2))
    case("smallLayers", "CosineSimilarity", lambda: nn.CosineSimilarity(), x(2, 3), x(2, 3, seed=2))
    case("smallLayers", "CosineSimilarity 0", lambda: nn.CosineSimilarity(dim=0), x(2, 3), x(2, 3, seed=2))
    case("smallLayers", "PairwiseDistance", lambda: nn.PairwiseDistance(), x(2, 3), x(2, 3, seed=2))
    case("smallLayers", "PairwiseDistance 1", lambda: nn.PairwiseDistance(1, 0.01, True), x(2, 3), x(2, 3, seed=2))
    case("smallLayers", "Unflatten", lambda: nn.Unflatten(1, (2, -1)), x(2, 6))


activations()
small()
for name, cases in FILES.items():
    path = FOLDER / f"{name}.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")
