"""Gradients against central differences."""

from .. import _C
from .._modes import enable_grad, no_grad


class GradcheckError(RuntimeError):
    """A gradient that differs from the differences."""


def _outputs(value):
    return tuple(y for y in (value if isinstance(value, (tuple, list)) else (value,)) if isinstance(y, _C.Tensor) and y.dtype.is_floating_point)


def _numeric(function, inputs, i, eps):
    """Rows: elements of input i; columns: elements of every output."""
    flat = inputs[i].detach().flatten().tolist()
    columns = []
    for j in range(len(flat)):
        sides = []
        for step in (eps, -eps):
            moved = list(flat)
            moved[j] += step
            x = _C.tensor(moved, dtype=inputs[i].dtype).reshape(inputs[i].shape)
            with no_grad():
                sides.append([y.double().flatten().tolist() for y in _outputs(function(*inputs[:i], x, *inputs[i + 1:]))])
        columns.append([[(a - b) / (2 * eps) for a, b in zip(high, low)] for high, low in zip(*sides)])
    return columns


def gradcheck(
    func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
    check_grad_dtypes=False, check_batched_grad=False, fast_mode=False, masked=None
):
    """Whether the gradients of func agree with central differences at inputs (float64, with requires_grad)."""
    from . import grad

    inputs = (inputs,) if isinstance(inputs, _C.Tensor) else tuple(inputs)
    places = [i for i, x in enumerate(inputs) if isinstance(x, _C.Tensor) and x.requires_grad]
    if not places:
        raise ValueError("gradcheck: no input requires a gradient")

    def fail(text):
        if raise_exception:
            raise GradcheckError(f"gradcheck: {text}")
        return False

    numeric = {i: _numeric(func, inputs, i, eps) for i in places}
    with enable_grad():
        outputs = _outputs(func(*inputs))
        for o, y in enumerate(outputs):
            for k in range(y.numel()):
                seed = [0.0] * y.numel()
                seed[k] = 1.0
                if not y.requires_grad:
                    rows = [None] * len(places)
                else:
                    v = _C.tensor(seed, dtype=y.dtype).reshape(y.shape)
                    rows = grad(y, [inputs[i] for i in places], v, retain_graph=True, allow_unused=True)
                for i, row in zip(places, rows):
                    found = [0.0] * inputs[i].numel() if row is None else row.detach().double().flatten().tolist()
                    for j, value in enumerate(found):
                        expected = numeric[i][j][o][k]
                        if not abs(value - expected) <= atol + rtol * abs(expected):
                            return fail(
                                f"d output {o}[{k}] / d input {i}[{j}] is {value} by the graph and {expected} by differences")
    return True


def gradgradcheck(func, inputs, grad_outputs=None, **options):
    """Whether the second derivatives of func agree with differences of the first."""
    from . import grad

    inputs = (inputs,) if isinstance(inputs, _C.Tensor) else tuple(inputs)
    places = [i for i, x in enumerate(inputs) if isinstance(x, _C.Tensor) and x.requires_grad]

    def first(*xs):
        xs = list(xs)
        with enable_grad():
            for i in places:
                if not xs[i].requires_grad:
                    xs[i] = xs[i].detach().requires_grad_()
            outputs = _outputs(func(*xs))
            total = sum(((y * y).sum() for y in outputs), start=0.0)
            return grad(total, [xs[i] for i in places], create_graph=True, allow_unused=True, materialize_grads=True)

    return gradcheck(first, inputs, **options)
