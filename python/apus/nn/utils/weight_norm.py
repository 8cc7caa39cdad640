"""Weight norm in its classic form: a hook that computes the weight before each forward. Salimans and Kingma 2016."""

from ..parameter import Parameter


def norm_except(tensor, dim):
    """The norms of the slices at each index of an axis, which stays; of the whole tensor for -1."""
    if dim == -1:
        return tensor.norm()
    axes = [axis for axis in range(tensor.dim()) if axis != dim]
    return tensor.norm(2, dim=axes, keepdim=True) if axes else tensor.abs()


def weighted(g, v, dim):
    """g v / |v|"""
    return v * (g / norm_except(v, dim))


class WeightNorm:
    """The hook."""

    def __init__(self, name, dim):
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module):
        """The weight as it is now."""
        return weighted(getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v"), self.dim)

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def hook_of(module, kind, name):
    """The number of a module's hook of a kind that is about a parameter; None where there is none."""
    return next((key for key, hook in module._forward_pre_hooks.items() if isinstance(hook, kind) and hook.name == name), None)


def taken(module, kind, name):
    """The parameter that a hook of a kind is going to be about."""
    if hook_of(module, kind, name) is not None:
        raise RuntimeError(f"{kind.__name__}: '{name}' has this hook already")
    weight = module._parameters.get(name)
    if weight is None:
        raise ValueError(f"{kind.__name__}: {type(module).__name__} has no parameter '{name}'")
    return weight


def weight_norm(module, name="weight", dim=0):
    """w = g v / |v|: instead of `weight` a magnitude `weight_g` for each index of an axis, and a direction `weight_v`.

    Args:
        module: the module, which is returned.
        name: which of its parameters.
        dim: the axis; None for one magnitude of the whole tensor.

    `parametrizations.weight_norm` is the newer form.
    """
    hook, weight = WeightNorm(name, dim), taken(module, WeightNorm, name)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight.detach(), hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    hook(module, ())
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module, name="weight"):
    """Makes `weight` a parameter again."""
    key = hook_of(module, WeightNorm, name)
    if key is None:
        raise ValueError(f"remove_weight_norm: '{name}' of {type(module).__name__} has no weight norm")
    weight = module._forward_pre_hooks.pop(key).compute_weight(module).detach()
    for suffix in ("", "_g", "_v"):
        delattr(module, name + suffix)
    module.register_parameter(name, Parameter(weight))
    return module
