"""What the dtypes can hold."""

from . import _C

# Bits, the step after 1, the smallest normal number, and the digits that are sure.
_FLOATS = {
    _C.float32: (32, 2.0**-23, 2.0**-126, 1e-6), _C.float64: (64, 2.0**-52, 2.0**-1022, 1e-15), _C.float16: (16, 2.0**-10, 2.0**-14, 1e-3),
    _C.bfloat16: (16, 2.0**-7, 2.0**-126, 1e-2),
}


class finfo:
    """The limits of a floating-point dtype: `eps` (the step after 1), `max`, `min`, `tiny` (the smallest normal number), `resolution`, `bits`."""

    def __init__(self, type=None):
        type = _C.get_default_dtype() if type is None else type
        if type not in _FLOATS:
            raise TypeError(f"finfo: a floating-point dtype is expected, not {type}")
        self.bits, self.eps, self.tiny, self.resolution = _FLOATS[type]
        self.smallest_normal, self.dtype = self.tiny, type.name
        self.max = (2 - self.eps) * (2 / self.tiny)
        self.min = -self.max

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo:
    """The limits of an integer dtype: `min`, `max`, `bits`."""

    def __init__(self, type):
        if type.is_floating_point or type is _C.bool:
            raise TypeError(f"iinfo: an integer dtype is expected, not {type}")
        self.bits, self.dtype = 8 * type.itemsize, type.name
        self.min, self.max = (-(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1) if type.is_signed else (0, 2**self.bits - 1)

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
