"""CUDA: not in this build."""


def is_available():
    """False: this build computes on the CPU."""
    return False


is_built = is_available
