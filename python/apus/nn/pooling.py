"""Pooling."""

from . import functional as F
from .module import Module


class _MaxPool(Module):
    axes = 0

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input):
        function = getattr(F, f"max_pool{self.axes}d")
        return function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode, return_indices=self.return_indices)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}")


class _MaxUnpool(Module):
    axes = 0

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding

    def forward(self, input, indices, output_size=None):
        return getattr(F, f"max_unpool{self.axes}d")(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(Module):
    axes = 0

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        super().__init__()
        if self.axes == 1 and divisor_override is not None:
            raise TypeError("AvgPool1d has no divisor_override")
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, input):
        function = getattr(F, f"avg_pool{self.axes}d")
        options = {} if self.axes == 1 else {"divisor_override": self.divisor_override}
        return function(
            input, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode, count_include_pad=self.count_include_pad, **options)

    def extra_repr(self):
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        if self.axes == 1:
            sizes = {name: value if isinstance(value, tuple) else (value,) for name, value in sizes.items()}
        return ", ".join(f"{name}={value}" for name, value in sizes.items())


class _Adaptive(Module):
    axes, kind = 0, ""

    def __init__(self, output_size, return_indices=False):
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input):
        function = getattr(F, f"adaptive_{self.kind}_pool{self.axes}d")
        if self.kind == "max":
            return function(input, self.output_size, return_indices=self.return_indices)
        return function(input, self.output_size)

    def extra_repr(self):
        return f"output_size={self.output_size}"


_MAX = """The greatest element of each window of [N, C, {sizes}] (or [C, {sizes}]).

    Args:
        kernel_size: of the windows; one number or one for each axis, as all that follow.
        stride: steps from window to window; the kernel's size by default.
        padding: what is added on both sides, of elements that are never the greatest.
        dilation: steps inside a window.
        return_indices: return the places of the greatest elements as well.
        ceil_mode: whether a last window may begin that is not full.
    """
_UNPOOL = """Elements back at the places that MaxPool{axes}d's indices name, zeros elsewhere.

    Args:
        kernel_size, stride, padding: of the pooling.
    """
_AVG = """The mean of each window of [N, C, {sizes}] (or [C, {sizes}]).

    Args:
        kernel_size: of the windows; one number or one for each axis, as all that follow.
        stride: steps from window to window; the kernel's size by default.
        padding: zeros that are added on both sides.
        ceil_mode: whether a last window may begin that is not full.
        count_include_pad: whether the added zeros count as elements.
    """
_ADAPTIVE = """The {what} of windows that are chosen so that the output has a given size.

    Args:
        output_size: one number or one for each axis; None keeps the input's.
    """

__all__ = []


def _define(name, base, doc, **members):
    globals()[name] = type(name, (base,), {**members, "__doc__": doc, "__module__": __name__})
    __all__.append(name)


for _axes, _sizes in ((1, "L"), (2, "H, W"), (3, "D, H, W")):
    _define(f"MaxPool{_axes}d", _MaxPool, _MAX.format(sizes=_sizes), axes=_axes)
    _define(f"MaxUnpool{_axes}d", _MaxUnpool, _UNPOOL.format(axes=_axes), axes=_axes)
    _define(f"AvgPool{_axes}d", _AvgPool, _AVG.format(sizes=_sizes), axes=_axes)
    _define(f"AdaptiveAvgPool{_axes}d", _Adaptive, _ADAPTIVE.format(what="mean"), axes=_axes, kind="avg")
    _define(f"AdaptiveMaxPool{_axes}d", _Adaptive, _ADAPTIVE.format(what="greatest element"), axes=_axes, kind="max")
