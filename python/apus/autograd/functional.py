"""Derivatives of functions: Jacobians, Hessians and products with them."""

from .. import _C
from .._api import functions as _f
from .._modes import enable_grad


def _tuple(value, what):
    values = (value,) if isinstance(value, _C.Tensor) else value
    if not isinstance(values, (tuple, list)) or not all(isinstance(x, _C.Tensor) for x in values):
        raise TypeError(f"{what}: a tensor or a tuple of tensors is expected, not {type(value).__name__}")
    return tuple(values)


def _prepared(inputs, create_graph, name):
    """The inputs to differentiate by; with `create_graph`, derivatives have gradients with respect to the caller's own."""
    return tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in _tuple(inputs, f"{name}: inputs"))


def _vectors(v, likes, name):
    if v is None:
        if len(likes) > 1 or likes[0].numel() != 1:
            raise RuntimeError(f"{name}: v may be left out only where there is a single element")
        return (_f["ones_like"](likes[0]),)
    vs = _tuple(v, f"{name}: v")
    if [x.shape for x in vs] != [x.shape for x in likes]:
        raise RuntimeError(f"{name}: v has the shapes {[list(x.shape) for x in vs]}; {[list(x.shape) for x in likes]} are needed")
    return vs


def _single(value, name):
    if not isinstance(value, _C.Tensor) or value.numel() != 1:
        raise RuntimeError(f"{name}: the function must return a tensor of one element")
    return value.reshape(())


def _finished(values, create_graph, is_single):
    values = tuple(values) if create_graph else tuple(v.detach() for v in values)
    return values[0] if is_single else values


def _gradients(ys, xs, vs, create_graph, strict, name):
    """Gradients of the sum of ys · vs; zeros for what ys don't depend on, which is an error if `strict`."""
    from . import grad

    tracked = [(y, v) for y, v in zip(ys, vs) if y.requires_grad]
    found = (None,) * len(xs)
    if tracked:
        found = grad([y for y, _ in tracked], xs, [v for _, v in tracked], retain_graph=True, create_graph=create_graph, allow_unused=True)
    for i, gradient in enumerate(found) if strict else ():
        if gradient is None or (create_graph and not gradient.requires_grad):
            what = "result" if gradient is None else "derivative"
            raise RuntimeError(f"{name}: the {what} does not depend on input {i}, and strict is set")
    return tuple(_f["zeros_like"](x) if g is None else g for x, g in zip(xs, found))


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs of func, and the product of the vector v with its Jacobian.

    Args:
        func: a function of tensors that returns a tensor or a tuple of tensors.
        inputs: a tensor, or a tuple of tensors for several arguments.
        v: a tensor like each output; may be left out for a single element.
        create_graph: whether the results can be differentiated again.
        strict: whether an output that doesn't depend on an input is an error.
    """
    with enable_grad():
        xs = _prepared(inputs, create_graph, "vjp")
        outputs = func(*xs)
        ys = _tuple(outputs, "vjp: the function's result")
        found = _gradients(ys, xs, _vectors(v, ys, "vjp"), create_graph, strict, "vjp")
    return (
        _finished(ys, create_graph, isinstance(outputs, _C.Tensor)), _finished(found, create_graph, isinstance(inputs, _C.Tensor)))


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs of func, and the product of its Jacobian with the vector v: by two backward passes.

    Args:
        func, inputs, create_graph, strict: as in `vjp`.
        v: a tensor like each input; may be left out for a single element.
    """
    with enable_grad():
        xs = _prepared(inputs, create_graph, "jvp")
        vs = _vectors(v, xs, "jvp")
        outputs = func(*xs)
        ys = _tuple(outputs, "jvp: the function's result")
        # The product with the Jacobian is linear in u; its derivative by u is the product that is wanted.
        us = tuple(_f["zeros_like"](y).requires_grad_() for y in ys)
        pulled = _gradients(ys, xs, us, True, strict, "jvp")
        found = _gradients(pulled, us, vs, create_graph, False, "jvp")
    is_single = isinstance(outputs, _C.Tensor)
    return _finished(ys, create_graph, is_single), _finished(found, create_graph, is_single)


def _check_strategy(strategy):
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"strategy is 'reverse-mode' or 'forward-mode', not {strategy!r}")


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of func: the shape of an output followed by that of an input, for each pair of these.

    Args:
        func, inputs, create_graph, strict: as in `vjp`.
        vectorize, strategy: how PyTorch goes about it; here it is a backward pass for each element of the outputs in any case.
    """
    _check_strategy(strategy)
    with enable_grad():
        xs = _prepared(inputs, create_graph, "jacobian")
        outputs = func(*xs)
        table = []
        for y in _tuple(outputs, "jacobian: the function's result"):
            rows = [_gradients((element,), xs, (None,), create_graph, strict, "jacobian") for element in y.reshape(-1).unbind()]
            table.append(tuple(
                _f["stack"]([row[i] for row in rows]).reshape(y.shape + x.shape) if rows else x.new_zeros(y.shape + x.shape)
                for i, x in enumerate(xs)))
    table = [_finished(row, create_graph, isinstance(inputs, _C.Tensor)) for row in table]
    return table[0] if isinstance(outputs, _C.Tensor) else tuple(table)


def _gradient(func, is_single, strict, name):
    """The gradient of a function of one element, as a function."""

    def gradient(*xs):
        found = _gradients((_single(func(*xs), name),), xs, (None,), True, strict, name)
        return found[0] if is_single else found

    return gradient


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The second derivatives of func, which returns a single element; arguments as in `jacobian`."""
    gradient = _gradient(func, isinstance(inputs, _C.Tensor), strict, "hessian")
    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def _product(func, inputs, v, create_graph, strict, name):
    with enable_grad():
        xs = _prepared(inputs, create_graph, name)
        vs = _vectors(v, xs, name)
        y = func(*xs)
        first = _gradients((_single(y, name),), xs, (None,), True, strict, name)
        found = _gradients(first, xs, vs, create_graph, strict, name)
    return _finished((y,), create_graph, True), _finished(found, create_graph, isinstance(inputs, _C.Tensor))


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of func, which returns a single element, and the product of the vector v with its Hessian; arguments as in `jvp`."""
    return _product(func, inputs, v, create_graph, strict, "vhp")


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """The value of func, and the product of its Hessian with the vector v: `vhp`, since the Hessian is symmetric."""
    return _product(func, inputs, v, create_graph, strict, "hvp")
