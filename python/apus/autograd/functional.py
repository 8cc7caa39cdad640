"""Derivatives of functions: Jacobians, Hessians and products with them."""

from .. import _C
from .._modes import enable_grad


def _tuple(value):
    return (value,) if isinstance(value, _C.Tensor) else tuple(value)


def _prepared(inputs):
    return tuple(x.detach().clone().requires_grad_() for x in _tuple(inputs))


def _finished(values, create_graph, is_single):
    values = tuple(values) if create_graph else tuple(v.detach() for v in values)
    return values[0] if is_single else values


def _gradients(y, xs, v=None, create_graph=False, strict=False):
    from . import grad

    if not y.requires_grad:
        if strict:
            raise RuntimeError("the output does not depend on the inputs")
        return tuple(x.new_zeros(x.shape) for x in xs)
    return grad(y, xs, v, retain_graph=True, create_graph=create_graph, materialize_grads=True)


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs of func, and the product of the vector v with its Jacobian."""
    from . import grad

    with enable_grad():
        xs = _prepared(inputs)
        outputs = func(*xs)
        ys = _tuple(outputs)
        vs = (None,) * len(ys) if v is None else _tuple(v)
        if v is None and any(y.numel() != 1 for y in ys):
            raise RuntimeError("vjp: v may be left out only where func returns a single element")
        found = grad(ys, xs, vs, create_graph=create_graph, retain_graph=True, materialize_grads=True)
    single = isinstance(inputs, _C.Tensor)
    return _finished(ys, create_graph, isinstance(outputs, _C.Tensor)), _finished(found, create_graph, single)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs of func, and the product of its Jacobian with the vector v: by two backward passes."""
    from . import grad

    with enable_grad():
        xs = _prepared(inputs)
        vs = tuple(x.new_ones(x.shape) for x in xs) if v is None else _tuple(v)
        outputs = func(*xs)
        ys = _tuple(outputs)
        us = tuple(y.detach().new_zeros(y.shape).requires_grad_() for y in ys)
        pulled = grad(ys, xs, us, create_graph=True, materialize_grads=True)
        tracked = [(g, w) for g, w in zip(pulled, vs) if g.requires_grad]
        if tracked:
            found = grad([g for g, _ in tracked], us, [w for _, w in tracked], create_graph=create_graph, materialize_grads=True)
        else:
            found = tuple(y.new_zeros(y.shape) for y in ys)
    single = isinstance(outputs, _C.Tensor)
    return _finished(ys, create_graph, single), _finished(found, create_graph, single)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of func: the shape of an output followed by that of an input, for each pair of these."""
    with enable_grad():
        xs = _prepared(inputs)
        outputs = func(*xs)
        rows = []
        for y in _tuple(outputs):
            flat = y.reshape(-1)
            parts = [_gradients(flat[k], xs, None, create_graph, strict) for k in range(y.numel())]
            rows.append(
                tuple(
                    _stack([part[i] for part in parts], x).reshape(tuple(y.shape) + tuple(x.shape)) for i, x in enumerate(xs)))
    rows = [_finished(row, create_graph, isinstance(inputs, _C.Tensor)) for row in rows]
    return rows[0] if isinstance(outputs, _C.Tensor) else tuple(rows)


def _stack(parts, x):
    from .._api import functions

    return functions["stack"](parts) if parts else x.new_zeros((0,) + tuple(x.shape))


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The second derivatives of func, which returns a single element."""
    is_single = isinstance(inputs, _C.Tensor)

    def gradient(*xs):
        y = func(*xs)
        if y.numel() != 1:
            raise RuntimeError(f"hessian: the function returns {y.numel()} elements, not one")
        found = _gradients(y.reshape(()), xs, None, True, strict)
        return found[0] if is_single else found

    return jacobian(gradient, inputs, create_graph=create_graph)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of func, and the product of the vector v with its Hessian."""
    is_single = isinstance(inputs, _C.Tensor)
    with enable_grad():
        xs = _prepared(inputs)
        y = func(*xs)
        first = _gradients(y.reshape(()), xs, None, True, strict)
        vs = tuple(x.new_ones(x.shape) for x in xs) if v is None else _tuple(v)
        total = sum(((g * w).sum() for g, w in zip(first, vs)), start=0.0)
        found = _gradients(total, xs, None, create_graph, False)
    return _finished((y,), create_graph, True), _finished(found, create_graph, is_single)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of func, and the product of its Hessian (which is symmetric) with the vector v."""
    return vhp(func, inputs, v, create_graph, strict)
