"""Dropout."""

from . import functional as F
from .module import Module


class _Dropout(Module):
    function = ""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p {p} is not in 0..1")
        self.p, self.inplace = p, inplace

    def forward(self, input):
        return getattr(F, self.function)(input, self.p, self.training)

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


__all__ = []
for _name, _function, _doc in (
    ("Dropout", "dropout", "In training sets elements to 0 with probability p and multiplies the others by 1 / (1 - p)."),
    ("Dropout1d", "dropout1d", "Dropout of whole channels of [N, C, L] or [C, L]."),
    ("Dropout2d", "dropout2d", "Dropout of whole channels of [N, C, H, W] or [C, H, W]."),
    ("Dropout3d", "dropout3d", "Dropout of whole channels of [N, C, D, H, W] or [C, D, H, W]."),
    ("AlphaDropout", "alpha_dropout", "Dropout that keeps mean and variance of what SELU makes."),
    ("FeatureAlphaDropout", "feature_alpha_dropout", "AlphaDropout of whole channels."),
):
    _text = f"{_doc}\n\n    Args:\n        p: the probability.\n        inplace: accepted and of no account.\n    "
    globals()[_name] = type(_name, (_Dropout,), {"function": _function, "__doc__": _text, "__module__": __name__})
    __all__.append(_name)
