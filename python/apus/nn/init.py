"""First values of parameters. Each function fills a tensor and returns it; random numbers come from
`generator`, or else from `apus.manual_seed`'s stream."""

import contextlib
import contextvars
import math

from .. import _C
from .._api import hidden as _hidden
from .._modes import no_grad

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0, "conv_transpose3d": 1.0,
    "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity, param=None):
    """What a layer's standard deviation is multiplied by, for the function that comes after it."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: no such function: {nonlinearity!r}")
    return _GAINS[nonlinearity]


_is_skipped = contextvars.ContextVar("is_skipped", default=False)


@contextlib.contextmanager
def skipped():
    """Inside, tensors stay as they are."""
    token = _is_skipped.set(True)
    try:
        yield
    finally:
        _is_skipped.reset(token)


def _fill(tensor, values):
    if _is_skipped.get():
        return tensor
    with no_grad():
        if isinstance(values, _C.Tensor):
            tensor.copy_(values)
        else:
            tensor.fill_(values)
    return tensor


def _drawn(tensor, generator, kind, *numbers):
    if _is_skipped.get():
        return tensor
    wide = tensor.dtype if tensor.dtype in (_C.float32, _C.float64) else _C.float32
    return _fill(tensor, _hidden["_init"](kind, tuple(tensor.shape), [float(x) for x in numbers], wide, generator).to(tensor.dtype))


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """From the uniform distribution on [a, b)."""
    return _drawn(tensor, generator, "uniform", a, b)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """From a normal distribution."""
    return _drawn(tensor, generator, "normal", mean, std)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """From a normal distribution, drawn again where it leaves [a, b]."""
    return _drawn(tensor, generator, "trunc_normal", mean, std, a, b)


def constant_(tensor, val):
    """One number everywhere."""
    return _fill(tensor, val)


def ones_(tensor):
    """Ones."""
    return _fill(tensor, 1)


def zeros_(tensor):
    """Zeros."""
    return _fill(tensor, 0)


def _matrix(tensor, name):
    if tensor.dim() < 2:
        raise ValueError(f"{name}: at least two axes are needed, not {tensor.dim()}")


def _fans(tensor, name):
    _matrix(tensor, name)
    field = 1
    for size in tensor.shape[2:]:
        field *= size
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Uniform, with the variance gain² · 2 / (fan_in + fan_out). Glorot and Bengio 2010."""
    bound = gain * math.sqrt(6.0 / max(sum(_fans(tensor, "xavier_uniform_")), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Normal, with the variance gain² · 2 / (fan_in + fan_out). Glorot and Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(sum(_fans(tensor, "xavier_normal_")), 1)), generator)


def _kaiming_std(tensor, a, mode, nonlinearity, name):
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor, name)))
    if mode not in fans:
        raise ValueError(f"{name}: mode is 'fan_in' or 'fan_out', not {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans[mode], 1))


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Uniform, with the variance gain² / fan. He and others 2015."""
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Normal, with the variance gain² / fan. He and others 2015."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator)


def eye_(tensor):
    """The identity matrix."""
    if tensor.dim() != 2:
        raise ValueError(f"eye_: two axes are needed, not {tensor.dim()}")
    rows, columns = tensor.shape
    return _fill(tensor, _C.tensor([[float(i == j) for j in range(columns)] for i in range(rows)]).to(tensor.dtype))


def dirac_(tensor, groups=1):
    """A convolution that hands channels on as they are."""
    if tensor.dim() not in (3, 4, 5) or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: three to five axes and channels that {groups} divides are needed, not {list(tensor.shape)}")
    each = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    values = tensor.detach().clone().zero_()
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            values[(group * each + channel, channel, *centre)] = 1
    return _fill(tensor, values)


def orthogonal_(tensor, gain=1, generator=None):
    """Rows (or columns, where there are fewer) at right angles and of length gain. Saxe and others 2013."""
    _matrix(tensor, "orthogonal_")
    return _drawn(tensor, generator, "orthogonal", gain)


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Normal, with a share of zeros in each column. Martens 2010."""
    if tensor.dim() != 2:
        raise ValueError(f"sparse_: two axes are needed, not {tensor.dim()}")
    return _drawn(tensor, generator, "sparse", sparsity, std)
