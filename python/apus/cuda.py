"""Whether there is a CUDA device: not in this build. Programs ask before they choose one."""


def is_available():
    """False: this build computes on the CPU."""
    return False


def device_count():
    """0."""
    return 0
