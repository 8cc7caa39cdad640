"""Tensors that belong to a module."""

from .. import _C


def _numbers(data, kind):
    data = _C.tensor([]) if data is None else data
    if not isinstance(data, _C.Tensor):
        raise TypeError(f"{kind}: data is a tensor, not {type(data).__name__}")
    return data.detach()


class Parameter(_C.Tensor):
    """A tensor that is trained. As an attribute of a module it is found by `parameters()`.

    Args:
        data: the first numbers; the two share memory until one of them is changed.
        requires_grad: whether gradients are wanted.
    """

    def __new__(cls, data=None, requires_grad=True):
        made = _numbers(data, "Parameter")._as_subclass(cls)
        return made.requires_grad_() if requires_grad else made

    def __init__(self, data=None, requires_grad=True):
        pass

    def __repr__(self):
        return "Parameter containing:\n" + _C.Tensor.__repr__(self)


class Buffer(_C.Tensor):
    """A tensor that belongs to a module's state and is not trained, such as a running mean.

    Args:
        data: the numbers.
        persistent: whether it is in the state dictionary.
    """

    def __new__(cls, data=None, *, persistent=True):
        return _numbers(data, "Buffer")._as_subclass(cls)

    def __init__(self, data=None, *, persistent=True):
        self.persistent = persistent


