"""Expected values from PyTorch, for the tests of the less common optimizers in ApusOptim.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_more_optimizers_golden.py
Writes Tests/ApusOptimTests/Golden/<optimizer>.json, in the form of make_golden.py, but with fewer numbers: two weights and a bias.
"""

import json
import math
import pathlib

import numpy
import torch

TESTS = pathlib.Path(__file__).resolve().parent.parent

OPTIMIZERS = {
    "RMSprop": [
        dict(),
        dict(lr=0.05, alpha=0.9, eps=0.01),
        dict(lr=0.02, momentum=0.9),
        dict(lr=0.05, centered=True),
        dict(lr=0.05, weight_decay=0.1, maximize=True),
        dict(lr=0.01, alpha=0.8, momentum=0.5, centered=True, weight_decay=0.1),
    ],
    "Adagrad": [
        dict(),
        dict(lr=0.3, lr_decay=0.1),
        dict(lr=0.3, initial_accumulator_value=0.5, eps=0.01),
        dict(lr=0.3, weight_decay=0.2),
        dict(lr=0.1, maximize=True, lr_decay=0.01, weight_decay=0.1),
    ],
    "Adadelta": [
        dict(),
        dict(lr=0.5, rho=0.5),
        dict(eps=0.01),
        dict(weight_decay=0.2),
        dict(lr=2.0, rho=0.95, eps=1e-4, weight_decay=0.1, maximize=True),
    ],
    "Adamax": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95)),
        dict(lr=0.1, eps=0.1),
        dict(lr=0.1, weight_decay=0.2),
        dict(lr=0.05, betas=(0.5, 0.9), weight_decay=0.1, maximize=True),
    ],
    "NAdam": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95), eps=0.01),
        dict(lr=0.1, momentum_decay=0.5),
        dict(lr=0.1, weight_decay=0.2),
        dict(lr=0.1, weight_decay=0.2, decoupled_weight_decay=True),
        dict(lr=0.05, momentum_decay=0.1, weight_decay=0.1, maximize=True),
    ],
    "RAdam": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95), eps=0.01),
        dict(lr=0.1, betas=(0.9, 0.6)),
        dict(lr=0.1, weight_decay=0.2),
        dict(lr=0.1, weight_decay=0.2, decoupled_weight_decay=True),
        dict(lr=0.05, weight_decay=0.1, maximize=True),
    ],
}


def tensor(t):
    # As few digits as tell a float32 from its neighbours.
    short = lambda x: float(str(numpy.float32(x))) if t.dtype == torch.float32 else x
    values = [short(x) for x in t.detach().flatten().tolist()]
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": values}


def leaf(shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    # Thirty-seconds: exact in both dtypes, short in JSON.
    return torch.randint(-64, 65, shape, generator=generator).to(dtype).div(32).requires_grad_()


def case(name, dtype, chosen):
    """20 steps on Σ (X w + b − y)² / n with gradients that change scale; the parameters after steps 1, 6, 20."""
    # NAdam keeps its product of momenta in the default dtype: float32 would spoil the float64 cases.
    torch.set_default_dtype(dtype)
    x, y = leaf((4, 2), dtype, 21).detach(), leaf((4, 1), dtype, 22).detach()
    w, b = leaf((2, 1), dtype, 23), leaf((1,), dtype, 24)
    optimizer = getattr(torch.optim, name)([w, b], foreach=False, **chosen)
    record = {"inputs": {k: tensor(v) for k, v in dict(x=x, y=y, w=w, b=b).items()}, "steps": {}}
    for step in range(1, 21):
        loss = (x @ w + b - y).square().mean() * (1 + math.sin(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in (1, 6, 20):
            record["steps"][str(step)] = {"w": tensor(w), "b": tensor(b)}
    flat = {k: v for k, v in chosen.items() if k != "betas"}
    if "betas" in chosen:
        flat["beta1"], flat["beta2"] = chosen["betas"]
    return {"name": str(chosen), "options": {k: float(v) for k, v in flat.items()}, **record}


for name, options in OPTIMIZERS.items():
    cases = [case(name, dtype, chosen) for dtype in (torch.float32, torch.float64) for chosen in options]
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path = TESTS / "ApusOptimTests" / "Golden" / f"{name}.json"
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.relative_to(TESTS), len(cases), "cases,", path.stat().st_size, "bytes")
