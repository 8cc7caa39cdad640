"""The library's optimizers."""

from .. import _C
from .._modes import enable_grad
from .optimizer import Optimizer


def _checked(kind, **options):
    """The options, each of which is not negative; betas are below 1."""
    for name, value in options.items():
        if name == "betas":
            if len(value) != 2 or not all(0.0 <= beta < 1.0 for beta in value):
                raise ValueError(f"{kind}: invalid betas: {value}")
        elif not isinstance(value, (bool, str, tuple, type(None))) and not float(value) >= 0.0:
            raise ValueError(f"{kind}: invalid {name}: {value}")
    return options


class SGD(Optimizer):
    """Gradient descent, with momentum: v = momentum · v + g, p = p − lr · v.

    Args:
        params: what to train.
        lr: the step size.
        momentum: the share of the last direction that stays.
        dampening: how much less the new gradient counts.
        weight_decay: times the parameter is added to its gradient.
        nesterov: whether the gradient counts once more behind the momentum.
        maximize: up instead of down.
    """

    kind = "SGD"

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False, foreach=None,
        differentiable=False, fused=None,
    ):
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, _checked(
            "SGD", lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov, maximize=maximize))


class Adam(Optimizer):
    """Steps by running means of the gradient and its square. Kingma and Ba 2015.

    Args:
        params: what to train.
        lr: the step size.
        betas: what stays of the two means.
        eps: what is added to the divisor.
        weight_decay: times the parameter is added to its gradient, or, decoupled, to its step.
        amsgrad: divide by the greatest mean so far.
        maximize: up instead of down.
        decoupled_weight_decay: see weight_decay.
    """

    kind = "Adam"

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False, fused=None, decoupled_weight_decay=False,
    ):
        self._is_decoupled = decoupled_weight_decay
        super().__init__(params, _checked(
            type(self).__name__, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize))

    def _kind(self):
        return "Adam decoupled" if self._is_decoupled and self.kind == "Adam" else self.kind


class AdamW(Adam):
    """Adam with decoupled weight decay. Loshchilov and Hutter 2019.

    Args: as in `Adam`.
    """

    kind = "AdamW"

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False, foreach=None,
        capturable=False, differentiable=False, fused=None,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squares. Tieleman and Hinton 2012.

    Args:
        params: what to train.
        lr: the step size.
        alpha: what stays of the mean.
        eps: what is added to the divisor.
        weight_decay: times the parameter is added to its gradient.
        momentum: the share of the last step that stays.
        centered: whether the mean gradient is taken off the mean square.
        maximize: up instead of down.
    """

    kind = "RMSprop"

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, capturable=False, foreach=None,
        maximize=False, differentiable=False,
    ):
        super().__init__(params, _checked(
            "RMSprop", lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered, maximize=maximize))


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squares. Duchi and others 2011.

    Args:
        params: what to train.
        lr: the step size.
        lr_decay: how it falls with the steps.
        weight_decay: times the parameter is added to its gradient.
        initial_accumulator_value: what the sum begins with.
        eps: what is added to the divisor.
        maximize: up instead of down.
    """

    kind = "Adagrad"

    def __init__(
        self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, *, maximize=False,
        differentiable=False, fused=None,
    ):
        super().__init__(params, _checked(
            "Adagrad", lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value,
            maximize=maximize))


class Adadelta(Optimizer):
    """Steps in units of earlier steps. Zeiler 2012.

    Args:
        params: what to train.
        lr: what steps are multiplied by.
        rho: what stays of the means.
        eps: what is added inside the roots.
        weight_decay: times the parameter is added to its gradient.
        maximize: up instead of down.
    """

    kind = "Adadelta"

    def __init__(
        self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False, maximize=False, differentiable=False
    ):
        super().__init__(params, _checked("Adadelta", lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize))


class Adamax(Optimizer):
    """Adam with the greatest gradient instead of the mean square. Kingma and Ba 2015.

    Args: as in `Adam`.
    """

    kind = "Adamax"

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *, maximize=False, differentiable=False,
        capturable=False,
    ):
        super().__init__(params, _checked("Adamax", lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize))


