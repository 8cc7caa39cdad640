"""Optimizers: parameter groups and state on this side, the arithmetic in the library, one pass over memory for each parameter."""

import collections
import copy
import itertools

from .. import _C
from .._modes import enable_grad
from ..nn.module import _Hooks


class Optimizer:
    """The base of all optimizers.

    A subclass of the library's own names its `kind` and gives `defaults`; one of your own defines `step`, with the parameters in
    `param_groups` and whatever it remembers in `state`.

    Args:
        params: tensors, pairs of names and tensors, or dictionaries: groups with `params` and options of their own.
        defaults: the options of groups that don't have them.
    """

    kind = None
    # Whether what is remembered belongs to all parameters together; it stands with the first then, as in PyTorch.
    _remembers_as_a_whole = False

    def __init__(self, params, defaults):
        if isinstance(params, _C.Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor")
        self.defaults, self.param_groups, self.state = dict(defaults), [], collections.defaultdict(dict)
        self._before, self._after, self._bound = _Hooks(), _Hooks(), None
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        """Adds a group of parameters, with the optimizer's options where it has none of its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        group = dict(param_group)
        params = group.get("params")
        params = [params] if isinstance(params, _C.Tensor) else list(params)
        if params and isinstance(params[0], tuple):
            group["param_names"], params = [name for name, _ in params], [tensor for _, tensor in params]
        for tensor in params:
            if not isinstance(tensor, _C.Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(tensor).__name__}")
            if not tensor.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        known = {id(tensor) for own in self.param_groups for tensor in own["params"]}
        if len({id(tensor) for tensor in params}) != len(params) or any(id(tensor) in known for tensor in params):
            raise ValueError("some parameters appear in more than one parameter group, or twice in one")
        group["params"] = params
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self.param_groups.append(group)
        state = self._saved() if self._bound is not None else None
        self._bound = None
        if state is not None:
            self._restore(state)

    def zero_grad(self, set_to_none=True):
        """Forgets the gradients, or sets those that there are to 0."""
        for group in self.param_groups:
            for tensor in group["params"]:
                if set_to_none:
                    tensor.grad = None
                elif tensor.grad is not None:
                    tensor.grad = tensor.grad.detach() * 0

    def step(self, closure=None):
        """Takes a step with every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients; called first. Its result is returned.
        """
        if self.kind is None:
            raise NotImplementedError(f"{type(self).__name__} does not define step")
        for hook in list(self._before.values()):
            hook(self, (closure,), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        _C.optimizer_step(self._handle, self._values())
        for hook in list(self._after.values()):
            hook(self, (closure,), {})
        return loss

    def register_step_pre_hook(self, hook):
        """`hook(optimizer, args, kwargs)` before each step."""
        return self._before.add(hook)

    def register_step_post_hook(self, hook):
        """`hook(optimizer, args, kwargs)` after each step."""
        return self._after.add(hook)

    # The library's side

    @property
    def _handle(self):
        if self._bound is None:
            self._bound, names = _C.make_optimizer(self._kind(), [group["params"] for group in self.param_groups])
            self._names = names.split(",")
        return self._bound

    def _kind(self):
        return self.kind

    def _values(self):
        """The options of all groups as numbers, in the library's order."""
        self._handle
        return [self._number(group, name) for group in self.param_groups for name in self._names]

    @staticmethod
    def _number(group, name):
        if name == "beta1":
            return group["betas"][0]
        if name == "beta2":
            return group["betas"][1]
        base, dot, index = name.partition(".")
        value = group[base][int(index)] if dot else group[name]
        return float(value)

    # State

    def _saved(self):
        """What the library remembers: for each parameter, in the order of all groups, its step and tensors; and what belongs to none."""
        tensors, text = _C.optimizer_state(self._handle)
        lines = text.split("\n") if text else []
        found = dict(zip(lines, tensors))
        for line in lines[len(found) :]:
            name, _, number = line.partition("=")
            found[name] = float(number)
        return {name: value for name, value in found.items() if not name.startswith("groups.")}

    def _restore(self, saved):
        self._handle
        numbers = {f"groups.{i}.parameters": len(group["params"]) for i, group in enumerate(self.param_groups)}
        for i, group in enumerate(self.param_groups):
            numbers.update({f"groups.{i}.{name}": self._number(group, name) for name in self._names})
        tensors = {name: value for name, value in saved.items() if isinstance(value, _C.Tensor)}
        numbers.update({name: value for name, value in saved.items() if name not in tensors})
        text = "\n".join(list(tensors) + [f"{name}={float(number)!r}" for name, number in numbers.items()])
        _C.optimizer_set_state(self._handle, list(tensors.values()), text, self._values())

    def _sync(self):
        """Brings `state` up to date: PyTorch's names, by parameter."""
        if self.kind is None:
            return
        parameters = list(itertools.chain.from_iterable(group["params"] for group in self.param_groups))
        self.state = collections.defaultdict(dict)
        for name, value in self._saved().items():
            place, _, key = name.removeprefix("state.").partition(".")
            if name.startswith("state.") and place.isdigit():
                self.state[parameters[int(place)]][key] = _C.tensor(value) if key == "step" else value
            else:
                self.state[parameters[0]][name] = value

    def state_dict(self):
        """Options and what is remembered, with parameters by number: what `load_state_dict` takes, here and in PyTorch."""
        self._sync()
        numbers, groups = {}, []
        for group in self.param_groups:
            for tensor in group["params"]:
                numbers.setdefault(id(tensor), len(numbers))
            options = {name: value for name, value in group.items() if name != "params"}
            groups.append({**options, "params": [numbers[id(tensor)] for tensor in group["params"]]})
        state = {numbers[id(key)] if isinstance(key, _C.Tensor) else key: dict(value) for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Goes on where another optimizer was."""
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(f"loaded state dict has {len(groups)} parameter groups, the optimizer {len(self.param_groups)}")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, self.param_groups)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        for own, given in zip(self.param_groups, groups):
            own.update(copy.deepcopy({name: value for name, value in given.items() if name != "params"}))
        places, order = {}, itertools.count()
        for given in groups:
            for number in given["params"]:
                places[number] = next(order)
        if self.kind is None:
            parameters = list(itertools.chain.from_iterable(group["params"] for group in self.param_groups))
            self.state = collections.defaultdict(dict, {
                parameters[places[key]] if key in places else key: copy.deepcopy(value) for key, value in state_dict["state"].items()
            })
            return
        saved = {}
        for number, values in state_dict["state"].items():
            for key, value in values.items():
                if value is None:
                    continue
                name = key if self._remembers_as_a_whole else f"state.{places[number]}.{key}"
                saved[name] = float(value) if key == "step" or not isinstance(value, _C.Tensor) else value
        self._restore(saved)

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name not in ("params", "param_names")]
        return "\n".join(lines + [")"])

    def __getstate__(self):
        return {"defaults": self.defaults, "state_dict": self.state_dict(), "params": [group["params"] for group in self.param_groups]}

    def __setstate__(self, saved):
        self.defaults, self.state = saved["defaults"], collections.defaultdict(dict)
        self._before, self._after, self._bound = _Hooks(), _Hooks(), None
        groups = saved["state_dict"]["param_groups"]
        self.param_groups = [{**group, "params": params} for group, params in zip(groups, saved["params"])]
        self.load_state_dict(saved["state_dict"])

    def set_lr(self, lr):
        """Sets the rate of all groups."""
        for group in self.param_groups:
            group["lr"] = lr
