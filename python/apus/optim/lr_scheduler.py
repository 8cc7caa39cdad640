"""Learning-rate schedules: each changes an optimizer's `lr` whenever its `step()` is called."""

import bisect
import math


class LRScheduler:
    """The base of all schedules. A subclass defines `get_lr`, which returns a rate for each parameter group.

    Args:
        optimizer: whose rates change.
        last_epoch: the steps that were taken already; −1 begins.
    """

    def __init__(self, optimizer, last_epoch=-1):
        self.optimizer, self.last_epoch = optimizer, last_epoch
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError("initial_lr is not in a parameter group, which a schedule that goes on needs")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._step_count = 0
        self._begin()

    def _begin(self):
        self.step()

    def get_lr(self):
        """The rates of this step."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def get_last_lr(self):
        """The rates in force."""
        return self._last_lr

    def step(self, epoch=None):
        """Goes on by one, or to a given step."""
        self._step_count += 1
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._put(self.get_lr() if epoch is None else self._rates_at(epoch))

    def _rates_at(self, epoch):
        return self._closed_form() if hasattr(self, "_closed_form") else self.get_lr()

    def _put(self, rates):
        for group, rate in zip(self.optimizer.param_groups, rates):
            group["lr"] = rate
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    @property
    def _rates(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """Everything but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name not in ("optimizer", "lr_lambdas", "schedulers", "_schedulers")}

    def load_state_dict(self, state_dict):
        """Takes what `state_dict` gave."""
        self.__dict__.update(state_dict)


_LRScheduler = LRScheduler


class LambdaLR(LRScheduler):
    """The first rate times a function of the step.

    Args:
        lr_lambda: the function, or one for each group.
    """

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        count = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * count
        if len(self.lr_lambdas) != count:
            raise ValueError(f"{type(self).__name__}: {len(self.lr_lambdas)} functions for {count} groups")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(LambdaLR):
    """The rate of the step before times a function of the step."""

    def get_lr(self):
        if self.last_epoch == 0:
            return self._rates
        return [rate * function(self.last_epoch) for rate, function in zip(self._rates, self.lr_lambdas)]


