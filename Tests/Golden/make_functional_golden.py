"""Expected values from torch.autograd.functional, for the tests of functional differentiation in ApusCore.

Run by hand, with torch 2.13.0:  python3 Tests/Golden/make_functional_golden.py
Writes Tests/ApusCoreTests/Golden/functional.json; the functions stand under the same names in FunctionalTests.swift.
"""

import json
import pathlib

import numpy
import torch
from torch.autograd import functional

PATH = pathlib.Path(__file__).resolve().parent.parent / "ApusCoreTests" / "Golden" / "functional.json"

# Functions of several tensors with several values, and functions with one number.
MAPS = {
    "cubes": lambda x, w: (x**3 * 2,),
    "layer": lambda x, w: (torch.tanh(x @ w), x.exp().sum(0)),
    "constant": lambda x, w: (w.sin(), torch.ones(2, dtype=x.dtype)),
}
NUMBERS = {
    "energy": lambda x, w: torch.tanh(x @ w).square().sum() + x.exp().mean(),
    "quartic": lambda x, w: (x**4).sum() * w[0, 0],
}


def tensor(t):
    # As few digits as tell a float32 from its neighbours.
    short = lambda x: float(str(numpy.float32(x))) if t.dtype == torch.float32 else x
    values = [short(x) for x in t.detach().flatten().tolist()]
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": values}


def draw(shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    # Thirty-seconds: exact in both dtypes, short in JSON.
    return torch.randint(-48, 49, shape, generator=generator).to(dtype).div(32)


def nested(ts):
    return [[tensor(t) for t in row] for row in ts]


def cases():
    for dtype in (torch.float32, torch.float64):
        xs = (draw((2, 3), dtype, 1), draw((3, 2), dtype, 2))
        us = (draw((2, 3), dtype, 3), draw((3, 2), dtype, 4))
        base = {"inputs": [tensor(x) for x in xs], "along": [tensor(u) for u in us]}
        for name, f in MAPS.items():
            ys = f(*xs)
            vs = tuple(draw(tuple(y.shape), dtype, 5 + i) for i, y in enumerate(ys))
            results = {
                "value": [[tensor(y) for y in ys]],
                "vjp": [[tensor(t) for t in functional.vjp(f, xs, vs)[1]]],
                "jvp": [[tensor(t) for t in functional.jvp(f, xs, us)[1]]],
                "jacobian": nested(functional.jacobian(f, xs)),
            }
            yield {"name": name, **base, "vectors": [tensor(v) for v in vs], "results": results}
        for name, f in NUMBERS.items():
            results = {
                "value": [[tensor(f(*xs))]],
                "grad": [[tensor(t) for t in functional.vjp(f, xs)[1]]],
                "vhp": [[tensor(t) for t in functional.vhp(f, xs, us)[1]]],
                "hvp": [[tensor(t) for t in functional.hvp(f, xs, us)[1]]],
                "hessian": nested(functional.hessian(f, xs)),
            }
            yield {"name": name, **base, "vectors": [], "results": results}


lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases())
PATH.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
print(PATH.name, PATH.stat().st_size, "bytes")
