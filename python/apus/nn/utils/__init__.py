"""What is done with parameters and gradients."""

import math

from ... import _C
from ..._api import functions as _f
from ..._modes import no_grad
from .. import init as _init
from . import parametrizations, parametrize, rnn
from .fusion import fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval, fuse_linear_bn_weights
from .spectral_norm import remove_spectral_norm, spectral_norm
from .weight_norm import remove_weight_norm, weight_norm

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval",
    "fuse_linear_bn_weights", "get_total_norm", "parameters_to_vector", "parametrizations", "parametrize", "remove_spectral_norm",
    "remove_weight_norm", "rnn", "skip_init", "spectral_norm", "vector_to_parameters", "weight_norm",
]


def _with_gradients(parameters):
    parameters = [parameters] if isinstance(parameters, _C.Tensor) else list(parameters)
    return [parameter for parameter in parameters if parameter.grad is not None]


def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all elements of tensors together."""
    tensors = [tensors] if isinstance(tensors, _C.Tensor) else list(tensors)
    if not tensors:
        return _C.tensor(0.0)
    norms = [tensor.detach().norm(norm_type) for tensor in tensors]
    total = norms[0] if len(norms) == 1 else _f["stack"](norms).norm(norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(f"the total norm of order {norm_type} is {total.item()}")
    return total


def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scales gradients so that a total norm that was computed becomes at most max_norm."""
    scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    with no_grad():
        for parameter in _with_gradients(parameters):
            parameter.grad.mul_(scale.to(parameter.grad.dtype))


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scales gradients so that the norm of all of them together is at most max_norm; returns what it was."""
    parameters = _with_gradients(parameters)
    total = get_total_norm([parameter.grad for parameter in parameters], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_value_(parameters, clip_value, foreach=None):
    """Limits every element of the gradients to ±clip_value."""
    with no_grad():
        for parameter in _with_gradients(parameters):
            parameter.grad.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters):
    """All numbers in one vector; gradients pass through."""
    return _f["cat"]([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec, parameters):
    """The numbers of a vector back in the parameters."""
    if not isinstance(vec, _C.Tensor):
        raise TypeError(f"vector_to_parameters: a tensor, not {type(vec).__name__}")
    place = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.data = vec[place : place + count].detach().view(parameter.shape)
        place += count


def skip_init(module_cls, *args, **kwargs):
    """A module whose parameters are not drawn, for those who fill them otherwise: `skip_init(nn.Linear, 5, 1)`."""
    with _init.skipped():
        return module_cls(*args, **kwargs)
