"""The stream of random numbers that ops draw from."""

import os

from . import _C


def manual_seed(seed):
    """Starts the stream again: what follows is the same in every run."""
    _C.manual_seed(int(seed))


def seed():
    """Starts the stream from a number that the system draws, and returns it."""
    value = int.from_bytes(os.urandom(8), "little") >> 1
    _C.manual_seed(value)
    return value


def initial_seed():
    """The seed of the stream."""
    return _C.get_rng()[0]


def get_rng_state():
    """Where the stream stands, as three integers in a tensor."""
    return _C.tensor([value - (value >> 63 << 64) for value in _C.get_rng()], dtype=_C.int64)


def set_rng_state(state):
    """Goes on where the stream stood."""
    _C.set_rng(*[value % 2**64 for value in state.tolist()])


class fork_rng:
    """Inside, random numbers are drawn as always; afterwards the stream stands where it stood before."""

    def __init__(self, devices=None, enabled=True):
        self._enabled = enabled

    def __enter__(self):
        self._state = _C.get_rng()

    def __exit__(self, *exception):
        if self._enabled:
            _C.set_rng(*self._state)