class StepLR(LRScheduler):
    """The rate times gamma every step_size steps."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._rates
        return [rate * self.gamma for rate in self._rates]

    def _closed_form(self):
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """The rate times gamma at given steps."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [rate * self.gamma ** self.milestones.count(self.last_epoch) for rate in self._rates]

    def _closed_form(self):
        return [base * self.gamma ** bisect.bisect_right(self.milestones, self.last_epoch) for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """The rate times factor for the first total_iters steps."""

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor {factor} is not in 0..1")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._rates]
        return [rate / self.factor for rate in self._rates] if self.last_epoch == self.total_iters else self._rates

    def _closed_form(self):
        return [base * (self.factor if self.last_epoch < self.total_iters else 1) for base in self.base_lrs]


class LinearLR(LRScheduler):
    """The rate times a factor that goes from start_factor to end_factor in total_iters steps."""

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: start_factor {start_factor} and end_factor {end_factor} are in 0..1, the first not 0")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return self._closed_form()

    def _closed_form(self):
        share = min(self.last_epoch, self.total_iters) / self.total_iters
        return [base * (self.start_factor + (self.end_factor - self.start_factor) * share) for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """The rate times gamma at each step."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return self._rates if self.last_epoch == 0 else [rate * self.gamma for rate in self._rates]

    def _closed_form(self):
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """The rate times (1 - step / total_iters)^power."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return self._closed_form()

    def _closed_form(self):
        share = 1 - min(self.last_epoch, self.total_iters) / self.total_iters
        return [base * share**self.power for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """From the first rate to eta_min along a cosine, in T_max steps, and back. Loshchilov and Hutter 2017."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return self._closed_form()

    def _closed_form(self):
        share = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine from the first rate to eta_min, again and again; each round T_mult times as long as the one before.

    Args:
        T_0: steps of the first round.
        T_mult: an integer from 1 on.
        eta_min: the least rate.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        if T_0 <= 0 or not isinstance(T_0, int) or T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"CosineAnnealingWarmRestarts: T_0 {T_0} and T_mult {T_mult} are integers from 1 on")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch=None):
        """Goes on by one, or to a given place, which may lie between steps."""
        self._step_count += 1
        epoch = self.last_epoch + 1 if epoch is None else epoch
        if epoch < 0:
            raise ValueError(f"step: {epoch} is negative")
        if self.T_mult == 1:
            self.T_i, self.T_cur = self.T_0, epoch % self.T_0
        else:
            rounds = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            first = self.T_0 * (self.T_mult**rounds - 1) / (self.T_mult - 1)
            self.T_i, self.T_cur = self.T_0 * self.T_mult**rounds, epoch - first
        self.last_epoch = math.floor(epoch)
        self._put(self.get_lr())


class CyclicLR(LRScheduler):
    """The rate between base_lr and max_lr, up and down. Smith 2017.

    Args:
        base_lr, max_lr: the least and the greatest rate; a number or one for each group.
        step_size_up, step_size_down: steps up, and down (as many by default).
        mode: triangular; triangular2 halves the range with each cycle; exp_range multiplies it by gamma with each step.
        gamma: see mode.
        scale_fn, scale_mode: a function of one's own for the range, of the cycle or of the iterations.
        cycle_momentum: whether momentum (or the first beta) goes the other way,
        base_momentum, max_momentum: between these.
    """

    def __init__(
        self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular", gamma=1.0, scale_fn=None,
        scale_mode="cycle", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1,
    ):
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"CyclicLR: mode {mode!r} is none of triangular, triangular2, exp_range")
        count = len(optimizer.param_groups)
        self.max_lrs = _per_group(max_lr, count, "max_lr")
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, _per_group(base_lr, count, "base_lr")):
                group["lr"] = group["initial_lr"] = rate
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size, self.step_ratio = float(step_size_up + down), step_size_up / (step_size_up + down)
        self.mode, self.gamma, self._scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self._momentum = _MomentumCycle(optimizer, cycle_momentum, base_momentum, max_momentum, last_epoch, "CyclicLR")
        super().__init__(optimizer, last_epoch)

    def _scale(self, x):
        if self._scale_fn is not None:
            return self._scale_fn(x)
        return {"triangular": 1.0, "triangular2": 1 / 2.0 ** (x - 1), "exp_range": self.gamma**x}[self.mode]

    def get_lr(self):
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        self._momentum.put(lambda low, high: high - (high - low) * height * scale)
        return [base + (high - base) * height * scale for base, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self):
        return {name: value for name, value in super().state_dict().items() if name not in ("_scale_fn", "_momentum")}


class OneCycleLR(LRScheduler):
    """From a low rate up to max_lr and down to a much lower one, once. Smith and Topin 2019.

    Args:
        max_lr: the greatest rate; a number or one for each group.
        total_steps: how many steps, or
        epochs, steps_per_epoch: their factors.
        pct_start: the share of the steps that goes up.
        anneal_strategy: cos or linear.
        cycle_momentum, base_momentum, max_momentum: as in `CyclicLR`.
        div_factor: max_lr divided by the first rate.
        final_div_factor: the first rate divided by the last.
        three_phase: whether the way down has two parts.
    """

    def __init__(
        self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy="cos",
        cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=1e4, three_phase=False, last_epoch=-1,
    ):
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: total_steps, or epochs and steps_per_epoch, are needed")
            total_steps = epochs * steps_per_epoch
        if not isinstance(total_steps, int) or total_steps <= 0:
            raise ValueError(f"OneCycleLR: total_steps {total_steps} is no integer from 1 on")
        if not 0 <= pct_start <= 1 or anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: pct_start {pct_start} is in 0..1, anneal_strategy {anneal_strategy!r} 'cos' or 'linear'")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        if three_phase:
            self._phases = [
                (pct_start * total_steps - 1, "initial_lr", "max_lr", False), (2 * pct_start * total_steps - 2, "max_lr", "initial_lr", True),
                (total_steps - 1, "initial_lr", "min_lr", None),
            ]
        else:
            self._phases = [(pct_start * total_steps - 1, "initial_lr", "max_lr", False), (total_steps - 1, "max_lr", "min_lr", True)]
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, _per_group(max_lr, len(optimizer.param_groups), "max_lr")):
                group["initial_lr"] = rate / div_factor
                group["max_lr"], group["min_lr"] = rate, group["initial_lr"] / final_div_factor
        self._momentum = _MomentumCycle(optimizer, cycle_momentum, base_momentum, max_momentum, last_epoch, "OneCycleLR")
        super().__init__(optimizer, last_epoch)

    def _between(self, start, end, share):
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share)) if self.anneal_strategy == "cos" else start + (end - start) * share

    def get_lr(self):
        step, first = self.last_epoch, 0.0
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step} of {self.total_steps}")
        for i, (last, start, end, falls) in enumerate(self._phases):
            if step <= last or i == len(self._phases) - 1:
                share = (step - first) / (last - first)
                if falls is None:
                    self._momentum.put(lambda low, high: high)
                elif falls:
                    self._momentum.put(lambda low, high: self._between(low, high, share))
                else:
                    self._momentum.put(lambda low, high: self._between(high, low, share))
                return [self._between(group[start], group[end], share) for group in self.optimizer.param_groups]
            first = last

    def state_dict(self):
        return {name: value for name, value in super().state_dict().items() if name != "_momentum"}


class _MomentumCycle:
    """Momentum (or Adam's first beta) that goes the way against the rate."""

    def __init__(self, optimizer, cycles, low, high, last_epoch, kind):
        self._optimizer, self._cycles = optimizer, cycles
        if not cycles:
            return
        self._is_beta = "betas" in optimizer.param_groups[0]
        if not self._is_beta and "momentum" not in optimizer.param_groups[0]:
            raise ValueError(f"{kind}: the optimizer has neither momentum nor betas; pass cycle_momentum=False")
        count = len(optimizer.param_groups)
        self._lows, self._highs = _per_group(low, count, "base_momentum"), _per_group(high, count, "max_momentum")

    def put(self, value):
        if not self._cycles:
            return
        for group, low, high in zip(self._optimizer.param_groups, self._lows, self._highs):
            if self._is_beta:
                group["betas"] = (value(low, high), *group["betas"][1:])
            else:
                group["momentum"] = value(low, high)


def _per_group(value, count, name):
    values = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ValueError(f"{name}: one number or {count}, not {len(values)}")
    return values


class SequentialLR(LRScheduler):
    """Schedules one after the other.

    Args:
        schedulers: of one optimizer.
        milestones: the steps at which the next one takes over.
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(schedulers) < 1 or len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} milestones, not {len(milestones)}")
        if any(schedule.optimizer is not optimizer for schedule in schedulers):
            raise ValueError("SequentialLR: the schedules belong to other optimizers")
        self._schedulers, self._milestones, self.optimizer = list(schedulers), list(milestones), optimizer
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        # The schedules stepped when they were made.
        for schedule in self._schedulers:
            schedule.last_epoch -= 1
        self._schedulers[0].step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self):
        """Goes on by one."""
        self.last_epoch += 1
        number = bisect.bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[number]
        if number > 0 and self._milestones[number - 1] == self.last_epoch:
            schedule.step(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()

    def state_dict(self):
        state = super().state_dict()
        state["_schedulers"] = [schedule.state_dict() for schedule in self._schedulers]
        return state

    def load_state_dict(self, state_dict):
        state = dict(state_dict)
        for schedule, own in zip(self._schedulers, state.pop("_schedulers")):
            schedule.load_state_dict(own)
        self.__dict__.update(state)


class ChainedScheduler(LRScheduler):
    """Schedules that all step at once, one after the other."""

    def __init__(self, schedulers, optimizer=None):
        if not schedulers:
            raise ValueError("ChainedScheduler: there are no schedules")
        self.optimizer = optimizer or schedulers[0].optimizer
        if any(schedule.optimizer is not self.optimizer for schedule in schedulers):
            raise ValueError("ChainedScheduler: the schedules belong to several optimizers")
        self._schedulers = list(schedulers)
        self._last_lr = self._rates

    def step(self):
        """Goes on by one."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = self._rates

    state_dict = SequentialLR.state_dict
    load_state_dict = SequentialLR.load_state_dict


class ReduceLROnPlateau(LRScheduler):
    """The rate times factor whenever a figure has not become better for patience steps.

    Args:
        mode: min or max: what is better.
        factor: below 1.
        patience: steps without improvement that are borne.
        threshold, threshold_mode: the least improvement: a share (rel) or a difference (abs).
        cooldown: steps after a reduction in which nothing is counted.
        min_lr: the least rate; a number or one for each group.
        eps: smaller changes are not made.
    """

    def __init__(
        self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0, eps=1e-8
    ):
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor {factor} is not below 1")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: mode {mode!r} is 'min' or 'max', threshold_mode {threshold_mode!r} 'rel' or 'abs'")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs = _per_group(min_lr, len(optimizer.param_groups), "min_lr")
        self.last_epoch = 0
        self._last_lr = self._rates
        self._reset()

    def _reset(self):
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = 0

    def is_better(self, a, best):
        """Whether a figure is an improvement."""
        if self.mode == "min":
            return a < (best * (1.0 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return a > (best * (1.0 + self.threshold) if self.threshold_mode == "rel" else best + self.threshold)

    def step(self, metrics, epoch=None):
        """Looks at a figure."""
        figure = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(figure, self.best):
            self.best, self.num_bad_epochs = figure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            rates = [max(rate * self.factor, least) for rate, least in zip(self._rates, self.min_lrs)]
            self._put([new if rate - new > self.eps else rate for new, rate in zip(rates, self._rates)])
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates
