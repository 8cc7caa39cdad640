"""Apus: deep learning with PyTorch's names over a library written in Swift.

    import apus
    from apus import nn, optim
"""

from . import _C, _api, _errors, _tensor
from ._creation import (
    as_tensor, asarray, cartesian_prod, dstack, from_numpy, frombuffer, randint, randint_like, scalar_tensor,
)
from ._errors import FormatError, ShapeError
from ._limits import finfo, iinfo
from ._modes import (
    autocast, enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
)
from ._serialization import load, save
from ._tensor import Size, device, set_printoptions

Tensor, dtype, tensor, from_dlpack = _C.Tensor, _C.dtype, _C.tensor, _C.from_dlpack
promote_types = _C.promote_types
get_default_dtype, set_default_dtype = _C.get_default_dtype, _C.set_default_dtype
__version__ = _C.version()

globals().update(_api.functions)

from . import amp, autograd, backends, cuda, datasets, linalg, nn, optim, random, safetensors, utils
from .classic import *
from .random import Generator, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

float32, float64, float16, bfloat16 = _C.float32, _C.float64, _C.float16, _C.bfloat16
int64, int32, int16, int8, uint8 = _C.int64, _C.int32, _C.int16, _C.int8, _C.uint8
inf, nan, pi, e = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None
strided, contiguous_format, preserve_format, channels_last = "strided", "contiguous_format", "preserve_format", "channels_last"


def is_tensor(obj):
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """Whether a tensor's elements have a fraction."""
    return input.dtype.is_floating_point


def numel(input):
    """The number of elements of a tensor."""
    return input.numel()


def is_nonzero(input):
    """Whether the only element of a tensor is other than 0."""
    return bool(input)


def result_type(tensor1, tensor2):
    """The dtype of an op on two tensors or numbers."""
    return (tensor1 + tensor2).dtype if isinstance(tensor1, Tensor) or isinstance(tensor2, Tensor) else tensor(tensor1 + tensor2).dtype


def broadcast_shapes(*shapes):
    """The shape that all shapes broadcast to."""
    result = []
    for shape in shapes:
        shape = [shape] if isinstance(shape, __builtins_int) else list(shape)
        result = [1] * (len(shape) - len(result)) + result
        for i, size in enumerate(reversed(shape), start=1):
            if size != 1 and result[-i] not in (1, size):
                raise ShapeError(f"broadcast_shapes: sizes {result[-i]} and {size} differ and are not 1")
            result[-i] = size if result[-i] == 1 else result[-i]
    return Size(result)


__builtins_int = int


def typename(obj):
    """The name of a tensor's dtype, or of an object's type."""
    return obj.type() if isinstance(obj, Tensor) else f"{type(obj).__module__}.{type(obj).__qualname__}"


def get_num_threads():
    """Threads that compute; APUS_NUM_THREADS sets it before the start."""
    return _C.thread_count()


def use_deterministic_algorithms(mode, warn_only=False):
    """Of no account: results never depend on the number of threads."""


def instruction_set():
    """The instruction set that the kernels use."""
    return _C.instruction_set()


# The names of dtypes that hide Python's types come last.
float, double, half = float32, float64, float16
int, long, short, bool = int32, int64, int16, _C.bool


def _dtype_named(name):
    return getattr(_C, name)
