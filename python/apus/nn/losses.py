"""Losses as modules."""

import inspect

from .. import _C
from . import functional as F
from .linear import PairwiseDistance
from .module import Module

__all__ = []


class _Loss(Module):
    """A loss without state but its options. A subclass names its function and options."""

    function = ""
    options = {}

    def __init__(self, *args, **keywords):
        super().__init__()
        bound = type(self).__signature__.bind(*args, **keywords)
        bound.apply_defaults()
        values = dict(bound.arguments)
        _check_reduction(type(self).__name__, values)
        for name, value in values.items():
            if name == "size_average" or name == "reduce":
                continue
            if isinstance(value, _C.Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *inputs):
        options = {name: getattr(self, name) for name in self.options if name not in ("size_average", "reduce")}
        return getattr(F, self.function)(*inputs, **options)


def _check_reduction(kind, values):
    """PyTorch's older options, and the names of the reductions."""
    average, reduce = values.pop("size_average", None), values.pop("reduce", None)
    if average is not None or reduce is not None:
        average, reduce = average is not False, reduce is not False
        values["reduction"] = "none" if not reduce else "mean" if average else "sum"
    if values.get("reduction", "mean") not in ("none", "mean", "sum", "batchmean"):
        raise ValueError(f"{kind}: reduction {values['reduction']!r} is none of 'none', 'mean', 'sum'")


def _loss(name, function, doc, **options):
    arguments = "\n".join(f"        {key}: {text}" for key, (_, text) in options.items())
    defaults = {key: default for key, (default, _) in options.items()}
    parameters = [inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default) for key, default in defaults.items()]
    members = {
        "function": function, "options": defaults, "__doc__": f"{doc}\n\n    Args:\n{arguments}\n    ", "__module__": __name__,
        "__signature__": inspect.Signature(parameters),
    }
    globals()[name] = type(name, (_Loss,), members)
    __all__.append(name)


_REDUCTION = ("mean", "what becomes of the losses of the elements: none, mean or sum")
_OLD = {"size_average": (None, "older form of reduction"), "reduce": (None, "older form of reduction"), "reduction": _REDUCTION}

_loss("L1Loss", "l1_loss", "|input - target|.", **_OLD)
_loss("MSELoss", "mse_loss", "(input - target)².", **_OLD)
_loss(
    "SmoothL1Loss", "smooth_l1_loss", "Quadratic for differences below beta, linear beyond.", **_OLD,
    beta=(1.0, "where the quadratic part ends"))
_loss(
    "HuberLoss", "huber_loss", "Quadratic for differences below delta, linear with slope delta beyond.", reduction=_REDUCTION,
    delta=(1.0, "where the quadratic part ends"))
_loss(
    "NLLLoss", "nll_loss", "−input[target]: the negative log-likelihood of the right class, from logarithms of probabilities.",
    weight=(None, "a number for each class"), size_average=(None, "older form of reduction"), ignore_index=(-100, "targets that don't count"),
    reduce=(None, "older form of reduction"), reduction=_REDUCTION)
_loss("BCELoss", "binary_cross_entropy", "Cross-entropy of probabilities and targets in 0..1.", weight=(None, "a number for each element"), **_OLD)
_loss(
    "BCEWithLogitsLoss", "binary_cross_entropy_with_logits", "Cross-entropy of sigmoid(input) and targets in 0..1, without overflow.",
    weight=(None, "a number for each element"), **_OLD, pos_weight=(None, "what positive targets are multiplied by"))
_loss(
    "PoissonNLLLoss", "poisson_nll_loss", "The negative log-likelihood of counts under a Poisson distribution.",
    log_input=(True, "whether input is the rate's logarithm"), full=(False, "whether Stirling's approximation is added"),
    size_average=(None, "older form of reduction"), eps=(1e-8, "what is added to the rate inside the logarithm"),
    reduce=(None, "older form of reduction"), reduction=_REDUCTION)
