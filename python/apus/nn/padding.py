"""Padding."""

from . import functional as F
from .module import Module

__all__ = []


class _Pad(Module):
    axes, mode = 0, "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self.axes:
            raise ValueError(f"{type(self).__name__}: one number or {2 * self.axes}, not {self.padding}")

    def forward(self, input):
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


_DOC = """{what} around the last {axes} of [N, C, ...] or [C, ...].

    Args:
        padding: one number, or before and after each axis, the last axis first.
    """

for _name, _base, _mode, _what in (
    ("ConstantPad", _ConstantPad, "constant", "A number"), ("ZeroPad", _Pad, "constant", "Zeros"),
    ("ReflectionPad", _Pad, "reflect", "The input's reflection (without the edge itself)"),
    ("ReplicationPad", _Pad, "replicate", "The input's edge"), ("CircularPad", _Pad, "circular", "The input's other end"),
):
    for _axes, _words in ((1, "axis"), (2, "two axes"), (3, "three axes")):
        _members = {"axes": _axes, "mode": _mode, "__doc__": _DOC.format(what=_what, axes=_words), "__module__": __name__}
        globals()[f"{_name}{_axes}d"] = type(f"{_name}{_axes}d", (_base,), _members)
        __all__.append(f"{_name}{_axes}d")
