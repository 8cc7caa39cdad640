"""Modules that hold modules or parameters."""

import collections
import operator

from .. import _C
from .module import Module
from .parameter import Parameter


def _place(index, count, kind):
    place = operator.index(index)
    if not -count <= place < count:
        raise IndexError(f"{kind}: index {place} of {count}")
    return place % count if count else 0


class Sequential(Module):
    """Modules one after the other: each gets what the one before returned.

    Args:
        *args: the modules, or one ordered dictionary of them.
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def _key(self, index):
        return list(self._modules)[_place(index, len(self), "Sequential")]

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(collections.OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._key(index)]

    def __setitem__(self, index, module):
        setattr(self, self._key(index), module)

    def __delitem__(self, index):
        keys = list(self._modules)
        for key in keys[index] if isinstance(index, slice) else [self._key(index)]:
            delattr(self, key)
        self._modules = {str(i): module for i, module in enumerate(self._modules.values())}

    def __add__(self, other):
        return Sequential(*self, *other)

    def append(self, module):
        """Adds a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules):
        """Adds modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index, module):
        """Adds a module before the one at a place."""
        modules = list(self)
        modules.insert(index, module)
        self._modules = {}
        return self.extend(modules)

    def pop(self, key):
        """Takes a module out."""
        module = self[key]
        del self[key]
        return module


class ModuleList(Module):
    """A list of modules, which are found by `parameters()` and so on. It has no `forward`."""

    def __init__(self, modules=None):
        super().__init__()
        self.extend(modules or [])

    def __repr__(self):
        groups = []  # Equal neighbours: first, last, text.
        for i, text in enumerate(map(repr, self)):
            if groups and groups[-1][2] == text:
                groups[-1][1] = i
            else:
                groups.append([i, i, text])
        lines = [f"({a}): {t}" if a == b else f"({a}-{b}): {b - a + 1} x {t}" for a, b, t in groups]
        return f"{self._get_name()}(" + "".join("\n  " + line.replace("\n", "\n  ") for line in lines) + ("\n)" if lines else ")")

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __getitem__(self, index):
        modules = list(self)
        return ModuleList(modules[index]) if isinstance(index, slice) else modules[_place(index, len(self), "ModuleList")]

    def __setitem__(self, index, module):
        setattr(self, str(_place(index, len(self), "ModuleList")), module)

    def __delitem__(self, index):
        modules = list(self)
        del modules[index]
        self._modules = {}
        self.extend(modules)

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return ModuleList([*self, *other])

    def __contains__(self, module):
        return any(module is own for own in self)

    append, extend, insert, pop = Sequential.append, Sequential.extend, Sequential.insert, Sequential.pop


class ModuleDict(Module):
    """A dictionary of modules, which are found by `parameters()` and so on. It has no `forward`."""

    def __init__(self, modules=None):
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Takes everything out."""
        self._modules.clear()

    def pop(self, key):
        """Takes a module out."""
        return self._modules.pop(key)

    def keys(self):
        """The names."""
        return self._modules.keys()

    def items(self):
        """Names and modules."""
        return self._modules.items()

    def values(self):
        """The modules."""
        return self._modules.values()

    def update(self, modules):
        """Adds or replaces modules: of a dictionary, or of pairs."""
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module


class ParameterList(Module):
    """A list of parameters; tensors become parameters."""

    def __init__(self, values=None):
        super().__init__()
        self._length = 0
        self.extend(values or [])

    def append(self, value):
        """Adds a parameter at the end."""
        self._length += 1
        self[self._length - 1] = value
        return self

    def extend(self, values):
        """Adds parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def __len__(self):
        return self._length

    def __iter__(self):
        return (self[i] for i in range(self._length))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return getattr(self, str(_place(index, self._length, "ParameterList")))

    def __setitem__(self, index, value):
        setattr(self, str(_place(index, self._length, "ParameterList")), _as_parameter(value))

    def __iadd__(self, values):
        return self.extend(values)

    def extra_repr(self):
        return "\n".join(f"({i}): {_described(value)}" for i, value in enumerate(self))


class ParameterDict(Module):
    """A dictionary of parameters; tensors become parameters."""

    def __init__(self, parameters=None):
        super().__init__()
        self._names = {}
        self.update(parameters or {})

    def __getitem__(self, key):
        return getattr(self, key) if key in self._names else self._names[key]

    def __setitem__(self, key, value):
        self._names[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key):
        del self._names[key]
        delattr(self, key)

    def __len__(self):
        return len(self._names)

    def __iter__(self):
        return iter(self._names)

    def __contains__(self, key):
        return key in self._names

    def keys(self):
        """The names."""
        return self._names.keys()

    def values(self):
        """The parameters."""
        return (self[key] for key in self._names)

    def items(self):
        """Names and parameters."""
        return ((key, self[key]) for key in self._names)

    def update(self, parameters):
        """Adds or replaces parameters: of a dictionary, or of pairs."""
        for key, value in parameters.items() if hasattr(parameters, "items") else parameters:
            self[key] = value

    def pop(self, key):
        """Takes a parameter out."""
        value = self[key]
        del self[key]
        return value

    def extra_repr(self):
        return "\n".join(f"({key}): {_described(value)}" for key, value in self.items())


def _as_parameter(value):
    return Parameter(value) if isinstance(value, _C.Tensor) and not isinstance(value, Parameter) else value


def _described(value):
    if not isinstance(value, _C.Tensor):
        return f"Object of type: {type(value).__name__}"
    return f"{type(value).__name__} containing: [{value.dtype} of size {'x'.join(str(size) for size in value.shape)}]"
