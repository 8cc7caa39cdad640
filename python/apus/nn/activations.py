"""Activation functions as modules."""

from .. import _C
from .._api import functions as _functions
from . import functional as F
from .module import Module
from .parameter import Parameter


class _Activation(Module):
    """A function without parameters. A subclass names the function, its options with defaults, and how it prints."""

    function = None
    options = {}
    shown = ()

    def __init__(self, *args, **keywords):
        super().__init__()
        names = list(self.options)
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} arguments at most, not {len(args)}")
        given = dict(zip(names, args))
        for name, value in keywords.items():
            if name not in self.options or name in given:
                problem = "twice" if name in given else "is no argument"
                raise TypeError(f"{type(self).__name__}: '{name}' {problem}")
            given[name] = value
        for name, default in self.options.items():
            if default is ... and name not in given:
                raise TypeError(f"{type(self).__name__}: '{name}' is missing")
            setattr(self, name, given.get(name, default))

    def forward(self, input):
        return getattr(F, self.function)(input, **{name: getattr(self, name) for name in self.options if name != "inplace"})

    def extra_repr(self):
        if self.function in ("hardshrink", "softshrink"):
            return f"{self.lambd}"
        parts = [f"{name}={getattr(self, name)!r}" for name in self.shown]
        return ", ".join(parts + (["inplace=True"] if getattr(self, "inplace", False) else []))


def _activation(name, function, doc, shown=(), **options):
    import inspect

    parameters = [
        inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, **({} if value is ... else {"default": value}))
        for key, value in options.items()
    ]
    members = {
        "function": function, "options": options, "shown": shown, "__doc__": doc, "__module__": __name__,
        "__signature__": inspect.Signature(parameters),
    }
    globals()[name] = type(name, (_Activation,), members)
    __all__.append(name)


__all__ = []

_activation("ReLU", "relu", "max(x, 0).", inplace=False)
_activation("ReLU6", "relu6", "min(max(x, 0), 6).", inplace=False)
_activation("Sigmoid", "sigmoid", "1 / (1 + exp(-x)).")
_activation("Tanh", "tanh", "The hyperbolic tangent.")
_activation("SiLU", "silu", "x * sigmoid(x).", inplace=False)
_activation("Mish", "mish", "x * tanh(softplus(x)).", inplace=False)
_activation("SELU", "selu", "scale * elu(x), with the constants of self-normalizing networks.", inplace=False)
_activation("Hardsigmoid", "hardsigmoid", "relu6(x + 3) / 6.", inplace=False)
_activation("Hardswish", "hardswish", "x * relu6(x + 3) / 6.", inplace=False)
_activation("LogSigmoid", "logsigmoid", "ln(sigmoid(x)), without overflow.")
_activation("Softsign", "softsign", "x / (1 + |x|).")
_activation("Tanhshrink", "tanhshrink", "x - tanh(x).")
_activation("ELU", "elu", "x where it is positive, else alpha * (exp(x) - 1).", ("alpha",), alpha=1.0, inplace=False)
_activation("CELU", "celu", "max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)).", ("alpha",), alpha=1.0, inplace=False)
_activation(
    "GELU", "gelu", "x times the normal distribution's share below x; approximate='tanh': by a formula with tanh.", ("approximate",),
    approximate="none")
_activation("GLU", "glu", "The first half along dim times the sigmoid of the second.", ("dim",), dim=-1)
_activation("Hardshrink", "hardshrink", "x where |x| > lambd, else 0.", ("lambd",), lambd=0.5)
_activation("Softshrink", "softshrink", "x moved by lambd towards 0.", ("lambd",), lambd=0.5)
_activation("Softplus", "softplus", "ln(1 + exp(beta * x)) / beta; x where beta * x > threshold.", ("beta", "threshold"), beta=1.0, threshold=20.0)
_activation("LeakyReLU", "leaky_relu", "x where it is positive, else negative_slope * x.", ("negative_slope",), negative_slope=0.01, inplace=False)
_activation("Threshold", "threshold", "x where x > threshold, else value.", ("threshold", "value"), threshold=..., value=..., inplace=False)
_activation("Hardtanh", "hardtanh", "x, at least min_val and at most max_val.", ("min_val", "max_val"), min_val=-1.0, max_val=1.0, inplace=False)
_activation("Softmax", "softmax", "exp(x) / sum(exp(x)) along dim.", ("dim",), dim=None)
_activation("Softmin", "softmin", "softmax(-x) along dim.", ("dim",), dim=None)
_activation("LogSoftmax", "log_softmax", "ln(softmax(x)) along dim, without loss of digits.", ("dim",), dim=None)


class Softmax2d(Module):
    """The softmax over the channels of [N, C, H, W] or [C, H, W]."""

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: three or four axes, not {input.dim()}")
        return F.softmax(input, -3)


class RReLU(Module):
    """x where it is positive, else a * x; a is drawn from [lower, upper) in training and is their mean otherwise.

    Args:
        lower, upper: the range of a.
    """

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input):
        if not self.training:
            return F.leaky_relu(input, (self.lower + self.upper) / 2)
        slopes = _functions["rand_like"](input.detach()) * (self.upper - self.lower) + self.lower
        return _functions["where"](input < 0, input * slopes, input)

    def extra_repr(self):
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x where it is positive, else a * x with a trained number a, one for all channels or one for each.

    Args:
        num_parameters: 1, or the number of channels.
        init: the first value.
    """

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(_C.tensor([init] * num_parameters, dtype=dtype or _C.get_default_dtype()))

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


__all__ += ["Softmax2d", "RReLU", "PReLU"]
