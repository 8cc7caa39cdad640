"""Expected values from PyTorch for attention.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_attention_golden.py
Writes Tests/ApusCoreTests/Golden/attention.json: inputs, options, output, and the gradients of Σ output · (1, 2, 3, …)/10 with respect to
query, key, value and a mask of floats.
"""

import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F

PATH = pathlib.Path(__file__).resolve().parent.parent / "ApusCoreTests" / "Golden" / "attention.json"
inf = math.inf


def number(x, dtype):
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    # As few digits as tell a float32 from its neighbours.
    return float(str(numpy.float32(x))) if dtype == torch.float32 else int(x) if isinstance(x, bool) else x


def encoded(t):
    t = t.detach()
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "values": [number(x, t.dtype) for x in t.flatten().tolist()],
    }


def draw(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * 100).round() / 100


def cases():
    allowed = torch.tensor([[True, True, False, True], [False, False, False, False], [False, True, True, True]])
    added = torch.tensor([[0.5, -1, -inf, 0], [-inf, -inf, -inf, -inf], [0.25, 0, -2, -inf]], dtype=torch.float64)
    usual = ((1, 2, 3, 2), (1, 2, 4, 2), (1, 2, 4, 2))
    for name, shapes, mask, options in [
        ("plain", usual, None, {}),
        ("two axes, other value features", ((3, 4), (5, 4), (5, 2)), None, {}),
        ("causal, more keys", usual, None, dict(is_causal=True)),
        ("causal, more queries", ((1, 5, 2), (1, 3, 2), (1, 3, 2)), None, dict(is_causal=True)),
        ("scale", usual, None, dict(scale=-0.75)),
        ("scale 0", usual, None, dict(scale=0.0)),
        ("bool mask with an empty row", usual, allowed, {}),
        ("added mask with an empty row", usual, added, {}),
        ("key padding", usual, torch.tensor([[True] * 4, [True, True, False, False]]).reshape(1, 2, 1, 4), {}),
        ("learned bias", usual, draw((2, 3, 4), 9), {}),
        ("broadcast batches", ((2, 1, 2, 2), (1, 3, 2, 2), (2, 2)), None, {}),
        ("grouped heads", ((1, 4, 3, 2), (1, 2, 4, 2), (1, 2, 4, 3)), None, dict(enable_gqa=True)),
        ("grouped heads with a mask", ((1, 4, 3, 2), (1, 2, 4, 2), (1, 2, 4, 3)), allowed, dict(enable_gqa=True)),
        ("one head for all", ((1, 3, 2, 2), (1, 1, 3, 2), (1, 1, 3, 2)), None, dict(enable_gqa=True, is_causal=True)),
        ("one query", ((2, 1, 4), (2, 5, 4), (2, 5, 4)), None, {}),
        ("no keys", ((2, 3, 4), (2, 0, 4), (2, 0, 4)), None, {}),
        ("no queries", ((2, 0, 4), (2, 3, 4), (2, 3, 4)), None, {}),
        ("no features", ((1, 2, 0), (1, 3, 0), (1, 3, 2)), None, {}),
    ]:
        for dtype in [torch.float32, torch.float64] if name == "bool mask with an empty row" else [torch.float64]:
            q, k, v = (draw(s, i + 1).to(dtype).requires_grad_() for i, s in enumerate(shapes))
            leaves = [q, k, v]
            m = mask if mask is None or mask.dtype == torch.bool else mask.to(dtype)
            if name == "learned bias":
                leaves.append(m.requires_grad_())
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=m, **options)
            weights = (torch.arange(y.numel(), dtype=dtype) + 1).reshape(y.shape) / 10
            gradients = torch.autograd.grad((y * weights).sum(), leaves)
            inputs = {"query": q, "key": k, "value": v} | ({} if m is None else {"mask": m})
            yield {
                "name": name,
                "options": options,
                "inputs": {key: encoded(t) for key, t in inputs.items()},
                "output": encoded(y),
                "gradients": [encoded(g) for g in gradients],
            }


found = list(cases())
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in found)
PATH.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
print(PATH.name, len(found), "cases,", PATH.stat().st_size, "bytes")
