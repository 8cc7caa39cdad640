"""Whether gradients are recorded, in this thread: context managers that are decorators too."""

import functools
import inspect

from . import _C

GRAD, ANOMALY, BFLOAT16, FLOAT16 = 1, 2, 4, 8


class _Mode:
    """Sets a mode for a `with` block or a function."""

    def __enter__(self):
        self._before = _C.change_mode(self._bits, self._value)
        return self

    def __exit__(self, *exception):
        _C.set_mode(self._before)

    def _fresh(self):
        return type(self)()

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args, **keywords):
                inner = function(*args, **keywords)
                value = None
                while True:
                    with self._fresh():
                        try:
                            item = inner.send(value)
                        except StopIteration as end:
                            return end.value
                    value = yield item

            return generator

        @functools.wraps(function)
        def wrapper(*args, **keywords):
            with self._fresh():
                return function(*args, **keywords)

        return wrapper


class no_grad(_Mode):
    """Inside, ops don't record a graph: `with apus.no_grad(): ...`, or `@apus.no_grad()` before a function."""

    _bits, _value = GRAD, False

    def __new__(cls, function=None):
        self = object.__new__(cls)
        return self(function) if function is not None else self


class enable_grad(no_grad):
    """Inside, ops record their graph again."""

    _bits, _value = GRAD, True


class inference_mode(_Mode):
    """`no_grad`, by PyTorch's other name, also `@apus.inference_mode` before a function; `inference_mode(False)` changes nothing."""

    _bits = GRAD

    def __new__(cls, mode=True):
        self = object.__new__(cls)
        self._mode = bool(mode)
        return self(mode) if callable(mode) else self

    def __enter__(self):
        self._before = _C.change_mode(GRAD, False) if self._mode else _C.get_mode()
        return self

    def _fresh(self):
        return inference_mode(self._mode)


class set_grad_enabled(_Mode):
    """Says whether ops record their graph: at once, and, in a `with` block, until its end."""

    _bits = GRAD

    def __init__(self, mode):
        self._value = bool(mode)
        self._before = _C.change_mode(GRAD, self._value)

    def __enter__(self):
        _C.change_mode(GRAD, self._value)
        return self

    def __call__(self, function):
        _C.set_mode(self._before)
        return _Mode.__call__(self, function)

    def _fresh(self):
        return set_grad_enabled(self._value)


def is_grad_enabled():
    """Whether ops record their graph here."""
    return bool(_C.get_mode() & GRAD)


def is_inference_mode_enabled():
    """Whether gradients are off."""
    return not is_grad_enabled()


class detect_anomaly(_Mode):
    """Inside, the first NaN or infinity that comes about is an error that says which op made it."""

    _bits, _value = ANOMALY, True

    def __init__(self, check_nan=True):
        self._value = bool(check_nan)


class set_detect_anomaly(set_grad_enabled):
    """`detect_anomaly` from now on, or until the end of the block."""

    _bits = ANOMALY

    def __init__(self, mode, check_nan=True):
        self._value = bool(mode)
        self._before = _C.change_mode(ANOMALY, self._value)

    def __enter__(self):
        return self

    def _fresh(self):
        return set_detect_anomaly(self._value)


class autocast(_Mode):
    """Mixed precision: matrix products, convolutions and attention compute in bfloat16 (or float16), losses and norms in float32."""

    def __init__(self, device_type="cpu", dtype=None, enabled=True, cache_enabled=None):
        if device_type != "cpu":
            raise RuntimeError(f"autocast: '{device_type}' is not available; this build has: cpu")
        dtype = _C.bfloat16 if dtype is None else dtype
        if dtype not in (_C.bfloat16, _C.float16):
            raise TypeError(f"autocast: dtype is apus.bfloat16 or apus.float16, not {dtype}")
        self._dtype, self._enabled = dtype, enabled

    def __enter__(self):
        self._before = _C.change_mode(BFLOAT16 | FLOAT16, False)
        if self._enabled:
            _C.change_mode(BFLOAT16 if self._dtype is _C.bfloat16 else FLOAT16, True)
        return self

    def _fresh(self):
        return autocast("cpu", self._dtype, self._enabled)
