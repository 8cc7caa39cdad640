"""Random numbers for the order of samples: from the library's stream, or from a generator of one's own."""

import random

from ..._creation import randint
from ...random import Generator


def stream(generator=None):
    """A `random.Random` to draw from.

    Args:
        generator: an `apus.Generator`, from which its seed is drawn, or None: then from the stream that `apus.manual_seed` starts; an integer
            seed; or a `random.Random`, which is returned.
    """
    if isinstance(generator, random.Random):
        return generator
    if generator is None or isinstance(generator, Generator):
        generator = int(randint(2**62, (), generator=generator).item())
    if isinstance(generator, bool) or not isinstance(generator, int):
        raise TypeError(f"generator: a Generator, an integer seed, a random.Random or None, not {type(generator).__name__}")
    return random.Random(generator)


def permutation(count, generator=None):
    """The numbers below `count` in random order."""
    order = list(range(count))
    stream(generator).shuffle(order)
    return order
