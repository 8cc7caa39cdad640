"""Linear algebra."""

from .._api import linalg as _functions
from .._errors import ShapeError

globals().update(_functions)


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of a vector or, with ord and two axes, of matrices; of all elements where neither ord nor dim is given."""
    if ord is not None and (len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and A.ndim == 2):
        return _functions["matrix_norm"](A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if ord is not None and dim is None and A.ndim != 1:
        raise ShapeError(f"norm: with ord and without dim the tensor is a vector or a matrix, not of shape {list(A.shape)}")
    return _functions["vector_norm"](A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


__all__ = sorted([*_functions, "norm"])
