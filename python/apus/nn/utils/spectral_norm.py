"""Spectral norm in its classic form: a hook that computes the weight before each forward. Miyato and others 2018."""

from ..._modes import no_grad
from .. import functional as F
from ..conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..parameter import Parameter
from .weight_norm import hook_of, taken


def axis_of_outputs(module, dim):
    """The axis of a layer's weight that stands for its outputs."""
    return (1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0) if dim is None else dim


def matrix(weight, dim):
    """The weight as a matrix whose rows are the slices at each index of an axis."""
    return weight.movedim(dim, 0).reshape(weight.shape[dim], -1)


def start_vectors(weight, eps):
    """Random directions for the rows and the columns of a matrix."""
    return tuple(F.normalize(weight.new_empty(size).normal_(), dim=0, eps=eps) for size in weight.shape)


def power_iteration(weight, u, v, count, eps):
    """The left and right vectors after some steps towards those of the greatest singular value; v comes first in each step."""
    with no_grad():
        for _ in range(count):
            v = F.normalize(weight.t().mv(u), dim=0, eps=eps)
            u = F.normalize(weight.mv(v), dim=0, eps=eps)
    return u, v


class SpectralNorm:
    """The hook."""

    def __init__(self, name, n_power_iterations, dim, eps):
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations is positive, not {n_power_iterations}")
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module, do_power_iteration):
        """The weight as it is now, after some steps if asked for."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        rows = matrix(weight, self.dim)
        if do_power_iteration:
            u, v = power_iteration(rows, u, v, self.n_power_iterations, self.eps)
            setattr(module, f"{self.name}_u", u)
            setattr(module, f"{self.name}_v", v)
        return weight / u.dot(rows.mv(v))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """w / σ(w): the weight divided by its greatest singular value; what is trained is `weight_orig`.

    Args:
        module: the module, which is returned.
        name: which of its parameters.
        n_power_iterations: steps of power iteration with each forward in training mode.
        eps: the least norm that is divided by.
        dim: the axis of the outputs; 0 by default, 1 for transposed convolutions.

    `parametrizations.spectral_norm` is the newer form.
    """
    hook = SpectralNorm(name, n_power_iterations, axis_of_outputs(module, dim), eps)
    weight = taken(module, SpectralNorm, name)
    u, v = start_vectors(matrix(weight.detach(), hook.dim), eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module, name="weight"):
    """Makes `weight` a parameter again."""
    key = hook_of(module, SpectralNorm, name)
    if key is None:
        raise ValueError(f"remove_spectral_norm: '{name}' of {type(module).__name__} has no spectral norm")
    weight = module._forward_pre_hooks.pop(key).compute_weight(module, False).detach()
    for suffix in ("", "_orig", "_u", "_v"):
        delattr(module, name + suffix)
    module.register_parameter(name, Parameter(weight))
    return module
