"""Batch norm folded into the layer before it, for evaluation."""

import copy

from ..parameter import Parameter


def _folded(weight, bias, mean, variance, eps, scale, shift, axis):
    """Weight and bias of w x + b followed by (y - mean) / √(variance + eps) · scale + shift."""
    bias = mean.new_zeros(mean.shape) if bias is None else bias
    factor = (variance + eps).rsqrt()
    factor = factor if scale is None else factor * scale
    shape = [1] * weight.dim()
    shape[axis] = -1
    shifted = (bias - mean) * factor
    shifted = shifted if shift is None else shifted + shift
    return (
        Parameter((weight * factor.reshape(shape)).to(weight.dtype).detach(), weight.requires_grad),
        Parameter(shifted.to(bias.dtype).detach(), bias.requires_grad),
    )


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """Weight and bias of a convolution that does what one followed by batch norm does.

    Args:
        conv_w, conv_b: the convolution's weight, and its bias or None.
        bn_rm, bn_rv, bn_eps: batch norm's running mean and variance, and its eps.
        bn_w, bn_b: its weight and bias, or None.
        transpose: whether the convolution is a transposed one.
    """
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of a linear layer that does what one followed by batch norm does; arguments as in `fuse_conv_bn_weights`."""
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(layer, bn, fuse, *options):
    if layer.training or bn.training:
        raise RuntimeError("fuse: both modules must be in evaluation mode; call eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError("fuse: batch norm has no running statistics")
    result = copy.deepcopy(layer)
    result.weight, result.bias = fuse(layer.weight, layer.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, *options)
    return result


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A convolution that does what `conv` followed by `bn` does, both in evaluation mode."""
    return _fused(conv, bn, fuse_conv_bn_weights, transpose)


def fuse_linear_bn_eval(linear, bn):
    """A linear layer that does what `linear` followed by `bn` does, both in evaluation mode."""
    if bn.num_features not in (1, linear.out_features):
        raise ValueError(f"fuse_linear_bn_eval: batch norm of {bn.num_features} features after {linear.out_features} outputs")
    return _fused(linear, bn, fuse_linear_bn_weights)
