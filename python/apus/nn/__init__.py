"""Building blocks of networks."""

from . import functional