class NAdam(Optimizer):
    """Adam with Nesterov's momentum. Dozat 2016.

    Args: as in `Adam`, and
        momentum_decay: how the momentum grows.
    """

    kind = "NAdam"

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3, decoupled_weight_decay=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False,
    ):
        super().__init__(params, _checked(
            "NAdam", lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize))


class RAdam(Optimizer):
    """Adam whose first steps, in which the mean square says little, go without it. Liu and others 2020.

    Args: as in `Adam`.
    """

    kind = "RAdam"

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *, foreach=None, maximize=False,
        capturable=False, differentiable=False,
    ):
        super().__init__(params, _checked(
            "RAdam", lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize))


class Lion(Optimizer):
    """Steps of one size in the direction of the momentum's sign. Chen and others 2023.

    Args:
        params: what to train.
        lr: the step size.
        betas: the share of the momentum in the direction, and what stays of it.
        weight_decay: times the parameter is added to its step.
        maximize: up instead of down.
    """

    kind = "Lion"

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, *, maximize=False):
        super().__init__(params, _checked("Lion", lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))


class LAMB(Optimizer):
    """Adam with steps in proportion to each parameter's norm, for large batches. You and others 2020.

    Args: as in `Adam`.
    """

    kind = "LAMB"

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=1e-2, *, maximize=False):
        super().__init__(params, _checked("LAMB", lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize))


class Muon(Optimizer):
    """Momentum made orthogonal, for matrices. Jordan and others 2024.

    Args:
        params: matrices.
        lr: the step size.
        weight_decay: times the parameter is added to its step.
        momentum: what stays of the last direction.
        nesterov: whether the gradient counts once more behind the momentum.
        ns_coefficients, ns_steps: of the iteration that makes matrices orthogonal.
        eps: what is added to norms.
        adjust_lr_fn: `original` (or None) or `match_rms_adamw`: how the step size depends on the matrix's shape.
    """

    kind = "Muon"

    def __init__(
        self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5,
        adjust_lr_fn=None,
    ):
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Muon: adjust_lr_fn {adjust_lr_fn!r} is neither 'original' nor 'match_rms_adamw'")
        super().__init__(params, _checked(
            "Muon", lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov, ns_coefficients=tuple(ns_coefficients), eps=eps,
            ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn))

    def add_param_group(self, param_group):
        super().add_param_group(param_group)
        for tensor in self.param_groups[-1]["params"]:
            if tensor.dim() != 2:
                self.param_groups.pop()
                raise ValueError(f"Muon only supports 2D parameters, but got {list(tensor.shape)}")

    @staticmethod
    def _number(group, name):
        if name == "adjust_lr_fn":
            return 1.0 if group[name] == "match_rms_adamw" else 0.0
        return Optimizer._number(group, name)


class LBFGS(Optimizer):
    """A quasi-Newton method with a short memory. Nocedal 1980.

    `step` needs a closure, which it calls several times.

    Args:
        params: what to train, one group.
        lr: the step size.
        max_iter: iterations of a step.
        max_eval: calls of the closure in a step; max_iter · 1.25 by default.
        tolerance_grad, tolerance_change: when a step ends early.
        history_size: how many earlier steps are remembered.
        line_search_fn: None or `strong_wolfe`.
    """

    kind = "LBFGS"
    _remembers_as_a_whole = True

    def __init__(
        self, params, lr=1.0, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100, line_search_fn=None
    ):
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError(f"LBFGS: line_search_fn {line_search_fn!r} is neither None nor 'strong_wolfe'")
        super().__init__(params, _checked(
            "LBFGS", lr=lr, max_iter=max_iter, max_eval=max_iter * 5 // 4 if max_eval is None else max_eval, tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure):
        """Takes a step; `closure` computes the loss and its gradients. Returns the first loss."""

        def loss():
            with enable_grad():
                value = closure()
            return value if isinstance(value, _C.Tensor) else _C.tensor(float(value))

        return _C.optimizer_step_with(self._handle, self._values(), loss)

    @staticmethod
    def _number(group, name):
        if name == "line_search_fn":
            return 1.0 if group[name] == "strong_wolfe" else 0.0
        return Optimizer._number(group, name)
