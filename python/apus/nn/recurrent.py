"""Recurrent networks."""

import math

from .._api import functions as _f
from .._api import hidden as _hidden
from . import functional as F
from . import init
from .linear import _empty
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

_GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}


class _Recurrent(Module):
    def _set_up(self, cell, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype):
        kind = type(self).__name__
        if input_size <= 0 or hidden_size <= 0 or num_layers <= 0:
            raise ValueError(f"{kind}: {input_size} inputs, {hidden_size} units and {num_layers} layers must all be positive")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{kind}: dropout {dropout} is not in 0..1")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"{kind}: proj_size {proj_size} is not below the {hidden_size} units")
        self.mode, self.input_size, self.hidden_size, self.num_layers = cell, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, float(dropout), bidirectional
        self.proj_size = proj_size
        rows, output = _GATES[cell] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                width = input_size if layer == 0 else output * self._directions
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, output)}
                if bias:
                    shapes.update(bias_ih=(rows,), bias_hh=(rows,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(_empty(dtype, *shape)))
        self.reset_parameters()

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer):
        return [f"_l{layer}"] + ([f"_l{layer}_reverse"] if self.bidirectional else [])

    @property
    def all_weights(self):
        """The parameters of each layer and direction."""
        return [
            [getattr(self, name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr") if hasattr(self, name + suffix)]
            for layer in range(self.num_layers) for suffix in self._suffixes(layer)
        ]

    def reset_parameters(self):
        """Draws the first values again."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self):
        """Of no account: parameters need not lie beside each other."""

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: input has two or three axes, not {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"{type(self).__name__}: input of {input.shape[-1]} numbers, {self.input_size} expected")
        is_batch = input.dim() == 3
        states = [] if hx is None else list(hx) if self.mode == "lstm" else [hx]
        if not is_batch:
            input, states = input.unsqueeze(1), [state.unsqueeze(1) for state in states]
        elif self.batch_first:
            input = input.transpose(0, 1)
        steps, batch = input.shape[0], input.shape[1]
        self._check_states(states, batch)
        data, states = self._run(input.reshape(steps * batch, self.input_size), [batch] * steps, states)
        output = data.reshape(steps, batch, -1)
        if not is_batch:
            output, states = output.squeeze(1), [state.squeeze(1) for state in states]
        elif self.batch_first:
            output = output.transpose(0, 1)
        return output, tuple(states) if self.mode == "lstm" else states[0]

    def _packed(self, input, hx):
        sizes = input.batch_sizes.tolist()
        states = [] if hx is None else list(hx) if self.mode == "lstm" else [hx]
        if input.sorted_indices is not None:
            states = [state.index_select(1, input.sorted_indices) for state in states]
        self._check_states(states, sizes[0])
        data, states = self._run(input.data, sizes, states)
        if input.unsorted_indices is not None:
            states = [state.index_select(1, input.unsorted_indices) for state in states]
        packed = PackedSequence(data, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
        return packed, tuple(states) if self.mode == "lstm" else states[0]

    def _check_states(self, states, batch):
        layers = self.num_layers * self._directions
        for state, width in zip(states, (self.proj_size or self.hidden_size, self.hidden_size)):
            if tuple(state.shape) != (layers, batch, width):
                raise RuntimeError(f"{type(self).__name__}: a state of shape {list(state.shape)}, [{layers}, {batch}, {width}] expected")

    def _run(self, data, sizes, states):
        layers = self.num_layers * self._directions
        if not states:
            widths = [self.proj_size or self.hidden_size] + ([self.hidden_size] if self.mode == "lstm" else [])
            states = [_f["zeros"](layers, sizes[0], width, dtype=data.dtype) for width in widths]
        last = [[] for _ in states]
        for layer in range(self.num_layers):
            outputs = []
            for direction, suffix in enumerate(self._suffixes(layer)):
                i = layer * self._directions + direction
                weights = [getattr(self, name + suffix, None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")]
                result = _hidden["_recurrent"](
                    self.mode, sizes, direction == 1, data, *weights, states[0][i], states[1][i] if len(states) > 1 else None)
                outputs.append(result[0])
                for kept, state in zip(last, result[1:]):
                    kept.append(state)
            data = outputs[0] if len(outputs) == 1 else _f["cat"](outputs, dim=1)
            if layer < self.num_layers - 1 and self.dropout > 0 and self.training:
                data = F.dropout(data, self.dropout, True)
        return data, [_f["stack"](kept) for kept in last]

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size:
            text += f", proj_size={self.proj_size}"
        for name, standard in (("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0.0), ("bidirectional", False)):
            if getattr(self, name) != standard:
                text += f", {name}={getattr(self, name)}"
        return text


_ARGS = """
    Args:
        input_size: numbers of an input.
        hidden_size: units.
        num_layers: layers on top of each other.{extra}
        bias: whether there are biases.
        batch_first: whether the batch comes before the time: [N, T, ...] instead of [T, N, ...].
        dropout: of every layer's output but the last's.
        bidirectional: whether a second network goes from the last step to the first.
"""


class RNN(_Recurrent):
    __doc__ = """hₜ = tanh(W xₜ + b + V hₜ₋₁ + c), for all steps of sequences.
""" + _ARGS.format(extra="\n        nonlinearity: tanh or relu.") + """
    Takes sequences (a tensor or a PackedSequence) and, optionally, the first state; returns the states of all steps and the last one.
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0, bidirectional=False,
        device=None, dtype=None,
    ):
        super().__init__()
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity {nonlinearity!r} is neither 'tanh' nor 'relu'")
        self.nonlinearity = nonlinearity
        self._set_up(nonlinearity, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)


class LSTM(_Recurrent):
    __doc__ = """Long short-term memory: a cell state behind an input, a forget and an output gate. Hochreiter and Schmidhuber 1997.
""" + _ARGS.format(extra="") + """        proj_size: the size that the state is mapped to, if not 0.

    Takes sequences (a tensor or a PackedSequence) and, optionally, the first state and cell state; returns the states of all steps and the last
    pair.
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, proj_size=0, device=None,
        dtype=None,
    ):
        super().__init__()
        self._set_up("lstm", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype)


class GRU(_Recurrent):
    __doc__ = """Gated recurrent units: a reset and an update gate. Cho and others 2014.
""" + _ARGS.format(extra="") + """
    Takes sequences (a tensor or a PackedSequence) and, optionally, the first state; returns the states of all steps and the last one.
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None
    ):
        super().__init__()
        self._set_up("gru", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)


