"""The base of all layers and networks."""

import collections
import itertools

from .. import _C
from .._tensor import RemovableHandle
from .parameter import Buffer, Parameter


class _Hooks(dict):
    """Functions by number; `add` returns the handle that takes one away."""

    _numbers = itertools.count()

    def add(self, hook, prepend=False):
        if not callable(hook):
            raise TypeError(f"hook: {type(hook).__name__} cannot be called")
        number = next(self._numbers)
        self[number] = hook
        if prepend:
            rest = {key: self.pop(key) for key in list(self) if key != number}
            self.update(rest)
        return RemovableHandle(lambda: self.pop(number, None))


IncompatibleKeys = collections.namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])


def _keys_text(self):
    if not self.missing_keys and not self.unexpected_keys:
        return "<All keys matched successfully>"
    return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


IncompatibleKeys.__repr__ = IncompatibleKeys.__str__ = _keys_text


class Module:
    """A layer or a network: parameters, buffers and other modules, and a `forward` that computes with them.

    Attributes that are `Parameter`s, buffers or modules are found by `parameters()`, `state_dict()` and all the others here.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(784, 128)
                self.output = nn.Linear(128, 10)

            def forward(self, x):
                return self.output(self.hidden(x).relu())

    Calling the module, `net(x)`, runs `forward` and the hooks around it.
    """

    training: bool
    _version = 1

    def __init__(self):
        for name, value in (
            ("training", True), ("_parameters", {}), ("_buffers", {}), ("_unsaved", set()), ("_modules", {}), ("_forward_pre_hooks", _Hooks()),
            ("_forward_hooks", _Hooks()), ("_backward_hooks", _Hooks()), ("_backward_pre_hooks", _Hooks()), ("_state_hooks", _Hooks()),
            ("_load_hooks", _Hooks()), ("_loaded_hooks", _Hooks()),
        ):
            object.__setattr__(self, name, value)

    def forward(self, *inputs):
        """What the module computes: to be defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    # Calling

    def __call__(self, *inputs, **keywords):
        if not (self._forward_pre_hooks or self._forward_hooks or self._backward_hooks or self._backward_pre_hooks):
            return self.forward(*inputs, **keywords)
        return self._call_with_hooks(inputs, keywords)

    def _call_with_hooks(self, inputs, keywords):
        for hook in list(self._forward_pre_hooks.values()):
            if getattr(hook, "_takes_keywords", False):
                changed = hook(self, inputs, keywords)
                if changed is not None:
                    inputs, keywords = changed
            else:
                changed = hook(self, inputs)
                if changed is not None:
                    inputs = changed if isinstance(changed, tuple) else (changed,)
        if self._backward_hooks or self._backward_pre_hooks:
            result = self._watched(inputs, keywords)
        else:
            result = self.forward(*inputs, **keywords)
        for hook in list(self._forward_hooks.values()):
            if getattr(hook, "_takes_keywords", False):
                changed = hook(self, inputs, keywords, result)
            else:
                changed = hook(self, inputs, result)
            result = result if changed is None else changed
        return result

    def _watched(self, inputs, keywords):
        """Runs forward so that the gradients that come in and go out are seen by the backward hooks."""
        seen = {"in": [None] * len(inputs)}
        tracked = [i for i, x in enumerate(inputs) if isinstance(x, _C.Tensor) and x.requires_grad]
        # A view of each input, whose gradient is this module's alone.
        inputs = list(inputs)
        for i in tracked:
            inputs[i] = inputs[i].view_as(inputs[i])
        result = self.forward(*inputs, **keywords)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        outputs = [i for i, y in enumerate(results) if isinstance(y, _C.Tensor) and y.requires_grad]
        seen["out"] = [None] * len(results)
        waiting = set(tracked)

        def finish():
            changed = None
            for hook in list(self._backward_hooks.values()):
                given = hook(self, tuple(seen["in"]), tuple(seen["out"]))
                if given is not None:
                    given = given if isinstance(given, tuple) else (given,)
                    seen["in"], changed = list(given), given
            return changed

        def left(i):
            def hook(gradient):
                seen["in"][i] = gradient
                waiting.discard(i)
                if waiting:
                    return None
                waiting.update(tracked)
                changed = finish()
                return changed[i] if changed is not None else None

            return hook

        def entered(i):
            def hook(gradient):
                seen["out"][i] = gradient
                for before in list(self._backward_pre_hooks.values()):
                    given = before(self, tuple(seen["out"]))
                    if given is not None:
                        seen["out"] = list(given) if isinstance(given, tuple) else [given]
                if not tracked and i == outputs[0]:
                    finish()
                return seen["out"][i]

            return hook

        for i in tracked:
            inputs[i].register_hook(left(i))
        for i in outputs:
            results[i].register_hook(entered(i))
        return result

    # Attributes

    def __setattr__(self, name, value):
        parameters, modules, buffers = self.__dict__.get("_parameters"), self.__dict__.get("_modules"), self.__dict__.get("_buffers")
        if parameters is None:
            if isinstance(value, (Parameter, Module, Buffer)):
                raise AttributeError(f"cannot assign {name} before Module.__init__() call")
            return object.__setattr__(self, name, value)
        if isinstance(value, Parameter):
            self._forget(name, parameters)
            parameters[name] = value
        elif isinstance(value, Module):
            self._forget(name, modules)
            modules[name] = value
        elif isinstance(value, Buffer):
            self._forget(name, buffers)
            self.register_buffer(name, value, value.persistent)
        elif name in parameters:
            if value is not None:
                raise TypeError(f"cannot assign '{type(value).__name__}' as parameter '{name}' (nn.Parameter or None expected)")
            parameters[name] = None
        elif name in modules:
            if value is not None:
                raise TypeError(f"cannot assign '{type(value).__name__}' as child module '{name}' (nn.Module or None expected)")
            modules[name] = None
        elif name in buffers:
            if value is not None and not isinstance(value, _C.Tensor):
                raise TypeError(f"cannot assign '{type(value).__name__}' as buffer '{name}' (a tensor or None expected)")
            buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name, keeper):
        """Takes a name away from wherever else it is."""
        self.__dict__.pop(name, None)
        for holder in (self._parameters, self._modules, self._buffers):
            if holder is not keeper:
                holder.pop(name, None)

    def __getattr__(self, name):
        for holder in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(holder)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name):
        for holder in (self._parameters, self._buffers, self._modules):
            if name in holder:
                del holder[name]
                self._unsaved.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _check_name(self, name, kind):
        if not isinstance(name, str):
            raise TypeError(f"{kind} name: a string, not {type(name).__name__}")
        if "." in name or name == "":
            raise KeyError(f"{kind} name {name!r}: not empty and without '.'")
        if hasattr(self, name) and name not in self._parameters and name not in self._buffers and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name, param):
        """Adds a parameter, or a place for one (None)."""
        self._check_name(name, "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{type(param).__name__}' as parameter '{name}' (nn.Parameter or None expected)")
        self._parameters[name] = param

    def register_buffer(self, name, tensor, persistent=True):
        """Adds a tensor that belongs to the state and is not trained; not persistent: that isn't in the state dictionary."""
        self._check_name(name, "buffer")
        if tensor is not None and not isinstance(tensor, _C.Tensor):
            raise TypeError(f"cannot assign '{type(tensor).__name__}' as buffer '{name}' (a tensor or None expected)")
        self._buffers[name] = tensor
        (self._unsaved.discard if persistent else self._unsaved.add)(name)

    def add_module(self, name, module):
        """Adds a child."""
        self._check_name(name, "module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module")
        self._modules[name] = module

    register_module = add_module

    def get_submodule(self, target):
        """The module at a path: `layer1.0.conv`."""
        module = self
        for name in target.split(".") if target else []:
            module = module._modules.get(name) if isinstance(module, Module) else None
            if module is None:
                raise AttributeError(f"{type(self).__name__} has no module at '{target}'")
        return module

    def get_parameter(self, target):
        """The parameter at a path."""
        return self._member(target, "_parameters", "parameter")

    def get_buffer(self, target):
        """The buffer at a path."""
        return self._member(target, "_buffers", "buffer")

    def _member(self, target, holder, kind):
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), holder).get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {kind} at '{target}'")
        return found

    # The tree

    def named_children(self):
        """The modules one level below, by name, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self):
        """The modules one level below."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """This module and all below, by path."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self):
        """This module and all below."""
        return (module for _, module in self.named_modules())

    def _named_members(self, holder, prefix, recurse, remove_duplicate):
        seen = set()
        for path, module in self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]:
            for name, tensor in getattr(module, holder).items():
                if tensor is None or (remove_duplicate and id(tensor) in seen):
                    continue
                seen.add(id(tensor))
                yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """The parameters by path; one that stands in several places comes once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """The buffers by path."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def apply(self, fn):
        """Calls a function with every module below and then this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # State

    def state_dict(self, *, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by path. The tensors have no history; a later step of training does not change them."""
        state = collections.OrderedDict() if destination is None else destination
        for name, tensor in itertools.chain(self._parameters.items(), self._buffers.items()):
            if tensor is not None and name not in self._unsaved:
                state[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            state[prefix + "_extra_state"] = self.get_extra_state()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_hooks.values()):
            changed = hook(self, state, prefix, {})
            state = state if changed is None else changed
        return state

    def get_extra_state(self):
        """What belongs to the state and is no tensor: to be defined by subclasses."""
        raise NotImplementedError

    def set_extra_state(self, state):
        """Takes what `get_extra_state` gave."""
        raise NotImplementedError

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Takes the numbers of a state dictionary.

        Args:
            state_dict: tensors by path.
            strict: whether keys that are missing or that nobody knows are an error.
            assign: take the tensors themselves, with their dtype, instead of their numbers.

        Returns: the missing and the unexpected keys.

        Nothing is changed where something does not fit; the error lists all of it.
        """
        if not hasattr(state_dict, "items"):
            raise TypeError(f"load_state_dict: a dictionary, not {type(state_dict).__name__}")
        state = dict(state_dict)
        for path, module in self.named_modules():
            for hook in list(module._load_hooks.values()):
                hook(state, f"{path}." if path else "", {}, strict, [], [], [])
        places = self._places()
        missing = [key for key in places if key not in state]
        unexpected = [key for key in state if key not in places]
        problems = []
        for key, (module, holder, name) in places.items():
            tensor = state.get(key)
            if key not in state or holder is None:
                continue
            own = getattr(module, holder)[name]
            if not isinstance(tensor, _C.Tensor):
                problems.append(f"{key}: a tensor is expected, not {type(tensor).__name__}")
            elif tuple(tensor.shape) != tuple(own.shape):
                problems.append(f"{key}: shape {list(tensor.shape)} in the dictionary, {list(own.shape)} in the model")
        if strict:
            problems += [f"missing key: {key}" for key in missing] + [f"unexpected key: {key}" for key in unexpected]
        if problems:
            head = f"load_state_dict for {type(self).__name__}: {len(problems)} problem{'s' if len(problems) > 1 else ''}"
            raise RuntimeError(head + "".join(f"\n  {problem}" for problem in problems))
        for key, place in places.items():
            if key in state:
                self._take(state[key], *place, assign)
        result = IncompatibleKeys(missing, unexpected)
        for module in self.modules():
            for hook in list(module._loaded_hooks.values()):
                hook(module, result)
        return result

    def _places(self):
        places = {}
        for path, module in self.named_modules(remove_duplicate=False):
            before = f"{path}." if path else ""
            for holder in ("_parameters", "_buffers"):
                for name, tensor in getattr(module, holder).items():
                    if tensor is not None and name not in module._unsaved:
                        places[before + name] = (module, holder, name)
            if type(module).set_extra_state is not Module.set_extra_state:
                places[before + "_extra_state"] = (module, None, None)
        return places

    @staticmethod
    def _take(value, module, holder, name, assign):
        if holder is None:
            module.set_extra_state(value)
            return
        own = getattr(module, holder)[name]
        if not assign:
            value = value.detach().to(own.dtype)
        elif holder == "_parameters" and not isinstance(value, Parameter):
            getattr(module, holder)[name] = Parameter(value, own.requires_grad)
            return
        elif assign:
            getattr(module, holder)[name] = value
            return
        own.data = value

    # Modes, dtypes, gradients

    def train(self, mode=True):
        """Training mode for this module and all below: dropout drops, batch norm uses the batch's statistics."""
        if not isinstance(mode, bool):
            raise ValueError("train: mode is True or False")
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self):
        """Evaluation mode: `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Whether gradients of the parameters are wanted."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forgets the gradients, or sets those that there are to 0."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad = parameter.grad.detach() * 0

    def _apply(self, fn):
        for tensor in itertools.chain(self.parameters(), self.buffers()):
            changed = fn(tensor.detach())
            if changed.dtype is not tensor.dtype or changed is not tensor:
                gradient = tensor.grad if isinstance(tensor, Parameter) else None
                tensor.data = changed
                if gradient is not None:
                    tensor.grad = fn(gradient)
        return self

    def to(self, *args, dtype=None, device=None, **options):
        """Parameters and buffers of floating point as another dtype: `to(apus.float64)`; or on a device."""
        for arg in args:
            if isinstance(arg, _C.Tensor):
                dtype = arg.dtype
            elif isinstance(arg, _C.dtype):
                dtype = arg
            elif arg is not None and not isinstance(arg, bool):
                device = arg
        if device is not None:
            _C.tensor(0).to(device=device)  # an unknown one is an error
        if dtype is None:
            return self
        if not dtype.is_floating_point:
            raise TypeError(f"to: parameters are of floating point, not {dtype}")
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.dtype.is_floating_point else tensor)

    def type(self, dst_type):
        """`to`, by an older name."""
        return self.to(dst_type)

    def float(self):
        """Parameters and buffers as float32."""
        return self.to(_C.float32)

    def double(self):
        """Parameters and buffers as float64."""
        return self.to(_C.float64)

    def half(self):
        """Parameters and buffers as float16."""
        return self.to(_C.float16)

    def bfloat16(self):
        """Parameters and buffers as bfloat16."""
        return self.to(_C.bfloat16)

    def cpu(self):
        """On the CPU: where everything is."""
        return self

    def cuda(self, device=None):
        """An error: this build computes on the CPU. Programs ask `apus.cuda.is_available()` before."""
        return self.to("cuda")

    def share_memory(self):
        """Not available: there are no processes to share with."""
        raise RuntimeError("share_memory: not available")

    # Hooks

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """`hook(module, inputs)` before each forward; what it returns, if not None, takes the inputs' place."""
        return self._forward_pre_hooks.add(_marked(hook, with_kwargs), prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """`hook(module, inputs, output)` after each forward; what it returns, if not None, takes the output's place."""
        return self._forward_hooks.add(_marked(hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """`hook(module, grad_input, grad_output)` in each backward pass; what it returns, if not None, takes grad_input's place."""
        return self._backward_hooks.add(hook, prepend)

    register_backward_hook = register_full_backward_hook

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """`hook(module, grad_output)` before the gradient passes; what it returns, if not None, takes grad_output's place."""
        return self._backward_pre_hooks.add(hook, prepend)

    def register_state_dict_post_hook(self, hook):
        """`hook(module, state_dict, prefix, metadata)` after the module has added to a state dictionary."""
        return self._state_hooks.add(hook)

    def register_load_state_dict_pre_hook(self, hook):
        """`hook(module, state_dict, prefix, …)` before a state dictionary is read."""
        return self._load_hooks.add(lambda *args: hook(self, *args))

    def register_load_state_dict_post_hook(self, hook):
        """`hook(module, incompatible_keys)` after a state dictionary was read."""
        return self._loaded_hooks.add(hook)

    # Printing

    def extra_repr(self):
        """What stands between the parentheses."""
        return ""

    def _get_name(self):
        return type(self).__name__

    def __repr__(self):
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


def _indented(text):
    return text.replace("\n", "\n  ")


def _marked(hook, takes_keywords):
    if not takes_keywords:
        return hook

    def wrapper(*args):
        return hook(*args)

    wrapper._takes_keywords = True
    return wrapper
