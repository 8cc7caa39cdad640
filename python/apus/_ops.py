"""Turns the library's table of ops into Python functions and methods.

Each line of the table says where an op is found and what it takes, in the words of a Python signature; `Signature` reads them. The stubs
(`python -m apus._stubs`) are made from the same lines.
"""

import ast
import collections

from . import _C, return_types

FUNCTION, METHOD, INPLACE, FUNCTIONAL, LINALG, PROPERTY, HIDDEN = 1, 2, 4, 8, 16, 32, 64

# The extension's letters for the types of the table.
_KINDS = {
    "Tensor": "T", "state": "M", "operand": "O", "tensors": "L", "int": "i", "float": "f", "number": "n", "bool": "b", "str": "s",
    "dtype": "d", "ints": "I", "sizes": "S", "any": "a", "device": "v",
    "generator": "g",
}

# Methods that return the tensor itself where there is nothing to do.
_KEEPING = {
    "contiguous", "float", "double", "half", "bfloat16", "long", "int", "short", "char", "byte", "bool", "to_dtype", "expand_as", "view_as",
}


class Signature:
    """A line's parameters: names, kinds, defaults, and which may be given by position."""

    def __init__(self, text):
        self.text = text
        self.names, self.types, self.optional, self.defaults = [], [], [], []
        self.positional, self.star = None, -1
        for part in _split(text):
            if part == "*":
                self.positional = len(self.names)
                continue
            declaration, _, default = part.partition(" = ")
            name, _, kind = declaration.partition(": ")
            if name.startswith("*"):
                self.star, name = len(self.names), name[1:]
                self.positional = len(self.names) + 1
            self.names.append(name)
            self.optional.append(kind.endswith("?"))
            self.types.append(kind.rstrip("?"))
            self.defaults.append(ast.literal_eval(default) if default else ...)
        if self.positional is None:
            self.positional = len(self.names)

    @property
    def kinds(self):
        return "".join(_KINDS[kind] + ("?" if optional else " ") for kind, optional in zip(self.types, self.optional))

    def python(self, is_method):
        """The signature as `inspect` reads it."""
        parts = []
        for i, name in enumerate(self.names):
            if i == self.positional and self.star < 0:
                parts.append("*")
            if i == 0 and is_method:
                parts.append("$self")
            elif i == self.star:
                parts.append("*" + name)
            elif self.defaults[i] is ...:
                parts.append(name)
            else:
                parts.append(f"{name}={self.defaults[i]!r}")
        return "(" + ", ".join(parts) + ")"


def _split(text):
    """The parts between commas, those inside brackets and quotes aside."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


Line = collections.namedtuple("Line", "number name places signature fields doc")


def lines():
    """The table."""
    for text in _C.op_table().split("\n"):
        number, name, places, signature, fields, doc = text.split("\t")
        yield Line(int(number), name, int(places), Signature(signature), fields, doc.replace("\\n", "\n"))


def _fields_text(self):
    return f"apus.return_types.{type(self).__name__}(\n" + ",\n".join(f"{name}={value!r}" for name, value in self._asdict().items()) + ")"


def _result_type(name, fields):
    if fields in ("", "tuple", "list"):
        return None
    made = collections.namedtuple(name, fields, module=return_types.__name__)
    made.__repr__ = _fields_text
    setattr(return_types, name, made)
    return lambda *values: made(*values)


def install(tensor, functions, functional, linalg, hidden):
    """Puts every op in its places."""
    numbers = {}
    for line in lines():
        signature = line.signature
        fields = _result_type(line.name, line.fields)

        def op(name, is_method, inplace=False):
            doc = f"{line.doc}"
            if inplace:
                doc = f"In place: {line.doc[0].lower()}{line.doc[1:]} Changes this tensor and returns it."
            prefix = "Tensor." if is_method else ""
            return _C.Op(
                line.number, name, signature.kinds, tuple(signature.names), tuple(signature.defaults), signature.positional, signature.star,
                inplace, line.name in _KEEPING, fields, doc, signature.python(is_method), prefix + name)

        if line.places & FUNCTION:
            functions[line.name] = op(line.name, False)
        if line.places & METHOD:
            setattr(tensor, line.name, op(line.name, True))
        if line.places & INPLACE:
            setattr(tensor, line.name + "_", op(line.name + "_", True, True))
        if line.places & FUNCTIONAL:
            functional[line.name] = op(line.name, False)
        if line.places & LINALG:
            linalg[line.name] = op(line.name, False)
        if line.places & PROPERTY:
            setattr(tensor, line.name, property(op(line.name, True), doc=line.doc))
        if line.places & HIDDEN:
            hidden[line.name] = op(line.name, False)
        numbers.setdefault(line.name, line.number)
    return numbers