class _Cell(Module):
    def _set_up(self, cell, input_size, hidden_size, bias, dtype):
        self.mode, self.input_size, self.hidden_size, self.bias = cell, input_size, hidden_size, bias
        rows = _GATES[cell] * hidden_size
        self.weight_ih, self.weight_hh = Parameter(_empty(dtype, rows, input_size)), Parameter(_empty(dtype, rows, hidden_size))
        self.register_parameter("bias_ih", Parameter(_empty(dtype, rows)) if bias else None)
        self.register_parameter("bias_hh", Parameter(_empty(dtype, rows)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws the first values again."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, input, states):
        if input.dim() not in (1, 2) or input.shape[-1] != self.input_size:
            raise ValueError(f"{type(self).__name__}: input of shape {list(input.shape)}, [{self.input_size}] or [N, {self.input_size}] expected")
        is_batch = input.dim() == 2
        x = input if is_batch else input.unsqueeze(0)
        if states is None:
            states = [_f["zeros"](x.shape[0], self.hidden_size, dtype=x.dtype) for _ in range(2 if self.mode == "lstm" else 1)]
        elif not is_batch:
            states = [state.unsqueeze(0) for state in states]
        result = _hidden["_recurrent"](
            self.mode, [x.shape[0]], False, x, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None, states[0],
            states[1] if len(states) > 1 else None)
        result = result[1:]
        return [state if is_batch else state.squeeze(0) for state in result]

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")


class RNNCell(_Cell):
    """One step of an `RNN`: takes an input and a state, returns the next state."""

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__()
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity {nonlinearity!r} is neither 'tanh' nor 'relu'")
        self.nonlinearity = nonlinearity
        self._set_up(nonlinearity, input_size, hidden_size, bias, dtype)

    def forward(self, input, hx=None):
        return self._step(input, None if hx is None else [hx])[0]

    def extra_repr(self):
        return super().extra_repr() + (f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else "")


class LSTMCell(_Cell):
    """One step of an `LSTM`: takes an input and the pair of states, returns the next pair."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__()
        self._set_up("lstm", input_size, hidden_size, bias, dtype)

    def forward(self, input, hx=None):
        return tuple(self._step(input, None if hx is None else list(hx)))


class GRUCell(_Cell):
    """One step of a `GRU`: takes an input and a state, returns the next state."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__()
        self._set_up("gru", input_size, hidden_size, bias, dtype)

    def forward(self, input, hx=None):
        return self._step(input, None if hx is None else [hx])[0]


__all__ = ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"]
