"""Expected values from PyTorch, for the tests of ApusNN and ApusOptim.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_golden.py
Writes small JSON files beside the tests that read them. A tensor is {"dtype", "shape", "values"}; NaN and infinities are strings.
"""

import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F

TESTS = pathlib.Path(__file__).resolve().parent.parent
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def number(x, dtype):
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    # As few digits as tell a float32 from its neighbours.
    return float(str(numpy.float32(x))) if dtype == torch.float32 else x


def tensor(t):
    t = t.detach()
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "values": [number(x, t.dtype) for x in t.flatten().tolist()],
    }


def write(target, name, cases):
    path = TESTS / target / "Golden" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.relative_to(TESTS), len(cases), "cases,", path.stat().st_size, "bytes")


def pairwise(cases):
    """Few cases in which every two choices (name, dtype, options) that stand together in some case still do."""
    def choices(c):
        kinds = {"name": c["name"], "dtype": c["output"]["dtype"]} | c["options"]
        return [f"{k}={v}" for k, v in sorted(kinds.items())]

    def pairs(c):
        named = choices(c)
        return {(a, b) for i, a in enumerate(named) for b in named[i + 1:]}

    rest, kept, covered = list(cases), [], set()
    while rest:
        best = max(rest, key=lambda c: len(pairs(c) - covered))
        if not pairs(best) - covered:
            break
        covered |= pairs(best)
        kept.append(best)
        rest.remove(best)
    return kept


def leaf(shape, dtype, seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64) * scale
    return x.to(dtype).requires_grad_()


def case(name, inputs, outputs, leaves, **options):
    """Inputs, outputs, and the gradients of Σ outputs · (1, 2, 3, …)/10 with respect to the leaves."""
    weights = (torch.arange(outputs.numel(), dtype=outputs.dtype) + 1).reshape(outputs.shape) / 10
    gradients = torch.autograd.grad((outputs * weights).sum(), leaves)
    return {
        "name": name,
        "options": options,
        "inputs": {k: tensor(v) for k, v in inputs.items()},
        "output": tensor(outputs),
        "gradients": [tensor(g) for g in gradients],
    }


def linear_cases():
    for dtype in DTYPES.values():
        for shape in [(5, 4), (4,), (2, 3, 4), (0, 4)]:
            for has_bias in [True, False]:
                x, w, b = leaf(shape, dtype, 1), leaf((3, 4), dtype, 2), leaf((3,), dtype, 3)
                inputs = {"x": x, "weight": w} | ({"bias": b} if has_bias else {})
                y = F.linear(x, w, b if has_bias else None)
                yield case(f"linear {shape} bias={has_bias}", inputs, y, list(inputs.values()))


def mse_cases():
    for dtype in DTYPES.values():
        for shape in [(3, 4), (), (2, 1, 3)]:
            for reduction in ["none", "mean", "sum"]:
                x, t = leaf(shape, dtype, 4), leaf(shape, dtype, 5)
                y = F.mse_loss(x, t, reduction=reduction)
                yield case(f"mse {shape}", {"x": x, "target": t}, y, [x, t], reduction=reduction)


def cross_entropy_cases():
    shapes = [((5,), ()), ((4, 5), (4,)), ((2, 5, 3), (2, 3)), ((2, 5, 2, 2), (2, 2, 2))]
    for dtype in DTYPES.values():
        for logits_shape, target_shape in shapes if dtype == torch.float64 else shapes[1:2]:
            for weighted in [False, True]:
                for smoothing in [0.0, 0.1]:
                    for reduction in ["none", "mean", "sum"]:
                        x = leaf(logits_shape, dtype, 6, scale=3.0)
                        w = leaf((5,), dtype, 7).detach().abs() + 0.25 if weighted else None
                        options = dict(reduction=reduction, label_smoothing=smoothing)
                        name = f"{logits_shape} weight={weighted}"
                        inputs = {"x": x} | ({"weight": w} if weighted else {})
                        t = torch.randint(0, 5, target_shape, generator=torch.Generator().manual_seed(8))
                        y = F.cross_entropy(x, t, weight=w, **options)
                        yield case(f"labels {name}", inputs | {"target": t}, y, [x], **options)
                        if target_shape and dtype == torch.float64 and reduction != "sum":
                            t = t.clone()
                            t.flatten()[1] = 3
                            y = F.cross_entropy(x, t, weight=w, ignore_index=3, **options)
                            yield case(f"ignored {name}", inputs | {"target": t}, y, [x], ignore_index=3, **options)
                        dim = 0 if len(logits_shape) == 1 else 1
                        q = leaf(logits_shape, dtype, 9).softmax(dim).detach().requires_grad_()
                        y = F.cross_entropy(x, q, weight=w, **options)
                        yield case(f"probabilities {name}", inputs | {"target": q}, y, [x, q], **options)
    x, t = leaf((3, 5), torch.float64, 10), torch.full((3,), -100)
    for reduction in ["none", "mean", "sum"]:
        y = F.cross_entropy(x, t, reduction=reduction)
        yield case("all ignored", {"x": x, "target": t}, y, [x], reduction=reduction, label_smoothing=0.0)


