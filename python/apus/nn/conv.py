"""Convolutions."""

import math

from . import functional as F
from . import init
from .linear import _empty
from .module import Module
from .parameter import Parameter


def _each(value, count, name):
    if isinstance(value, int):
        return (value,) * count
    value = tuple(value)
    if len(value) != count:
        raise ValueError(f"{name}: one number or {count}, not {value}")
    return value


class _Convolution(Module):
    axes = 0
    transposed = False

    def _set_up(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype, output_padding=0
    ):
        kind = type(self).__name__
        if groups <= 0:
            raise ValueError(f"{kind}: groups {groups} is not positive")
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{kind}: groups {groups} does not divide the channels {in_channels} and {out_channels}")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"{kind}: padding_mode {padding_mode!r} is none of zeros, reflect, replicate, circular")
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size, self.stride = _each(kernel_size, self.axes, kind), _each(stride, self.axes, kind)
        self.dilation, self.output_padding = _each(dilation, self.axes, kind), _each(output_padding, self.axes, kind)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"{kind}: padding {padding!r} is neither 'same' nor 'valid'")
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(f"{kind}: padding='same' needs a stride of 1")
            self.padding = padding
        else:
            self.padding = _each(padding, self.axes, kind)
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(_empty(dtype, *channels, *self.kernel_size))
        self.register_parameter("bias", Parameter(_empty(dtype, out_channels)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws the first values again."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan = self.weight[0].numel()
            bound = 1 / math.sqrt(fan) if fan else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * self.axes:
            text += f", padding={self.padding}" if not isinstance(self.padding, str) else f", padding={self.padding}"
        if self.dilation != (1,) * self.axes:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.axes:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Conv(_Convolution):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode="zeros", device=None,
        dtype=None,
    ):
        super().__init__()
        self._set_up(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype)

    def forward(self, input):
        function, padding = getattr(F, f"conv{self.axes}d"), self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._margins(), self.padding_mode), 0
        return function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _margins(self):
        """Before and after each axis, the last axis first."""
        margins = []
        for i in reversed(range(self.axes)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                margins += [total // 2, total - total // 2]
            else:
                margins += [0, 0] if self.padding == "valid" else [self.padding[i]] * 2
        return margins


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1,
        padding_mode="zeros", device=None, dtype=None,
    ):
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: only padding_mode='zeros'")
        self._set_up(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype, output_padding)

    def forward(self, input, output_size=None):
        function = getattr(F, f"conv_transpose{self.axes}d")
        extra = self.output_padding if output_size is None else self._missing(input, list(output_size))
        return function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _missing(self, input, sizes):
        """The output padding that leads to these sizes."""
        sizes = sizes[-self.axes :]
        extra = []
        for i, size in enumerate(sizes):
            least = (input.shape[i - self.axes] - 1) * self.stride[i] - 2 * self.padding[i] + self.dilation[i] * (self.kernel_size[i] - 1) + 1
            if not least <= size < least + self.stride[i]:
                raise ValueError(f"{type(self).__name__}: output size {size} of axis {i} is not in {least}..{least + self.stride[i] - 1}")
            extra.append(size - least)
        return tuple(extra)


_CONV = """A convolution over {axes} of [N, C, {sizes}] (or [C, {sizes}]).

    Args:
        in_channels, out_channels: the channels of input and output.
        kernel_size: of the windows; one number for all axes or one for each, as all that follow.
        stride: steps from window to window.
        padding: what is added on both sides, or 'same' or 'valid'.
        dilation: steps inside a window.
        groups: channels in so many groups that don't see each other.
        bias: whether a number is added to each output channel.
        padding_mode: what is added: zeros, reflect, replicate or circular.

    Parameters: weight [out_channels, in_channels / groups, kernel...] and bias [out_channels], uniform in ±1 / √(weights of an output) at
    first.
    """
_TRANSPOSED = """The transposed convolution over {axes}: the gradient of a convolution, which makes [N, C, {sizes}] larger.

    Args:
        in_channels, out_channels: the channels of input and output.
        kernel_size, stride, padding, dilation, groups, bias: of that convolution.
        output_padding: what is added to the output's size on one side.

    Parameters: weight [in_channels, out_channels / groups, kernel...] and bias [out_channels].
    """

for _axes, _words, _sizes in ((1, "one axis", "L"), (2, "two axes", "H, W"), (3, "three axes", "D, H, W")):
    for _base, _name, _doc in ((_Conv, f"Conv{_axes}d", _CONV), (_ConvTranspose, f"ConvTranspose{_axes}d", _TRANSPOSED)):
        globals()[_name] = type(_name, (_base,), {"axes": _axes, "__doc__": _doc.format(axes=_words, sizes=_sizes), "__module__": __name__})

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
