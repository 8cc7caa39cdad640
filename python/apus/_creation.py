"""Ways to make tensors that the library's table doesn't have: from other objects, and with PyTorch's overloads."""

from . import _C
from ._api import functions, hidden

Tensor = _C.Tensor


def as_tensor(data, dtype=None, device=None):
    """A tensor of the data: itself where it is one, sharing memory where it is an array, else a copy."""
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    if hasattr(data, "__array_interface__") or isinstance(data, memoryview):
        try:
            return from_numpy(data).to(dtype=dtype, device=device)
        except TypeError:
            pass
    return _C.tensor(data, dtype=dtype, device=device)


asarray = as_tensor


def from_numpy(array):
    """A tensor that shares memory with a NumPy array (or another object with the buffer protocol).

    Changes of the array are seen in the tensor. The tensor never writes to the array: its first change in place goes to memory of its own.
    """
    if isinstance(array, Tensor) or not (hasattr(array, "__array_interface__") or isinstance(array, (memoryview, bytearray))):
        raise TypeError(f"from_numpy: a NumPy array is expected, not {type(array).__name__}")
    if getattr(getattr(array, "flags", None), "writeable", True) is False and getattr(array, "ndim", 1) == 0:
        return _C.tensor(array)
    return _C.from_buffer(array)


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A tensor along one axis that shows the memory of a buffer."""
    view = memoryview(buffer).cast("B")[offset:]
    size = dtype.itemsize
    length = len(view) // size if count < 0 else count
    if length * size > len(view) or (count < 0 and len(view) % size):
        raise ValueError(f"frombuffer: {len(view)} bytes don't hold {length} elements of {dtype} exactly")
    result = _C.from_bytes(bytes(view[: length * size]), dtype, (length,))
    return result.requires_grad_() if requires_grad else result


def randint(*args, low=0, high=None, size=None, **options):
    """Random integers from [low, high): randint(high, size) or randint(low, high, size)."""
    args = list(args)
    if size is None and args:
        size = args.pop()
    if len(args) == 2:
        low, high = args
    elif len(args) == 1:
        if high is None:
            high = args[0]
        else:
            low = args[0]
    if high is None or size is None:
        raise TypeError("randint: high and size are needed")
    return hidden["_randint"](low, high, size, **options)


def randint_like(input, low, high=None, *, dtype=None, **options):
    """Random integers from [low, high) (or [0, low)) in the shape of another tensor."""
    low, high = (0, low) if high is None else (low, high)
    return hidden["_randint"](low, high, tuple(input.shape), dtype=dtype or input.dtype, **options)


def scalar_tensor(value, *, dtype=None, device=None, requires_grad=False):
    """A tensor without axes; float32 by default."""
    return _C.tensor(value, dtype=dtype or _C.get_default_dtype(), requires_grad=requires_grad)


def complex(real, imag):
    """Not available: there are no complex dtypes."""
    raise TypeError("complex: there are no complex dtypes")


def cartesian_prod(*tensors):
    """All combinations of the elements of vectors, a row for each."""
    if len(tensors) == 1:
        return tensors[0]
    return functions["stack"]([grid.flatten() for grid in functions["meshgrid"](*tensors, indexing="ij")], dim=1)


def dstack(tensors):
    """Tensors joined along axis 2."""

    def deep(x):
        return x.reshape(1, -1, 1) if x.dim() < 2 else x.unsqueeze(2) if x.dim() == 2 else x

    return functions["cat"]([deep(x) for x in tensors], dim=2)
