"""Linear algebra."""

from .._api import linalg as _functions

globals().update(_functions)
__all__ = sorted(_functions)


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of a vector, or of all elements; see vector_norm."""
    if ord is None or dim is not None or A.dim() == 1:
        return _functions["vector_norm"](A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    return A.norm(ord, keepdim=keepdim, dtype=dtype)
