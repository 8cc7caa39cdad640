"""Where a token stands in its sequence, and gated networks: layers that PyTorch leaves to its users."""

import math

from .. import _C
from .._api import functions as _f
from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter


class SinusoidalPositions(Module):
    """Adds sines and cosines of the place to each vector of a sequence. Vaswani and others 2017.

    Args:
        features: the size of the vectors.
        base: how slowly the slowest sine turns.
        dropout: of the sums.
        batch_first: [N, T, E] instead of [T, N, E].
    """

    def __init__(self, features, base=10000.0, dropout=0.0, batch_first=False):
        super().__init__()
        self.features, self.base, self.dropout, self.batch_first = features, base, dropout, batch_first

    def forward(self, input):
        count = input.shape[_time_axis(input, self.batch_first)]
        rate = (_f["arange"](0, self.features, 2, dtype=_C.float32) * (-math.log(self.base) / self.features)).exp()
        angles = _f["arange"](count, dtype=_C.float32).unsqueeze(1) * rate
        table = _f["stack"]([angles.sin(), angles.cos()], 2).flatten(1)[:, : self.features]
        return F.dropout(input + _along_time(table.to(input.dtype), input, self.batch_first), self.dropout, self.training)

    def extra_repr(self):
        return f"{self.features}, base={self.base}, dropout={self.dropout}, batch_first={self.batch_first}"


class LearnedPositions(Module):
    """Adds a trained vector for each place of a sequence.

    Args:
        max_length: places.
        features: the size of the vectors.
        batch_first: [N, T, E] instead of [T, N, E].
    """

    def __init__(self, max_length, features, batch_first=False, device=None, dtype=None):
        super().__init__()
        self.batch_first = batch_first
        self.weight = Parameter(_f["zeros"](max_length, features, dtype=dtype))
        init.normal_(self.weight, std=0.02)

    def forward(self, input):
        count = input.shape[_time_axis(input, self.batch_first)]
        if count > self.weight.shape[0]:
            raise ValueError(f"LearnedPositions: {count} places, {self.weight.shape[0]} are there")
        return input + _along_time(self.weight[:count], input, self.batch_first)

    def extra_repr(self):
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}, batch_first={self.batch_first}"


def _time_axis(input, batch_first):
    return 1 if input.dim() == 3 and batch_first else 0


def _along_time(table, input, batch_first):
    """A table [T, E] in the form of a sequence."""
    return table if input.dim() < 3 or batch_first else table.unsqueeze(1)


class RotaryEmbedding(Module):
    """Turns pairs of numbers of [..., T, E] by angles that grow with the place. Su and others 2021.

    Args:
        features: the size of the last axis.
        base: how slowly the slowest pair turns.
        interleaved: whether neighbours are pairs, instead of the two halves.
    """

    def __init__(self, features, base=10000.0, interleaved=False):
        super().__init__()
        if features % 2:
            raise ValueError(f"RotaryEmbedding: features {features} is odd")
        self.features, self.base, self.interleaved = features, base, interleaved

    def forward(self, input, offset=0):
        rate = (_f["arange"](0, self.features, 2, dtype=_C.float32) * (-math.log(self.base) / self.features)).exp()
        angles = _f["arange"](offset, offset + input.shape[-2], dtype=_C.float32).unsqueeze(1) * rate
        cos, sin = angles.cos().to(input.dtype), angles.sin().to(input.dtype)
        if self.interleaved:
            a, b = input[..., 0::2], input[..., 1::2]
            return _f["stack"]([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)
        a, b = input.chunk(2, dim=-1)
        return _f["cat"]([a * cos - b * sin, a * sin + b * cos], dim=-1)

    def extra_repr(self):
        return f"{self.features}, base={self.base}" + (", interleaved=True" if self.interleaved else "")


class SwiGLU(Module):
    """A network of two layers with a gate: w2(silu(w1(x)) · w3(x)). Shazeer 2020.

    Args:
        in_features: the size of inputs and, by default, outputs.
        hidden_features: units.
        out_features: the size of outputs.
        bias: whether the maps have biases.
    """

    def __init__(self, in_features, hidden_features, out_features=None, bias=False):
        super().__init__()
        self.w1 = Linear(in_features, hidden_features, bias)
        self.w2 = Linear(hidden_features, out_features or in_features, bias)
        self.w3 = Linear(in_features, hidden_features, bias)

    def forward(self, input):
        return self.w2(F.silu(self.w1(input)) * self.w3(input))


__all__ = ["SinusoidalPositions", "LearnedPositions", "RotaryEmbedding", "SwiGLU"]
