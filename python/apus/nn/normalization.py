"""Normalization."""

from .._api import functions as _f
from . import functional as F
from .module import Module
from .parameter import Parameter


class _ChannelNorm(Module):
    """Statistics of channels, with running averages."""

    ranks = ()
    function = ""

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.track_running_stats = track_running_stats
        self.register_parameter("weight", Parameter(_f["ones"](num_features, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(_f["zeros"](num_features, dtype=dtype)) if affine and bias else None)
        self.register_buffer("running_mean", _f["zeros"](num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", _f["ones"](num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", _f["zeros"]((), dtype=_int64) if track_running_stats else None)

    def reset_running_stats(self):
        """Forgets what was seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """The first values again."""
        self.reset_running_stats()
        if self.affine:
            self.weight.data = _f["ones_like"](self.weight.detach())
        if self.bias is not None:
            self.bias.data = _f["zeros_like"](self.bias.detach())

    def _check(self, input):
        if input.dim() not in self.ranks:
            wanted = " or ".join(str(rank) for rank in self.ranks)
            raise ValueError(f"{type(self).__name__}: expected {wanted} axes (got {input.dim()}D input)")

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}")


class _BatchNorm(_ChannelNorm):
    def forward(self, input):
        self._check(input)
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        uses_batch = self.training or not self.track_running_stats
        mean, variance = (self.running_mean, self.running_var) if self.track_running_stats else (None, None)
        return F.batch_norm(input, mean, variance, self.weight, self.bias, uses_batch, momentum or 0.0, self.eps)


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, *, bias=True
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input):
        self._check(input)
        channels = input.shape[0 if input.dim() == self.ranks[0] else 1]
        if channels != self.num_features and self.affine:
            raise ValueError(f"{type(self).__name__}: expected {self.num_features} channels, not {channels}")
        if input.dim() == self.ranks[0]:
            return self._normalized(input.unsqueeze(0)).squeeze(0)
        return self._normalized(input)

    def _normalized(self, input):
        uses_input = self.training or not self.track_running_stats
        mean, variance = (self.running_mean, self.running_var) if self.track_running_stats else (None, None)
        return F.instance_norm(input, mean, variance, self.weight, self.bias, uses_input, self.momentum or 0.0, self.eps)


_BATCH = """Each channel of {shape} normalized over the batch, then multiplied by weight and moved by bias.

    In training by the batch's own mean and variance, and running averages follow them; in evaluation by these averages. Ioffe and Szegedy 2015.

    Args:
        num_features: channels.
        eps: what is added to the variance.
        momentum: the share of a new batch in the running averages; None for the mean of all batches.
        affine: whether there are weight and bias.
        bias: whether there is a bias, where there is a weight.
        track_running_stats: whether there are running averages; without them the batch's statistics are always used.
    """
_INSTANCE = """Each channel of each sample of {shape} normalized by its own mean and variance. Ulyanov and others 2016.

    Args:
        num_features: channels.
        eps: what is added to the variance.
        momentum: the share of a new batch in the running averages.
        affine: whether there are weight and bias.
        bias: whether there is a bias, where there is a weight.
        track_running_stats: whether there are running averages, which are used in evaluation.
    """

for _axes, _ranks, _shape in (
    (1, (2, 3), "[N, C] or [N, C, L]"), (2, (4,), "[N, C, H, W]"), (3, (5,), "[N, C, D, H, W]"),
):
    _members = {"ranks": _ranks, "__doc__": _BATCH.format(shape=_shape), "__module__": __name__}
    globals()[f"BatchNorm{_axes}d"] = type(f"BatchNorm{_axes}d", (_BatchNorm,), _members)
    _members = {"ranks": (_axes + 1, _axes + 2), "__doc__": _INSTANCE.format(shape=_shape), "__module__": __name__}
    globals()[f"InstanceNorm{_axes}d"] = type(f"InstanceNorm{_axes}d", (_InstanceNorm,), _members)


class GroupNorm(Module):
    """Groups of channels of each sample normalized. Wu and He 2018.

    Args:
        num_groups: how many groups.
        num_channels: channels, which num_groups divides.
        eps: what is added to the variance.
        affine: whether there are weight and bias, one for each channel.
        bias: whether there is a bias, where there is a weight.
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None, *, bias=True):
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.register_parameter("weight", Parameter(_f["ones"](num_channels, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(_f["zeros"](num_channels, dtype=dtype)) if affine and bias else None)

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LayerNorm(Module):
    """Each sample normalized over its last axes. Ba and others 2016.

    Args:
        normalized_shape: the sizes of these axes.
        eps: what is added to the variance.
        elementwise_affine: whether there are weight and bias.
        bias: whether there is a bias, where there is a weight.
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", Parameter(_f["ones"](self.normalized_shape, dtype=dtype)) if elementwise_affine else None)
        has_bias = elementwise_affine and bias
        self.register_parameter("bias", Parameter(_f["zeros"](self.normalized_shape, dtype=dtype)) if has_bias else None)

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}")


class RMSNorm(Module):
    """Each sample divided by the root of its mean square over the last axes. Zhang and Sennrich 2019.

    Args:
        normalized_shape: the sizes of these axes.
        eps: what is added to the mean square; by default the dtype's distance from 1 to the next number.
        elementwise_affine: whether there is a weight.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", Parameter(_f["ones"](self.normalized_shape, dtype=dtype)) if elementwise_affine else None)

    def forward(self, input):
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Each element divided by a power of the squares in neighbouring channels. Krizhevsky and others 2012."""

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


from .._C import int64 as _int64  # noqa: E402

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "GroupNorm", "LayerNorm", "RMSNorm",
    "LocalResponseNorm",
]