_loss(
    "KLDivLoss", "kl_div", "target (ln target - input): the divergence from input, which is a logarithm.",
    size_average=(None, "older form of reduction"), reduce=(None, "older form of reduction"),
    reduction=("mean", "none, mean, sum, or batchmean: the sum divided by the batch's size"), log_target=(False, "whether target is a logarithm too"))
_loss("HingeEmbeddingLoss", "hinge_embedding_loss", "input where target is 1, max(0, margin - input) where it is −1.", margin=(1.0, "the margin"), **_OLD)
_loss("MultiLabelMarginLoss", "multilabel_margin_loss", "Every right class above every wrong one by a margin of 1; target lists classes, then −1.", **_OLD)
_loss("SoftMarginLoss", "soft_margin_loss", "ln(1 + exp(−target · input)), target 1 or −1.", **_OLD)
_loss(
    "MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss", "The mean over classes of binary cross-entropies of logits.",
    weight=(None, "a number for each class"), **_OLD)
_loss(
    "CosineEmbeddingLoss", "cosine_embedding_loss", "1 - cosine where target is 1, max(0, cosine - margin) where it is −1.",
    margin=(0.0, "the margin"), **_OLD)
_loss("MarginRankingLoss", "margin_ranking_loss", "max(0, −target (input1 - input2) + margin), target 1 or −1.", margin=(0.0, "the margin"), **_OLD)
_loss(
    "MultiMarginLoss", "multi_margin_loss", "The right class above every other by a margin.", p=(1, "1 or 2: the power"),
    margin=(1.0, "the margin"), weight=(None, "a number for each class"), **_OLD)
_loss(
    "TripletMarginLoss", "triplet_margin_loss", "max(0, |anchor - positive| - |anchor - negative| + margin).", margin=(1.0, "the margin"),
    p=(2.0, "of the norm"), eps=(1e-6, "what is added to differences"), swap=(False, "whether positive and negative are compared as well"), **_OLD)
_loss(
    "CTCLoss", "ctc_loss", "The negative log-likelihood of label sequences under all alignments. Graves and others 2006.",
    blank=(0, "the blank's class"), reduction=_REDUCTION, zero_infinity=(False, "whether impossible targets count as 0"))
_loss(
    "GaussianNLLLoss", "gaussian_nll_loss", "The negative log-likelihood under normal distributions of given means and variances.",
    full=(False, "whether the constant is added"), eps=(1e-6, "the least variance"), reduction=_REDUCTION)
_loss(
    "SigmoidFocalLoss", "sigmoid_focal_loss", "Binary cross-entropy in which easy elements count less. Lin and others 2017.",
    alpha=(0.25, "the weight of positive targets"), gamma=(2.0, "how much less"), reduction=("none", "none, mean or sum"))


class CrossEntropyLoss(Module):
    """−ln softmax(input) of the right class, from logits.

    Args:
        weight: a number for each class.
        ignore_index: targets that don't count.
        reduction: what becomes of the samples' losses: none, mean or sum.
        label_smoothing: the share of the target that is spread over all classes.

    Shape: input [N, C, ...]; target [N, ...] of class numbers, or [N, C, ...] of probabilities, of floating point or one-hot integers.
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
        super().__init__()
        values = {"size_average": size_average, "reduce": reduce, "reduction": reduction}
        _check_reduction("CrossEntropyLoss", values)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing, self.reduction = ignore_index, label_smoothing, values["reduction"]

    def forward(self, input, target):
        if not target.is_floating_point() and target.dim() == input.dim() and target.shape == input.shape and input.dim() > 1:
            target = target.to(input.dtype)  # one-hot
        return F.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction, label_smoothing=self.label_smoothing)


class TripletMarginWithDistanceLoss(Module):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with a distance of one's own.

    Args:
        distance_function: of two tensors; `pairwise_distance` by default.
        margin, swap, reduction: as in `TripletMarginLoss`.
    """

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__()
        if margin <= 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: margin {margin} is not positive")
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap, self.reduction = margin, swap, reduction

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin, swap=self.swap, reduction=self.reduction)


__all__ += ["CrossEntropyLoss", "TripletMarginWithDistanceLoss"]
