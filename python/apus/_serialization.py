"""Files that PyTorch reads and writes."""

import os
import tempfile

from . import _C


def save(obj, f, *args, **options):
    """Writes tensors, and plain values around them, to a file that `torch.load(..., weights_only=True)` reads.

    State dictionaries, checkpoints: numbers, strings, lists, tuples and dictionaries. The file appears whole or not at all.
    """
    if hasattr(f, "write"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "archive.pth")
            _C.save(obj, path)
            with open(path, "rb") as file:
                f.write(file.read())
        return
    _C.save(obj, os.fspath(f))


def load(f, map_location=None, *args, weights_only=True, mmap=None, **options):
    """Reads what `save` or PyTorch has written: data only, no code is run."""
    if hasattr(f, "read"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "archive.pth")
            with open(path, "wb") as file:
                file.write(f.read())
            return _C.load(path)
    path = os.fspath(f)
    if not os.path.exists(path):
        raise FileNotFoundError(2, "No such file or directory", path)
    return _C.load(path)
