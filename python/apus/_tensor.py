"""What `apus.Tensor` has beside its ops: conversions, iteration, copying, printing. The type itself is `apus._C.Tensor`."""

from . import _C

Tensor = _C.Tensor
_hidden = {}


class Size(tuple):
    """The sizes of a tensor's axes."""

    __slots__ = ()

    def numel(self):
        """The product of the sizes."""
        product = 1
        for size in self:
            product *= size
        return product

    def __repr__(self):
        return f"apus.Size({list(self)})"

    def __getitem__(self, index):
        part = tuple.__getitem__(self, index)
        return Size(part) if isinstance(index, slice) else part

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))


class device:
    """Where tensors live: `apus.device("cpu")`."""

    __slots__ = ("type", "index")

    def __init__(self, type="cpu", index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        name, _, number = str(type).partition(":")
        if name != "cpu" or (number or "0") != "0" or index not in (None, 0):
            raise RuntimeError(f"device: '{type}' is not available; this build has: cpu")
        self.type, self.index = name, index if not number else int(number)

    def __repr__(self):
        return f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and other.type == self.type and (other.index or 0) == (self.index or 0)

    def __hash__(self):
        return hash(self.type)

    def __reduce__(self):
        return device, (self.type, self.index)


class _PrintOptions:
    precision, threshold, edgeitems, linewidth = 4, 1000, 3, 80


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """How tensors are printed: digits after the point, from how many elements on they are summarised, and so on."""
    if profile is not None:
        if profile not in ("default", "short", "full"):
            raise ValueError(f"set_printoptions: profile is 'default', 'short' or 'full', not {profile!r}")
        _PrintOptions.precision, _PrintOptions.edgeitems, _PrintOptions.linewidth = (2, 2, 80) if profile == "short" else (4, 3, 80)
        _PrintOptions.threshold = 2**31 - 1 if profile == "full" else 1000
    for name, value in (("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems), ("linewidth", linewidth)):
        if value is not None:
            setattr(_PrintOptions, name, max(0, min(int(value), 2**31 - 1)))


def _repr(self):
    options = _PrintOptions
    return self._text(min(options.precision, 17), options.threshold, options.edgeitems, max(options.linewidth, 20))


def _str(self):
    return repr(self)


def _format(self, spec):
    if self.dim() == 0 and spec:
        return format(self.item(), spec)
    return format(repr(self), spec) if spec else repr(self)


def _iter(self):
    if self.dim() == 0:
        raise TypeError("a tensor without axes cannot be iterated over")
    return iter(self.unbind(0))


def _contains(self, value):
    return bool((self == value).any())


def _reversed(self):
    return self if self.dim() == 0 else self.flip(0)


def _numpy(self, *, force=False):
    """The tensor as a NumPy array that shares its memory and is read-only; `numpy().copy()` may be written to.

    A later change of the tensor in place goes to other memory: the array keeps the numbers that the tensor has now.
    """
    import numpy

    if self.requires_grad:
        if not force:
            raise RuntimeError("numpy: the tensor requires a gradient; use tensor.detach().numpy()")
        self = self.detach()
    if self.dtype is _C.bfloat16:
        if not force:
            raise TypeError("numpy: NumPy has no bfloat16; use tensor.float().numpy()")
        self = self.float()
    return numpy.asarray(memoryview(self))


def _array(self, dtype=None, copy=None):
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"__array__: a copy is needed to make {dtype} of {array.dtype}")
        return array.astype(dtype)
    return array.copy() if copy else array


def _to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """The tensor as another dtype (`to(apus.float64)`, `to(other)`), or on a device; itself where nothing changes."""
    for arg in args:
        if isinstance(arg, Tensor):
            dtype = arg.dtype
        elif isinstance(arg, (str, _device)):
            device = arg
        elif isinstance(arg, bool) or arg is None:
            copy = copy or bool(arg) and len(args) == 4
        else:
            dtype = arg
    if device is not None and not isinstance(device, _device):
        _device(device)
    if dtype is None:
        return self.clone() if copy else self
    return _hidden["to_dtype"](self, dtype, copy)


_device = device


def _type(self, dtype=None):
    """The dtype's name, or the tensor as another dtype."""
    return f"apus.{self.dtype.name}" if dtype is None else self.to(dtype)


def _cpu(self):
    """The tensor on the CPU: itself."""
    return self


def _cuda(self, device=None):
    """An error: this build computes on the CPU. Programs ask `apus.cuda.is_available()` before."""
    return self.to("cuda")


def _detach_(self):
    """Cuts this tensor off its history."""
    _C.cut(self)
    return self


def _element_size(self):
    """Bytes per element."""
    return self.dtype.itemsize


def _is_floating_point(self):
    """Whether the elements have a fraction."""
    return self.dtype.is_floating_point


def _new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """A new tensor with a copy of the data, by default of this tensor's dtype."""
    return _C.tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad)


class RemovableHandle:
    """What registering a hook returns; `remove()` takes the hook away."""

    def __init__(self, remove):
        self._remove = remove

    def remove(self):
        """Takes the hook away; a second call does nothing."""
        self._remove()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def _register_hook(self, hook):
    """Calls `hook` with this tensor's gradient in every backward pass; what it returns, if not None, takes the gradient's place."""
    if not callable(hook):
        raise TypeError(f"register_hook: {type(hook).__name__} cannot be called")
    added = _C.add_hook(self, hook)
    return RemovableHandle(lambda: _C.remove_hook(added))


# Copies and pickles


def _rebuild(cls, payload, dtype, shape, requires_grad, attributes=None):
    tensor = _C.from_bytes(payload, getattr(_C, dtype), tuple(shape))
    result = tensor if cls is Tensor else tensor._as_subclass(cls)
    if requires_grad:
        result.requires_grad_()
    if attributes:
        result.__dict__.update(attributes)
    return result


def _reduce_ex(self, protocol):
    attributes = dict(self.__dict__) if hasattr(self, "__dict__") else None
    payload = _C.bytes_of(self.detach().contiguous())
    return _rebuild, (type(self), payload, self.dtype.name, tuple(self.shape), self.requires_grad, attributes)


def _deepcopy(self, memo):
    if not self.is_leaf:
        raise RuntimeError("only leaves can be copied deeply; detach() or clone() the tensor")
    known = memo.get(id(self))
    if known is not None:
        return known
    result = self.detach().clone()
    if type(self) is not Tensor:
        result = result._as_subclass(type(self))
    if self.requires_grad:
        result.requires_grad_()
    memo[id(self)] = result
    if self.grad is not None:
        result.grad = self.grad.clone()
    if hasattr(self, "__dict__"):
        import copy

        result.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return result


def _copy(self):
    result = self._as_subclass(type(self))
    if hasattr(self, "__dict__"):
        result.__dict__.update(self.__dict__)
    return result


def install():
    """Gives the type its methods written in Python."""
    members = {
        "__repr__": _repr, "__str__": _str, "__format__": _format, "__iter__": _iter, "__contains__": _contains, "__reversed__": _reversed,
        "__array__": _array, "__array_priority__": 1000, "__reduce_ex__": _reduce_ex, "__deepcopy__": _deepcopy, "__copy__": _copy,
        "__dlpack_device__": lambda self: (1, 0), "numpy": _numpy, "to": _to, "type": _type, "cpu": _cpu, "cuda": _cuda, "detach_": _detach_,
        "element_size": _element_size, "is_floating_point": _is_floating_point, "new_tensor": _new_tensor, "register_hook": _register_hook,
        "itemsize": property(_element_size), "nbytes": property(lambda self: self.numel() * self.dtype.itemsize),
        "is_cuda": property(lambda self: False), "requires_grad_": Tensor.requires_grad_,
        "names": property(lambda self: (None,) * self.dim()), "H": property(lambda self: self.t()),
        "is_sparse": property(lambda self: False), "pin_memory": _cpu, "is_complex": lambda self: False,
        "float_power": lambda self, exponent: self.double() ** exponent,
    }
    for name, member in members.items():
        setattr(Tensor, name, member)
