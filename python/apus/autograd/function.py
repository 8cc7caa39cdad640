"""Differentiable functions written in Python."""

from .. import _C
from .._modes import no_grad


class FunctionCtx:
    """What `forward` leaves for `backward`."""

    def __init__(self, needs):
        self.needs_input_grad = needs
        self.saved_tensors = ()
        self.materialize_grads = True
        self._not_differentiable = ()

    def save_for_backward(self, *tensors):
        """Keeps tensors for `backward`, where they are `saved_tensors`. (Tensors are values: later in-place ops don't change these.)"""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors):
        """Says that gradients don't flow back from these results."""
        self._not_differentiable = tensors

    def mark_dirty(self, *tensors):
        """Of no account: an in-place op gives a tensor other numbers and leaves those of others alone."""

    def set_materialize_grads(self, value):
        """Whether results without a gradient have zeros (the default) or None in `backward`."""
        self.materialize_grads = bool(value)


class _Backward:
    """What the graph calls."""

    def __init__(self, function, ctx, outputs, places, count):
        self.function, self.ctx, self.places, self.count = function, ctx, places, count
        self.kinds = [(tuple(y.shape), y.dtype) for y in outputs]

    def __call__(self, *gradients):
        if self.ctx.materialize_grads:
            from .._api import functions

            gradients = tuple(
                functions["zeros"](shape, dtype=dtype) if g is None else g for g, (shape, dtype) in zip(gradients, self.kinds))
        found = self.function.backward(self.ctx, *gradients)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) < self.count or any(g is not None for g in found[self.count:]):
            raise RuntimeError(f"{self.function.__name__}.backward returned {len(found)} gradients for {self.count} inputs")
        return tuple(found[i] for i in self.places)


class Function:
    """A differentiable function: a subclass has the static methods `forward(ctx, ...)` and `backward(ctx, *gradients)`.

    `backward` returns a gradient, or None, for every argument of `forward`. Written with tensor ops, it can be differentiated again.
    """

    @staticmethod
    def forward(ctx, *args, **keywords):
        """Computes the results; nothing in here is recorded."""
        raise NotImplementedError("a Function has a static method forward(ctx, ...)")

    @staticmethod
    def backward(ctx, *gradients):
        """Computes the gradients of the arguments from those of the results."""
        raise NotImplementedError("a Function has a static method backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args, **keywords):
        """Calls the function."""
        places = [i for i, arg in enumerate(args) if isinstance(arg, _C.Tensor)]
        ctx = FunctionCtx(tuple(isinstance(arg, _C.Tensor) and arg.requires_grad for arg in args))
        has_setup = cls.setup_context is not Function.setup_context
        with no_grad():
            result = cls.forward(*args, **keywords) if has_setup else cls.forward(ctx, *args, **keywords)
            if has_setup:
                cls.setup_context(ctx, args, result)
        outputs = result if isinstance(result, tuple) else (result,)
        if any(ctx.needs_input_grad):
            given = [arg for arg in args if isinstance(arg, _C.Tensor)]
            tracked = tuple(
                y.detach() if any(y is x for x in given) else y
                for y in outputs)
            chosen = tuple(
                y for y, original in zip(tracked, outputs)
                if isinstance(y, _C.Tensor) and y.dtype.is_floating_point and not any(original is n for n in ctx._not_differentiable))
            if chosen:
                _C.attach(
                    chosen, tuple(args[i] for i in places), _Backward(cls, ctx, chosen, places, len(args)), cls.__name__)
            outputs = tracked
        return outputs if isinstance(result, tuple) else outputs[0]

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Fills in the context where `forward` takes none."""
