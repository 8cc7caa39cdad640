"""Layers, activations and losses as functions, with PyTorch's signatures; made from the library's table of ops."""

from .._api import functional as _functions
from .._api import functions as _general

globals().update(_functions)
relu_ = _general["relu"]
__all__ = sorted(_functions)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=True):
    """adaptive_max_pool2d and the places of the maxima."""
    return _functions["adaptive_max_pool2d"](input, output_size, return_indices=True)


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=True):
    """max_pool2d and the places of the maxima."""
    return _functions["max_pool2d"](input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """interpolate, by its older name."""
    return _functions["interpolate"](input, size, scale_factor, mode, align_corners)


def cosine_distance(x1, x2, dim=1, eps=1e-8):
    """1 - cosine_similarity."""
    return 1 - _functions["cosine_similarity"](x1, x2, dim, eps)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
    """triplet_margin_loss with a distance of one's own; pairwise_distance by default."""
    distance = distance_function or _functions["pairwise_distance"]
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _general["minimum"](far, distance(positive, negative))
    loss = (near - far + margin).clamp(min=0)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"triplet_margin_with_distance_loss: '{reduction}' is none of 'none', 'mean', 'sum'")
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample of a softmax that gradients pass through; with hard a one-hot vector."""
    noise = -(-_general["rand_like"](logits).clamp(min=1e-20).log()).log()
    soft = _general["softmax"]((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    return soft.new_zeros(soft.shape).scatter(dim, index, 1.0) - soft.detach() + soft


def __dir__():
    return __all__
