"""Writes the type stubs from the library's table of ops: `python -m apus._stubs FOLDER`. A test compares them with the ones in the package."""

import keyword
import pathlib
import sys

from . import _ops

_TYPES = {
    "Tensor": "Tensor", "state": "Tensor", "operand": "Tensor | float", "tensors": "Sequence[Tensor]", "int": "int", "float": "float",
    "number": "float", "bool": "_bool", "str": "str", "dtype": "dtype", "ints": "int | Sequence[int]", "sizes": "int | Sequence[int]", "any": "Any",
    "device": "str | device", "generator": "Generator",
}

_HEADER = "# Made by `python -m apus._stubs` from the table of ops in Sources/ApusPython/Ops.\n"


def _parameters(signature, is_method):
    parts, has_default = [], False
    for i, name in enumerate(signature.names):
        kind = _TYPES[signature.types[i]].replace("int", "_int").replace("float", "_float")
        if i == 0 and is_method:
            parts.append("self")
            continue
        if i == signature.star:
            parts.append(f"*{name}: {kind.replace('Sequence[Tensor]', 'Tensor | Sequence[Tensor]')}")
            continue
        if i == signature.positional and signature.star < 0:
            parts.append("*")
            has_default = False
        if signature.optional[i]:
            kind += " | None"
        default = signature.defaults[i]
        if default is ... and has_default and not (i >= signature.positional):
            default = None
        has_default = has_default or default is not ...
        parts.append(f"{name}: {kind}" + ("" if default is ... else f" = {default!r}"))
    return ", ".join(parts)


def _result(line):
    if line.fields in ("tuple", "list"):
        return "Any" if line.name in ("where", "nonzero") or "pool" in line.name or "unique" in line.name else "tuple[Tensor, ...]"
    return "Any" if line.fields else "_bool" if line.name in ("allclose", "equal") else "Tensor"


def _function(line, name, is_method, indent):
    if keyword.iskeyword(name):
        return ""
    return f"{indent}def {name}({_parameters(line.signature, is_method)}) -> {_result(line)}: ...\n"


def _members():
    """What `Tensor` has beside its ops."""
    known = {"shape": "Size", "dtype": "dtype", "device": "device", "ndim": "_int", "requires_grad": "_bool", "grad": "Tensor | None", "data": "Tensor",
             "is_leaf": "_bool", "grad_fn": "str | None", "T": "Tensor", "mT": "Tensor"}
    text = "".join(f"    {name}: {kind}\n" for name, kind in known.items())
    arithmetic = "add sub mul truediv floordiv mod pow and or xor radd rsub rmul rtruediv rpow iadd isub imul itruediv matmul".split()
    text += "".join(f"    def __{name}__(self, other: Any) -> Tensor: ...\n" for name in arithmetic)
    text += "".join(f"    def __{name}__(self, other: Any) -> Tensor: ...  # type: ignore[override]\n" for name in "eq ne lt le gt ge".split())
    text += "".join(f"    def __{name}__(self) -> {kind}: ...\n" for name, kind in {
        "neg": "Tensor", "abs": "Tensor", "invert": "Tensor", "bool": "_bool", "int": "_int", "float": "_float", "index": "_int", "len": "_int", "hash": "_int",
        "iter": "Iterator[Tensor]"}.items())
    text += "    def __getitem__(self, key: Any) -> Tensor: ...\n    def __setitem__(self, key: Any, value: Any) -> None: ...\n"
    text += "    def backward(self, gradient: Tensor | None = None, retain_graph: _bool | None = None, create_graph: _bool = False) -> None: ...\n"
    text += "    def size(self, dim: _int | None = None) -> Any: ...\n    def requires_grad_(self, requires_grad: _bool = True) -> Tensor: ...\n"
    for name, kind in {"item": "Any", "tolist": "Any", "numel": "_int", "dim": "_int", "retain_grad": "None", "data_ptr": "_int", "cpu": "Tensor"}.items():
        text += f"    def {name}(self) -> {kind}: ...\n"
    text += "    def numpy(self, *, force: _bool = False) -> Any: ...\n    def to(self, *args: Any, **keywords: Any) -> Tensor: ...\n"
    text += "    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Any: ...\n    def is_contiguous(self) -> _bool: ...\n"
    text += "    def stride(self, dim: _int | None = None) -> Any: ...\n    def is_floating_point(self) -> _bool: ...\n"
    return text


def tensor_stub():
    """The stub of apus._C: the tensor type with its methods."""
    text = _HEADER + "from typing import Any, Callable, Iterator, Sequence\n\n_int, _float, _bool = int, float, bool\n\n"
    text += "class dtype:\n    name: str\n    itemsize: _int\n    is_floating_point: _bool\n    is_signed: _bool\n\n"
    text += "class Size(tuple[_int, ...]):\n    def numel(self) -> _int: ...\n\nclass device:\n    type: str\n    index: _int | None\n\n"
    text += "class Generator: ...\n\n"
    text += "class Tensor:\n" + _members()
    for line in _ops.lines():
        if line.places & _ops.METHOD:
            text += _function(line, line.name, True, "    ")
        if line.places & _ops.INPLACE:
            text += _function(line, line.name + "_", True, "    ")
    return text


def functions_stub(place):
    """The functions of a module as stubs."""
    return "".join(_function(line, line.name, False, "") for line in _ops.lines() if line.places & place)


def functional_stub():
    """The stub of apus.nn.functional."""
    imports = "from typing import Any, Sequence\n\nfrom .._C import Tensor, device, dtype\n\n_int, _float, _bool = int, float, bool\n\n"
    return _HEADER + imports + functions_stub(_ops.FUNCTIONAL)


FILES = {"_C.pyi": tensor_stub, "nn/functional.pyi": functional_stub}


def main():
    """Writes the files."""
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for name, make in FILES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    main()
