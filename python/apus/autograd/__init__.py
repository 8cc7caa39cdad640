"""Gradients: `grad`, `backward`, functions of one's own, checks against differences."""

from .. import _C
from .._api import functions as _f
from .._modes import detect_anomaly, enable_grad, inference_mode, no_grad, set_detect_anomaly, set_grad_enabled
from . import functional
from .function import Function
from .gradcheck import gradcheck, gradgradcheck

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck", "gradgradcheck",
    "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]


def _tuple(value):
    return (value,) if isinstance(value, _C.Tensor) or value is None else tuple(value)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None, is_grads_batched=False,
         materialize_grads=False):
    """The gradients of the sum of outputs with respect to inputs, as a tuple; nobody's `grad` is touched.

    With `create_graph` they can be differentiated again. An input that the outputs don't depend on is an error unless `allow_unused` (its
    gradient is None then) or `materialize_grads` (zeros). With `is_grads_batched`, `grad_outputs` have an axis before the others, which the
    gradients have then too.
    """
    outputs, inputs = _tuple(outputs), _tuple(inputs)
    given = (None,) * len(outputs) if grad_outputs is None else _tuple(grad_outputs)
    if is_grads_batched:
        rows = [grad(outputs, inputs, row, True, create_graph, allow_unused, materialize_grads=materialize_grads) for row in zip(*given)]
        return tuple(None if column[0] is None else _f["stack"](column) for column in zip(*rows))
    found = _C.grad(outputs, given, inputs, -1 if retain_graph is None else int(bool(retain_graph)), create_graph)
    if materialize_grads:
        return tuple(_f["zeros_like"](x) if g is None else g for x, g in zip(inputs, found))
    if not allow_unused and any(g is None for g in found):
        i = next(i for i, g in enumerate(found) if g is None)
        raise RuntimeError(f"grad: the outputs do not depend on input {i}; allow_unused=True gives None for it")
    return tuple(found)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds the gradients of the sum of tensors to the leaves that they were made from (or to `inputs` alone)."""
    tensors = _tuple(tensors)
    given = (None,) * len(tensors) if grad_tensors is None else _tuple(grad_tensors)
    if inputs is not None:
        targets = _tuple(inputs)
        for x, g in zip(targets, grad(tensors, targets, given, retain_graph, create_graph, allow_unused=True)):
            if g is not None:
                x.grad = g if x.grad is None else x.grad + g
        return
    keeps = create_graph if retain_graph is None else retain_graph
    for i, (tensor, gradient) in enumerate(zip(tensors, given)):
        tensor.backward(gradient, retain_graph=keeps or i + 1 < len(tensors), create_graph=create_graph)


def Variable(data, requires_grad=False, volatile=None):
    """The tensor itself, as in PyTorch since tensors and variables are one; a number or a list becomes a tensor."""
    tensor = data if isinstance(data, _C.Tensor) else _C.tensor(data)
    if requires_grad != tensor.requires_grad:
        tensor = tensor.detach()
        if requires_grad:
            tensor.requires_grad_()
    return tensor
