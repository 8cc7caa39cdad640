"""Averages of a model's parameters over its training."""

import copy
import math

from .. import _C
from .._modes import no_grad
from ..nn.module import Module
from .lr_scheduler import LRScheduler


def get_ema_multi_avg_fn(decay=0.999):
    """An exponential moving average: `decay` of the average stays."""
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"decay {decay} is not in 0..1")

    def update(averages, values, count):
        for average, value in zip(averages, values):
            if average.is_floating_point():
                average.data = average.detach() * decay + value.detach() * (1 - decay)
            else:
                average.data = value.detach().clone()

    return update


def get_swa_multi_avg_fn():
    """The mean of all that was seen."""

    def update(averages, values, count):
        for average, value in zip(averages, values):
            if average.is_floating_point():
                average.data = average.detach() + (value.detach() - average.detach()) / (count + 1)
            else:
                average.data = value.detach().clone()

    return update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    Args:
        model: what is trained.
        avg_fn: a function of an average, a value and the number of values so far, or
        multi_avg_fn: the same for lists, which changes the averages; the mean by default.
        use_buffers: whether buffers are averaged too; they are copied otherwise.
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: only one of avg_fn and multi_avg_fn")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", _C.tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Takes the model's present parameters into the averages."""
        averages, values = list(self.module.parameters()), list(model.parameters())
        if self.use_buffers:
            averages, values = averages + list(self.module.buffers()), values + list(model.buffers())
        count = int(self.n_averaged.item())
        with no_grad():
            if count == 0:
                for average, value in zip(averages, values):
                    average.data = value.detach().clone()
            elif self.avg_fn is not None:
                for average, value in zip(averages, values):
                    average.data = self.avg_fn(average.detach(), value.detach(), count)
            else:
                (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, count)
            if not self.use_buffers:
                for average, value in zip(self.module.buffers(), model.buffers()):
                    average.data = value.detach().clone()
            self.n_averaged.add_(1)


class SWALR(LRScheduler):
    """Goes to a rate within some steps and stays there.

    Args:
        swa_lr: the rate; a number or one for each group.
        anneal_epochs: steps until then.
        anneal_strategy: cos or linear.
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy {anneal_strategy!r} is neither 'cos' nor 'linear'")
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(optimizer.param_groups)
        for rate, group in zip(rates, optimizer.param_groups):
            group["swa_lr"] = rate
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, step):
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self.anneal_strategy == "cos" else t

    def get_lr(self):
        # What the last step mixed in is taken out again: others may have changed the rate in between.
        step = self.last_epoch if self.anneal_epochs > 0 else max(1, self.last_epoch)
        before, now = self._share(max(0, step - 1)), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            start = group["lr"] if before == 1 else (group["lr"] - before * group["swa_lr"]) / (1 - before)
            rates.append(group["swa_lr"] * now + start * (1 - now))
        return rates


def update_bn(loader, model, device=None):
    """Runs a model over data so that its batch norms' averages are those of its present parameters."""
    norms = [module for module in model.modules() if hasattr(module, "reset_running_stats") and getattr(module, "track_running_stats", False)]
    if not norms:
        return
    was_training, momenta = model.training, [norm.momentum for norm in norms]
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with no_grad():
        for batch in loader:
            model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.train(was_training)
