"""Expected values from PyTorch, for the tests of Muon, L-BFGS and the gradient scaler in ApusOptim.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_last_optimizers_golden.py
Writes Tests/ApusOptimTests/Golden/{Muon,LBFGS}.json, in the form of make_golden.py.
"""

import json
import math
import pathlib

import numpy
import torch

TESTS = pathlib.Path(__file__).resolve().parent.parent

MUON = [
    dict(),
    dict(lr=0.1, weight_decay=0.0),
    dict(lr=0.1, momentum=0.5, nesterov=False),
    dict(lr=0.1, adjust_lr_fn="match_rms_adamw"),
    dict(lr=0.05, ns_steps=2, eps=0.5),
    dict(lr=0.05, ns_coefficients=(2.0, -1.5, 0.5), weight_decay=0.3),
]

LBFGS = [
    dict(),
    dict(lr=0.5, max_iter=4),
    dict(line_search_fn="strong_wolfe"),
    dict(line_search_fn="strong_wolfe", max_iter=3, history_size=2),
    dict(lr=0.3, max_iter=5, history_size=1),
    dict(line_search_fn="strong_wolfe", max_iter=10, max_eval=6),
    dict(max_iter=30, tolerance_grad=1e-2, tolerance_change=1e-3, lr=0.2),
    dict(line_search_fn="strong_wolfe", lr=8.0, max_iter=2),
]


def in_own_dtype(grad, coefficients, steps, eps):
    """The iteration of torch.optim._muon in the gradient's dtype instead of bfloat16, whose roundings differ between libraries."""
    a, b, c = coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if grad.size(0) > grad.size(1) else x


def tensor(t):
    # As few digits as tell a float32 from its neighbours.
    short = lambda x: float(str(numpy.float32(x))) if t.dtype == torch.float32 else x
    values = [short(x) for x in t.detach().flatten().tolist()]
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": values}


def leaf(shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    # Thirty-seconds: exact in both dtypes, short in JSON.
    return torch.randint(-64, 65, shape, generator=generator).to(dtype).div(32).requires_grad_()


def flat(chosen):
    """Options as numbers."""
    words = {"original": 0, "match_rms_adamw": 1, "strong_wolfe": 1}
    result = {k: float(words.get(v, v)) for k, v in chosen.items() if k != "ns_coefficients"}
    for i, c in enumerate(chosen.get("ns_coefficients", ())):
        result[f"ns_coefficients.{i}"] = c
    return result


def muon_case(dtype, chosen, is_original):
    """20 steps with a wide and a high matrix; the parameters after steps 1, 6, 20."""
    x, y = leaf((5, 3), dtype, 21).detach(), leaf((5, 2), dtype, 22).detach()
    w, b = leaf((3, 4), dtype, 23), leaf((4, 2), dtype, 24)
    optimizer = torch.optim.Muon([w, b], **chosen)
    record = {"inputs": {k: tensor(v) for k, v in dict(x=x, y=y, w=w, b=b).items()}, "steps": {}}
    for step in range(1, 21):
        loss = (x @ w @ b - y).square().mean() * (1 + math.sin(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in (1, 6, 20):
            record["steps"][str(step)] = {"w": tensor(w), "b": tensor(b)}
    return {"name": ("bfloat16 " if is_original else "") + str(chosen), "options": flat(chosen), **record}


def lbfgs_case(dtype, chosen):
    """6 steps on a regression with a curved valley; loss at the start of each step and parameters after steps 1, 2, 6."""
    x, y = leaf((6, 3), dtype, 21).detach(), leaf((6, 1), dtype, 22).detach()
    w, b = leaf((3, 1), dtype, 23), leaf((1,), dtype, 24)
    optimizer = torch.optim.LBFGS([w, b], **chosen)
    record = {"inputs": {k: tensor(v) for k, v in dict(x=x, y=y, w=w, b=b).items()}, "steps": {}}

    def closure():
        optimizer.zero_grad()
        loss = (x @ w + b - y).square().sum() + (w[1] - w[0] ** 2).square().sum() + w.square().square().sum() / 8
        loss.backward()
        return loss

    for step in range(1, 7):
        loss = optimizer.step(closure)
        if step in (1, 2, 6):
            state = optimizer.state[w]
            counts = torch.tensor([state["n_iter"], state["func_evals"]], dtype=dtype)
            record["steps"][str(step)] = {"w": tensor(w), "b": tensor(b), "loss": tensor(loss), "counts": tensor(counts)}
    return {"name": str(chosen), "options": flat(chosen), **record}


def write(name, cases):
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path = TESTS / "ApusOptimTests" / "Golden" / f"{name}.json"
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.relative_to(TESTS), len(cases), "cases,", path.stat().st_size, "bytes")


cases = [muon_case(torch.float32, dict(lr=0.1), True)]
torch.optim._muon._zeropower_via_newtonschulz = in_own_dtype
cases += [muon_case(dtype, chosen, False) for dtype in (torch.float32, torch.float64) for chosen in MUON]
write("Muon", cases)
write("LBFGS", [lbfgs_case(torch.float64, chosen) for chosen in LBFGS] + [lbfgs_case(torch.float32, LBFGS[2])])
