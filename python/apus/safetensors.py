"""Files of the safetensors format: `load_file`, `save_file`, as in the package of that name."""

import os

from . import _C
from ._serialization import temporary_folder


def _load(path):
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(2, "No such file or directory", path)
    return _C.load_tensors(path)


def load_file(filename, device="cpu"):
    """The tensors of a file, by name."""
    return dict(_load(filename)[0])


def load_metadata(filename):
    """The text among the metadata of a file."""
    return dict(_load(filename)[1])


def save_file(tensors, filename, metadata=None):
    """Writes named tensors to a file, which appears whole or not at all."""
    path = os.fspath(filename)
    if isinstance(path, str) and not path.endswith(".safetensors"):
        # The suffix decides about the format.
        with temporary_folder(os.path.dirname(os.path.abspath(path))) as folder:
            inner = os.path.join(folder, "model.safetensors")
            _C.save_tensors(dict(tensors), dict(metadata or {}), inner)
            os.replace(inner, path)
        return
    _C.save_tensors(dict(tensors), dict(metadata or {}), path)


def load(data):
    """The tensors of a file's bytes."""
    with temporary_folder() as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(data)
        return load_file(path)


def save(tensors, metadata=None):
    """A file's bytes."""
    with temporary_folder() as folder:
        path = os.path.join(folder, "model.safetensors")
        save_file(tensors, path, metadata)
        with open(path, "rb") as file:
            return file.read()
