"""Optimizers and learning-rate schedules."""

from . import lr_scheduler, swa_utils
from .kinds import LAMB, LBFGS, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Muon, NAdam, RAdam, RMSprop
from .optimizer import Optimizer

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LAMB", "LBFGS", "Lion", "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop", "SGD",
    "lr_scheduler", "swa_utils",
]