def nll_cases():
    for weighted in [False, True]:
        for reduction in ["none", "mean", "sum"]:
            for shape, target_shape in [((4, 5), (4,)), ((2, 5, 3), (2, 3)), ((5,), ())]:
                x = leaf(shape, torch.float64, 11)
                w = leaf((5,), torch.float64, 12).detach().abs() if weighted else None
                t = torch.randint(0, 5, target_shape, generator=torch.Generator().manual_seed(13))
                y = F.nll_loss(x, t, weight=w, reduction=reduction, ignore_index=2)
                inputs = {"x": x, "target": t} | ({"weight": w} if weighted else {})
                yield case(f"nll {shape}", inputs, y, [x], reduction=reduction, ignore_index=2)


OPTIMIZERS = {
    "SGD": (
        torch.optim.SGD,
        [
            dict(lr=0.1),
            dict(lr=0.1, weight_decay=0.05),
            dict(lr=0.1, momentum=0.9),
            dict(lr=0.1, momentum=0.9, dampening=0.3),
            dict(lr=0.1, momentum=0.9, nesterov=True),
            dict(lr=0.1, momentum=0.5, nesterov=True, weight_decay=0.1),
            dict(lr=0.01, momentum=0.9, maximize=True),
            dict(lr=0.01, weight_decay=0.1, momentum=0.8, dampening=0.1, maximize=True),
        ],
    ),
    "Adam": (
        torch.optim.Adam,
        [
            dict(lr=0.1),
            dict(lr=0.05, betas=(0.8, 0.95)),
            dict(lr=0.1, eps=0.01),
            dict(lr=0.1, weight_decay=0.1),
            dict(lr=0.1, amsgrad=True),
            dict(lr=0.1, maximize=True),
            dict(lr=0.1, amsgrad=True, weight_decay=0.1, maximize=True),
        ],
    ),
    "AdamW": (
        torch.optim.AdamW,
        [
            dict(lr=0.1),
            dict(lr=0.1, weight_decay=0.3),
            dict(lr=0.1, weight_decay=0.0, betas=(0.7, 0.9)),
            dict(lr=0.1, amsgrad=True, eps=1e-3),
            dict(lr=0.1, maximize=True, weight_decay=0.2),
        ],
    ),
}


def optimizer_cases(make, options):
    """20 steps on Σ (X w + b − y)² / n with gradients that change scale; the parameters after steps 1, 2, 5, 20."""
    for dtype in DTYPES.values():
        for chosen in options:
            x = leaf((6, 3), dtype, 21).detach()
            y = leaf((6, 2), dtype, 22).detach()
            w, b = leaf((3, 2), dtype, 23), leaf((2,), dtype, 24)
            optimizer = make([w, b], foreach=False, **chosen)
            record = {"inputs": {"x": tensor(x), "y": tensor(y), "w": tensor(w), "b": tensor(b)}, "steps": {}}
            for step in range(1, 21):
                loss = (x @ w + b - y).square().mean() * (1 + math.sin(step))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if step in (1, 2, 5, 20):
                    record["steps"][str(step)] = {"w": tensor(w), "b": tensor(b)}
            flat = {k: v for k, v in chosen.items() if k != "betas"}
            if "betas" in chosen:
                flat["beta1"], flat["beta2"] = chosen["betas"]
            yield {"name": str(chosen), "options": {k: float(v) for k, v in flat.items()}, **record}


if __name__ == "__main__":
    write("ApusNNTests", "linear", list(linear_cases()))
    write("ApusNNTests", "mse", list(mse_cases()))
    write("ApusNNTests", "crossEntropy", pairwise(cross_entropy_cases()))
    write("ApusNNTests", "nll", pairwise(nll_cases()))
    for name, (make, options) in OPTIMIZERS.items():
        write("ApusOptimTests", name, list(optimizer_cases(make, options)))
