"""Mixed precision: `autocast`, and `GradScaler` for gradients of float16."""

from .. import _C
from .._modes import autocast

__all__ = ["GradScaler", "autocast"]


class GradScaler:
    """Multiplies the loss so that small gradients survive float16, and leaves out steps whose gradients have overflowed.

        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    Args:
        device: "cpu".
        init_scale: the factor at the start.
        growth_factor: by how much it grows after growth_interval good steps in a row.
        backoff_factor: by how much it shrinks after an overflow.
        growth_interval: see growth_factor.
        enabled: False makes everything pass through.
    """

    def __init__(self, device="cpu", init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        if growth_factor <= 1 or not 0 < backoff_factor < 1:
            raise ValueError("GradScaler: growth_factor is greater than 1, backoff_factor between 0 and 1")
        self._scale, self._growth_factor, self._backoff_factor = float(init_scale), growth_factor, backoff_factor
        self._growth_interval, self._enabled, self._growth_tracker = growth_interval, enabled, 0
        self._found = {}

    def is_enabled(self):
        """Whether it scales."""
        return self._enabled

    def get_scale(self):
        """The factor."""
        return self._scale if self._enabled else 1.0

    def scale(self, outputs):
        """A tensor, or each of several, times the factor."""
        if isinstance(outputs, _C.Tensor):
            return outputs * self._scale if self._enabled else outputs
        return type(outputs)(self.scale(output) for output in outputs)

    def unscale_(self, optimizer):
        """Divides the gradients by the factor, once between two updates: for clipping before `step`."""
        if not self._enabled:
            return
        if id(optimizer) in self._found:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        has_overflow = False
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad.detach() / self._scale
                    has_overflow = has_overflow or not bool(parameter.grad.isfinite().all())
        self._found[id(optimizer)] = has_overflow

    def step(self, optimizer, *args, **kwargs):
        """The optimizer's step, unless a gradient is infinite or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale=None):
        """Moves the factor: down after an overflow, up after enough good steps."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif any(self._found.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found = {}

    def state_dict(self):
        """Factor and counters."""
        if not self._enabled:
            return {}
        return {"scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker}

    def load_state_dict(self, state_dict):
        """Takes back what `state_dict` gave."""
        if self._enabled:
            self._scale, self._growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
            self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
            self._growth_interval = state_dict["growth_interval"]
