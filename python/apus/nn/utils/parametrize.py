"""Parameters that are functions of others: `module.weight` computes f(original), and gradients reach the original.

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
"""

import contextlib
import copy

from ... import _C
from ..._modes import no_grad
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]

_depth, _cache = 0, {}


@contextlib.contextmanager
def cached():
    """Inside, each parametrized tensor is computed once, however often it is asked for."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            _cache.clear()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _checked(result, tensor, what):
    """What a parametrization returned, if it is a tensor like the given one."""
    if not isinstance(result, _C.Tensor):
        raise ValueError(f"{what}: a tensor is expected, not {type(result).__name__}")
    if result.dtype != tensor.dtype or result.shape != tensor.shape:
        raise ValueError(
            f"{what}: {result.dtype} {list(result.shape)} instead of {tensor.dtype} {list(tensor.shape)}; unsafe=True would allow it")
    return result


def _inverse(parametrization, value):
    """What the parametrization would make `value` of; `value` itself where it has no inverse."""
    if hasattr(parametrization, "right_inverse"):
        with contextlib.suppress(NotImplementedError):
            return parametrization.right_inverse(value)
    return value


class ParametrizationList(ModuleList):
    """The functions that a tensor goes through, and what they start from: `original`, or `original0`, `original1`, … where the first function
    takes several tensors. Found as `module.parametrizations[name]`."""

    def __init__(self, modules, original, unsafe=False):
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList: at least one parametrization is needed")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            found = original
            for module in reversed(modules):
                found = _inverse(module, found)
        self.is_tensor = isinstance(found, _C.Tensor)
        if not self.is_tensor and not isinstance(found, (list, tuple)):
            raise ValueError(f"right_inverse: a tensor or a sequence of tensors is expected, not {type(found).__name__}")
        self.ntensors = 1 if self.is_tensor else len(found)
        before = original.detach()
        if self.is_tensor:
            if found.dtype != original.dtype:
                raise ValueError(f"right_inverse: changes the dtype from {original.dtype} to {found.dtype}")
            # The object stays, so that an optimizer that has it need not be told.
            if found is not original:
                original.data = found.detach()
            _register(self, "original", original)
        else:
            for i, tensor in enumerate(found):
                if not isinstance(tensor, _C.Tensor):
                    raise ValueError(f"right_inverse: tensors are expected, not {type(tensor).__name__}")
                tensor = tensor.detach()
                is_trained = isinstance(original, Parameter)
                _register(self, f"original{i}", Parameter(tensor, original.requires_grad) if is_trained else tensor)
        if not unsafe:
            _checked(self(), before, "parametrization")

    def originals(self):
        """What the first function takes."""
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value):
        """Changes the originals so that the result becomes `value`, by the functions' right inverses."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"{type(module).__name__} has no right_inverse, so the tensor cannot be assigned to")
                value = module.right_inverse(value)
            values = [value] if isinstance(value, _C.Tensor) else list(value)
            if len(values) != self.ntensors:
                raise ValueError(f"right_inverse: {self.ntensors} tensors are expected, not {len(values)}")
            for original, tensor in zip(self.originals(), values):
                if tensor.dtype != original.dtype:
                    raise ValueError(f"right_inverse: {tensor.dtype} for an original of {original.dtype}")
                original.data = tensor.detach()

    def forward(self):
        modules = iter(self)
        value = next(modules)(*self.originals())
        for module in modules:
            value = module(value)
        return value


def _property(name):
    def get(self):
        parametrizations = self.parametrizations[name]
        if _depth == 0:
            return parametrizations()
        key = id(self), name
        if key not in _cache:
            _cache[key] = parametrizations()
        return _cache[key]

    def set(self, value):
        self.parametrizations[name].right_inverse(value)

    return property(get, set)


def _refuse(self, *protocol):
    raise RuntimeError("a parametrized module cannot be pickled; save its state_dict()")


def _deepcopy(self, memo):
    result = memo[id(self)] = self.__new__(type(self))
    result.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return result


def _set(self, name, value):
    # A parameter too goes through the right inverse.
    (object if name in self.parametrizations else type(self).__bases__[0]).__setattr__(self, name, value)


def _dress(module, names):
    """Gives a module a class of its own, with a property for each parametrized tensor; its former class where there are none."""
    base = type_before_parametrizations(module)
    if not names:
        module.__class__ = base
        return
    members = {name: _property(name) for name in names}
    members.update(__module__=base.__module__, __doc__=base.__doc__, __setattr__=_set, __reduce_ex__=_refuse)
    if not hasattr(base, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), members)


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Makes a parameter or buffer of a module a function of what it was.

    Args:
        module: the module.
        tensor_name: which of its tensors; one that is parametrized goes through one more function.
        parametrization: a module from a tensor to one of the same shape and dtype. Its `right_inverse`, where it has one, says from what a given
            tensor would come; it may return several tensors, which `forward` takes then.
        unsafe: allow other shapes and dtypes.

    Returns: the module, of whose class a subclass was made for it.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            tensor = getattr(module, tensor_name)
            result = _checked(parametrization(tensor), tensor, "parametrization")
            _checked(_inverse(parametrization, result), tensor, "right_inverse")
        parametrizations = module.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif getattr(module, tensor_name, None) is not None and (tensor_name in module._buffers or tensor_name in module._parameters):
        parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
        module.parametrizations[tensor_name] = parametrizations
        _dress(module, list(module.parametrizations.keys()))
    else:
        raise ValueError(f"register_parametrization: {type(module).__name__} has no parameter or buffer '{tensor_name}'")
    return module


def is_parametrized(module, tensor_name=None):
    """Whether a tensor of the module, or any, is parametrized."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Makes a tensor of the module an ordinary one again.

    Args:
        module: the module, which is returned.
        tensor_name: which of its tensors.
        leave_parametrized: keep the value that it has now; False: that of `original`, which is possible where there is one.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: '{tensor_name}' of {type(module).__name__} is not parametrized")
    parametrizations = module.parametrizations[tensor_name]
    if not parametrizations.is_tensor and not leave_parametrized:
        raise ValueError("remove_parametrizations: there are several originals, so leave_parametrized must be True")
    tensor = getattr(module, tensor_name)
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            original.data = tensor.detach()
    else:
        original = Parameter(tensor.detach()) if tensor.requires_grad else tensor
    del module.parametrizations[tensor_name]
    _dress(module, list(module.parametrizations.keys()))
    if not is_parametrized(module):
        del module.parametrizations
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module):
    """The class that a module had before it was parametrized."""
    cls = type(module)
    return cls.__bases__[0] if cls.__dict__.get("__setattr__") is _set else cls


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Parametrizes tensors of a module by the functions, and with the originals, of another.

    Args:
        from_module: where they are taken from.
        to_module: the module to change, which is returned; tensors that it lacks are made.
        tensor_name: which tensor; all by default.
    """
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations.keys()) if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization, unsafe=source.unsafe)
        for original, given in zip(to_module.parametrizations[name].originals(), source.originals()):
            original.data = given.detach()
    return to_module
