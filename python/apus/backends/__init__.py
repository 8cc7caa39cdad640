"""What this build computes with, for programs that ask."""

from . import cuda, mps

__all__ = ["cuda", "mps"]
