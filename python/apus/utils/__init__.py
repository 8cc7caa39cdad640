"""What surrounds training: data, progress, logs for TensorBoard."""

from . import data
from .progress import progress

__all__ = ["data", "progress"]


def __getattr__(name):
    # TensorBoard's writer is rarely wanted; importing it only then keeps `import apus` quick.
    if name == "tensorboard":
        import importlib

        return importlib.import_module(".tensorboard", __name__)
    raise AttributeError(f"module 'apus.utils' has no attribute '{name}'")
