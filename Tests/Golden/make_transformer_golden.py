"""Expected values from PyTorch for MultiheadAttention and the transformer layers.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_transformer_golden.py
Writes multihead.json, transformerLayers.json and transformer.json to Tests/ApusNNTests/Golden. A case has the module's options, its state under PyTorch's keys,
inputs, outputs, and the gradients of Σ outputs · (1, 2, 3, …)/10 over all outputs with respect to the inputs of floats and all parameters.
"""

import json
import math
import pathlib

import numpy
import torch
import torch.nn as nn

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusNNTests" / "Golden"


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


def draw(shape, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    return ((torch.randn(shape, generator=generator, dtype=torch.float64) * 70).round() / 100).to(dtype)


def case(name, module, dtype, inputs, call, **options):
    module = module.to(dtype).eval()
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(draw(p.shape, 100 + i, dtype))
    leaves = [t.requires_grad_() for t in inputs.values() if t.is_floating_point() and not torch.isinf(t).any()]
    outputs = call(module, inputs)
    outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y is not None]
    total = sum((y * (torch.arange(y.numel(), dtype=dtype) + 1).reshape(y.shape) / 10).sum() for y in outputs)
    named = list(module.named_parameters())
    gradients = torch.autograd.grad(total, leaves + [p for _, p in named], allow_unused=True)
    return {
        "name": name,
        "options": options,
        "state": {k: encoded(p) for k, p in module.state_dict().items()},
        "inputs": {k: encoded(t) for k, t in inputs.items()},
        "outputs": [encoded(y) for y in outputs],
        "input_gradients": [encoded(g) for g in gradients[: len(leaves)]],
        "gradients": {k: encoded(g) for (k, _), g in zip(named, gradients[len(leaves):])},
    }


def multihead():
    f32, f64 = torch.float32, torch.float64
    padding = torch.tensor([[False, False, False], [False, True, True]])
    above = torch.ones(2, 3, dtype=torch.bool).triu(1)
    added = torch.tensor([[0.5, -1.0, 0.0], [-math.inf, 0.25, -0.5]])
    for name, dtype, options, masks, more in [
        ("to itself", f64, {}, {}, {}),
        ("batch first, weights of each head", f32, dict(batch_first=True), {}, dict(average_attn_weights=False)),
        ("other sizes of keys and values", f64, dict(kdim=3, vdim=2), {}, {}),
        ("learned and zero keys", f32, dict(add_bias_kv=True, add_zero_attn=True), dict(padding=padding, mask=above), {}),
        ("padding, no bias", f32, dict(bias=False), dict(padding=padding), dict(need_weights=False)),
        ("numbers for padding and mask", f32, {}, dict(padding=torch.zeros(2, 3) + 0.5 * padding, mask=added), {}),
        ("a mask for each head", f32, {}, dict(mask=torch.stack([above, ~above.flip(0), above, above])), {}),
        ("no batch", f32, {}, dict(padding=padding[1], mask=above), {}),
    ]:
        first = options.get("batch_first", False)
        sizes = [options.get("kdim", 4), options.get("vdim", 4)]
        shape = lambda tokens, f: (tokens, f) if name == "no batch" else (2, tokens, f) if first else (tokens, 2, f)
        inputs = {"query": draw(shape(2, 4), 1, dtype)}
        if name != "to itself":
            inputs |= {"key": draw(shape(3, sizes[0]), 2, dtype), "value": draw(shape(3, sizes[1]), 3, dtype)}
        masks = {k: m.to(dtype) if m.is_floating_point() else m for k, m in masks.items()}

        def call(module, x):
            key, value = x.get("key", x["query"]), x.get("value", x["query"])
            return module(
                x["query"], key, value, key_padding_mask=masks.get("padding"), attn_mask=masks.get("mask"), **more
            )

        found = case(name, nn.MultiheadAttention(4, 2, **options), dtype, inputs, call, **options, **more)
        found["masks"] = {k: encoded(m) for k, m in masks.items()}
        yield found


def transformers():
    f32, f64 = torch.float32, torch.float64
    padding = torch.tensor([[False, False], [False, True]])
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    for name, dtype, options in [
        ("encoder layer", f64, {}),
        ("encoder layer", f32, dict(norm_first=True, activation="gelu", batch_first=True, layer_norm_eps=0.1)),
    ]:
        inputs = {"src": draw((2, 2, 4), 1, dtype)}
        call = lambda module, x: module(x["src"], src_key_padding_mask=padding)
        module = nn.TransformerEncoderLayer(4, 2, 3, dropout=0.0, **options)
        yield case(name, module, dtype, inputs, call, **options)
    for dtype, options in [(f32, {}), (f32, dict(norm_first=True, batch_first=True, bias=False))]:
        inputs = {"tgt": draw((3, 2, 4) if not options else (2, 3, 4), 1, dtype)}
        inputs["memory"] = draw((2, 2, 4), 2, dtype)
        call = lambda module, x: module(
            x["tgt"], x["memory"], tgt_mask=causal.to(dtype), memory_key_padding_mask=padding, tgt_is_causal=True
        )
        yield case("decoder layer", nn.TransformerDecoderLayer(4, 2, 3, dropout=0.0, **options), dtype, inputs, call, **options)
    inputs = {"src": draw((2, 2, 4), 1, f32), "tgt": draw((3, 2, 4), 2, f32)}
    call = lambda module, x: module(
        x["src"], x["tgt"], tgt_mask=causal, src_key_padding_mask=padding, memory_key_padding_mask=padding
    )
    yield case("transformer", nn.Transformer(4, 2, 1, 1, 3, dropout=0.0), f32, inputs, call)


FOLDER.mkdir(parents=True, exist_ok=True)
found = list(transformers())
for family, cases in [("multihead", list(multihead())), ("transformerLayers", found[:-1]), ("transformer", found[-1:])]:
    path = FOLDER / f"{family}.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")
