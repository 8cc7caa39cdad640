"""Where random numbers come from: streams, of which one is the default."""

import os
import struct

from . import _C
from ._tensor import device as _device


class Generator(_C.Generator):
    """A stream of random numbers, for the `generator` of whatever draws.

        generator = apus.Generator().manual_seed(3)
        apus.randn(2, generator=generator)

    Args:
        device: where the numbers are wanted.

    The numbers are a function of the seed and of how many were drawn before; a new generator has always the same seed.
    """

    def __new__(cls, device="cpu"):
        _device(device)
        return super().__new__(cls, 67280421310721)

    device = property(lambda self: _device("cpu"), doc="Where the numbers come about.")

    def manual_seed(self, seed):
        """Starts the stream again from a seed, and returns the generator."""
        seed = int(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: {seed} does not fit into 64 bits")
        self._set(seed % 2**64, 0, 0)
        return self

    def seed(self):
        """Starts the stream from a number that the system draws, and returns that."""
        value = int.from_bytes(os.urandom(8), "little") >> 1
        self.manual_seed(value)
        return value

    def initial_seed(self):
        """The seed that the stream was started from."""
        return self._get()[0]

    def get_state(self):
        """Where the stream stands, as bytes in a tensor."""
        return _C.tensor(list(struct.pack("<3Q", *self._get())), dtype=_C.uint8)

    def set_state(self, new_state):
        """Goes on where `get_state` was called."""
        if not isinstance(new_state, _C.Tensor) or new_state.dtype is not _C.uint8 or tuple(new_state.shape) != (24,):
            raise TypeError("set_state: what get_state returned is expected")
        self._set(*struct.unpack("<3Q", bytes(new_state.tolist())))
        return self

    def clone_state(self):
        """Another generator that stands at the same place."""
        return _at(self._get())

    def __reduce__(self):
        return _at, (self._get(),)

    def __repr__(self):
        return f"<apus.Generator seed={self.initial_seed()}>"


def _at(state):
    generator = Generator()
    generator._set(*state)
    return generator


default_generator = _C.Generator.__new__(Generator, None)


def manual_seed(seed):
    """Starts the default stream again: what follows is the same in every run. Returns its generator."""
    return default_generator.manual_seed(seed)


def seed():
    """Starts the default stream from a number that the system draws, and returns that."""
    return default_generator.seed()


def initial_seed():
    """The seed of the default stream."""
    return default_generator.initial_seed()


def get_rng_state():
    """Where the default stream stands, as bytes in a tensor."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Goes on where `get_rng_state` was called."""
    default_generator.set_state(new_state)


class fork_rng:
    """Inside, random numbers are drawn as always; afterwards the default stream stands where it stood before."""

    def __init__(self, devices=None, enabled=True):
        self._enabled = enabled

    def __enter__(self):
        self._state = default_generator._get()

    def __exit__(self, *exception):
        if self._enabled:
            default_generator._set(*self._state)
