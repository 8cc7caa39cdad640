"""Ready-made parametrizations: `weight_norm` and `spectral_norm`, to be undone by `parametrize.remove_parametrizations`."""

from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import axis_of_outputs, matrix, power_iteration, start_vectors
from .weight_norm import norm_except, weighted

__all__ = ["spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return weighted(weight_g, weight_v, self.dim)

    def right_inverse(self, weight):
        return norm_except(weight, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """w = g v / |v|: a magnitude g (`original0`) for each index of an axis, and a direction v (`original1`). Salimans and Kingma 2016.

    Args:
        module: the module, which is returned.
        name: which of its parameters.
        dim: the axis; None for one magnitude of the whole tensor.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    ours, theirs = [f"parametrizations.{name}.original{i}" for i in (0, 1)], [f"{name}_g", f"{name}_v"]

    def translate(state, prefix, *rest):
        """State dictionaries of the classic `nn.utils.weight_norm` are read too."""
        if all(prefix + key in state for key in theirs):
            for new, old in zip(ours, theirs):
                state[prefix + new] = state.pop(prefix + old)

    module._load_hooks.add(translate)
    return module


class _SpectralNorm(Module):
    def __init__(self, weight, n_power_iterations, dim, eps):
        super().__init__()
        if not -weight.dim() <= dim < weight.dim():
            raise IndexError(f"spectral_norm: axis {dim} of a tensor with {weight.dim()} axes")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations is positive, not {n_power_iterations}")
        self.dim, self.eps, self.n_power_iterations = dim % weight.dim(), eps, n_power_iterations
        if weight.dim() > 1:
            u, v = start_vectors(matrix(weight, self.dim), eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            self._iterate(matrix(weight, self.dim), 15)

    def _iterate(self, weight, count):
        # u first, unlike the classic function: as in PyTorch.
        self._v, self._u = power_iteration(weight.t(), self._v, self._u, count, self.eps)

    def forward(self, weight):
        if weight.dim() == 1:
            from .. import functional as F

            return F.normalize(weight, dim=0, eps=self.eps)
        rows = matrix(weight, self.dim)
        if self.training:
            self._iterate(rows, self.n_power_iterations)
        return weight / self._u.dot(rows.mv(self._v))

    def right_inverse(self, value):
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """w / σ(w): the weight divided by its greatest singular value, so that the layer stretches nothing. Miyato and others 2018.

    σ is what power iteration has found so far; each use in training mode adds some steps.

    Args:
        module: the module, which is returned.
        name: which of its parameters.
        n_power_iterations: steps with each use.
        eps: the least norm that is divided by.
        dim: the axis of the outputs; 0 by default, 1 for transposed convolutions.
    """
    weight = getattr(module, name, None)
    if weight is None:
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter or buffer '{name}'")
    return register_parametrization(module, name, _SpectralNorm(weight.detach(), n_power_iterations, axis_of_outputs(module, dim), eps))
