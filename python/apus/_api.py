"""Installs the ops and keeps what belongs to which module."""

from . import _C, _ops, _tensor

functions, functional, linalg, hidden = {}, {}, {}, {}
_cpu = _tensor.device("cpu")
_C.configure(_tensor.Size, _tensor.device, _cpu, 0, 0)
numbers = _ops.install(_C.Tensor, functions, functional, linalg, hidden)
_C.configure(_tensor.Size, _tensor.device, _cpu, numbers["clone"], numbers["to_dtype"])
_tensor._hidden.update(hidden)
_tensor.install()
