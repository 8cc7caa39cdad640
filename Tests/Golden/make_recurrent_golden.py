"""Expected values from PyTorch for recurrent layers and cells: RNN, LSTM, GRU with every option, packed sequences, RNNCell and so on.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_recurrent_golden.py
The numbers of parameters and inputs follow from a formula (`numbers`) that the tests know too. The format is that of make_golden.py.
"""

import json
import pathlib

import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusNNTests" / "Golden"


def tensor(t):
    t = t.detach()
    short = (lambda x: float(str(numpy.float32(x)))) if t.dtype == torch.float32 else (lambda x: float(f"{x:.13g}"))
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "values": [short(x) for x in t.flatten().tolist()],
    }


def write(name, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = FOLDER / f"{name}.json"
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def weighted(outputs):
    return sum((y * (torch.arange(y.numel(), dtype=y.dtype) + 1).reshape(y.shape) / 10).sum() for y in outputs)


def record(name, module, x, states, run, **options):
    """Parameters, inputs, outputs, and the gradients of Σ outputs · (1, 2, 3, …)/10."""
    outputs = run(module, x, states)
    leaves = [x, *states, *module.parameters()]
    gradients = torch.autograd.grad(weighted(outputs), leaves, allow_unused=True)
    return {
        "name": name,
        "options": {camel(k): v for k, v in options.items()},
        "dtype": str(x.dtype).removeprefix("torch."),
        "names": list(module.state_dict()),
        "x": list(x.shape),
        "states": [list(s.shape) for s in states],
        "outputs": [tensor(y) for y in outputs],
        "gradients": [tensor(g) for g in gradients],
    }


def numbers(shape, dtype, k):
    """The k-th set of numbers: sin(k + 0.7 j) for j = 0, 1, …."""
    x = torch.sin(k + 0.7 * torch.arange(torch.Size(shape).numel(), dtype=torch.float64)).reshape(shape)
    return x.to(dtype).requires_grad_()


def prepared(module, dtype):
    module = module.to(dtype)
    with torch.no_grad():
        for k, p in enumerate(module.parameters()):
            p.copy_(numbers(p.shape, dtype, k + 3))
    return module


def plain(module, x, states):
    y, last = module(x, (tuple(states) if len(states) == 2 else states[0]) if states else None)
    return [y, *(last if isinstance(last, tuple) else [last])]


def packed(lengths, batch_first):
    def run(module, x, states):
        p = pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
        y, last = module(p, (tuple(states) if len(states) == 2 else states[0]) if states else None)
        y, back = pad_packed_sequence(y, batch_first=batch_first, padding_value=-1.0, total_length=x.shape[1 if batch_first else 0])
        assert back.tolist() == lengths
        return [y, *(last if isinstance(last, tuple) else [last])]
    return run


def layer_cases(make, kind):
    steps, batch, size, hidden = 3, 2, 3, 2
    options = [
        dict(),
        dict(dtype=torch.float32),
        dict(states=True),
        dict(num_layers=2, states=True, dtype=torch.float32),
        dict(bias=False, batch_first=True),
        dict(bidirectional=True, states=True),
        dict(num_layers=2, bidirectional=True, bias=False),
        dict(unbatched=True, states=True, batch_first=True),
        dict(lengths=[1, 3, 2], states=True),
        dict(lengths=[3, 3, 1], bidirectional=True, num_layers=2, batch_first=True),
        dict(lengths=[2, 1, 3], bidirectional=True, states=True, dtype=torch.float32),
    ]
    if kind == "lstm":
        options += [
            dict(proj_size=1, states=True),
            dict(proj_size=1, num_layers=2, bidirectional=True, dtype=torch.float32),
            dict(proj_size=1, bidirectional=True, lengths=[1, 3, 2], states=True),
        ]
    if kind == "rnn":
        options += [dict(nonlinearity="relu", states=True), dict(nonlinearity="relu", bidirectional=True, lengths=[2, 3, 1])]
    for described in options:
        chosen = dict(described)
        dtype, has_states = chosen.pop("dtype", torch.float64), chosen.pop("states", False)
        lengths, unbatched = chosen.pop("lengths", None), chosen.pop("unbatched", False)
        n = len(lengths) if lengths else batch
        module = prepared(make(size, hidden, **chosen), dtype)
        batch_first = chosen.get("batch_first", False)
        shape = (steps, size) if unbatched else (n, steps, size) if batch_first else (steps, n, size)
        x = numbers(shape, dtype, 0)
        rows = chosen.get("num_layers", 1) * (2 if chosen.get("bidirectional") else 1)
        widths = [chosen.get("proj_size") or hidden] + ([hidden] if kind == "lstm" else [])
        states = [numbers((rows, w) if unbatched else (rows, n, w), dtype, k + 1) for k, w in enumerate(widths)] if has_states else []
        run = packed(lengths, batch_first) if lengths else plain
        extra = dict(lengths=lengths) if lengths else {}
        yield record(f"{kind} {described}", module, x, states, run, **chosen, **extra)


def cell_cases():
    def run(module, x, states):
        y = module(x, (tuple(states) if len(states) == 2 else states[0]) if states else None)
        return list(y) if isinstance(y, tuple) else [y]
    makers = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}
    for kind, make in makers.items():
        for i, (dtype, shape, has_states, options) in enumerate([
            (torch.float64, (4, 2), True, {}),
            (torch.float32, (4, 2), False, {}),
            (torch.float64, (2,), True, dict(bias=False)),
        ]):
            if kind == "rnn" and i == 2:
                options = dict(nonlinearity="relu") | options
            module = prepared(make(2, 3, **options), dtype)
            x = numbers(shape, dtype, 0)
            states = [numbers(shape[:-1] + (3,), dtype, k + 1) for k in range(2 if kind == "lstm" else 1)] if has_states else []
            yield record(f"{kind} cell {i}", module, x, states, run, **options)


write("rnn", list(layer_cases(torch.nn.RNN, "rnn")))
lstm = list(layer_cases(torch.nn.LSTM, "lstm"))
write("lstm", [case for case in lstm if not case["options"].keys() & {"lengths", "projSize"}])
write("lstmMore", [case for case in lstm if case["options"].keys() & {"lengths", "projSize"}])
write("gru", list(layer_cases(torch.nn.GRU, "gru")))
write("recurrentCells", list(cell_cases()))
