"""Files that PyTorch reads and writes."""

import os

from . import _C
from ._tensor import device


def temporary_folder(place=None):
    """A folder that goes at the end of a `with`."""
    from tempfile import TemporaryDirectory  # late, since it takes a tenth of `import apus`

    return TemporaryDirectory(dir=place)


def save(obj, f, pickle_module=None, pickle_protocol=2, _use_new_zipfile_serialization=True):
    """Writes tensors, and plain values around them, to a file that `torch.load(..., weights_only=True)` reads.

    State dictionaries, checkpoints: numbers, strings, lists, tuples and dictionaries. The file appears whole or not at all. `f` is a path or a
    file; of PyTorch's options there is one way only.
    """
    if not _use_new_zipfile_serialization:
        raise ValueError("save: the format before PyTorch 1.6 is not written")
    if hasattr(f, "write"):
        with temporary_folder() as folder:
            path = os.path.join(folder, "archive.pth")
            _C.save(obj, path)
            with open(path, "rb") as file:
                f.write(file.read())
        return
    _C.save(obj, os.fspath(f))


def load(f, map_location=None, pickle_module=None, *, weights_only=True, mmap=None):
    """Reads what `save` or PyTorch has written, from a path or a file: data only, no code is run, whatever `weights_only` says.

    `map_location` is a device, of which there is one, or what PyTorch takes besides; tensors come to the CPU in any case.
    """
    if isinstance(map_location, str):
        device(map_location)  # an unknown one is an error
    if hasattr(f, "read"):
        with temporary_folder() as folder:
            path = os.path.join(folder, "archive.pth")
            with open(path, "wb") as file:
                file.write(f.read())
            return _C.load(path)
    path = os.fspath(f)
    if not os.path.exists(path):
        raise FileNotFoundError(2, "No such file or directory", path)
    return _C.load(path)
