"""Expected values from PyTorch, for the tests of normalizations and embeddings.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_normalization_golden.py
"""

import torch
import torch.nn.functional as F

from make_golden import DTYPES, case, leaf, pairwise, tensor, write


def affine(channels, dtype, has_weight=True, has_bias=True):
    """Some of weight and bias, by name."""
    both = {"weight": leaf(channels, dtype, 2), "bias": leaf(channels, dtype, 3)}
    return {k: v for k, v in both.items() if {"weight": has_weight, "bias": has_bias}[k]}


def row_cases():
    for dtype in DTYPES.values():
        for shape, normalized in [((3, 5), (5,)), ((2, 3, 2), (3, 2))]:
            for has_weight, has_bias in [(True, True), (True, False), (False, True), (False, False)]:
                x, w = leaf(shape, dtype, 1), affine(normalized, dtype, has_weight, has_bias)
                y = F.layer_norm(x, normalized, **w, eps=1e-3)
                yield case("layerNorm", {"x": x} | w, y, [x, *w.values()], shape=normalized, eps=1e-3, weight=has_weight, bias=has_bias)
                if not has_bias:
                    for eps in [None, 1e-3]:
                        y = F.rms_norm(x, normalized, **w, eps=eps)
                        yield case("rmsNorm", {"x": x} | w, y, [x, *w.values()], shape=normalized, eps=eps, weight=has_weight)


def channel_cases():
    for dtype in DTYPES.values():
        for shape in [(3, 4), (2, 4, 3), (2, 4, 2, 1), (2, 4, 1, 2, 1)]:
            for has_affine in [True, False]:
                x, w = leaf(shape, dtype, 1), affine((4,), dtype, has_affine, has_affine)
                leaves, kind = [x, *w.values()], dict(eps=1e-3, affine=has_affine, rank=len(shape))
                yield case("batchNorm", {"x": x} | w, F.batch_norm(x, None, None, **w, training=True, eps=1e-3), leaves, **kind)
                mean, variance = leaf((4,), dtype, 4).detach(), leaf((4,), dtype, 5).detach().abs()
                y = F.batch_norm(x, mean, variance, **w, eps=1e-3)
                yield case("fixed batchNorm", {"x": x, "mean": mean, "variance": variance} | w, y, leaves, **kind)
                for groups in [1, 2, 4] if dtype == torch.float64 else [2]:
                    y = F.group_norm(x, groups, **w, eps=1e-3)
                    yield case("groupNorm", {"x": x} | w, y, leaves, groups=groups, **kind)
                if len(shape) > 2:
                    yield case("instanceNorm", {"x": x} | w, F.instance_norm(x, **w, eps=1e-3), leaves, **kind)


def response_cases():
    for dtype in DTYPES.values():
        for shape, size in [((2, 5, 3), 3), ((1, 4, 2, 2), 2), ((1, 6, 1, 2, 1), 5)]:
            x = leaf(shape, dtype, 6)
            y = F.local_response_norm(x, size, alpha=0.5, beta=0.6, k=1.5)
            yield case("localResponseNorm", {"x": x}, y, [x], size=size)


def layer_cases():
    """Two batches in training, then one in evaluation; the buffers after it."""
    kinds = [("BatchNorm1d", (3, 4)), ("BatchNorm1d", (2, 4, 3)), ("BatchNorm2d", (2, 4, 2, 1)), ("BatchNorm3d", (2, 4, 1, 2, 1)),
             ("InstanceNorm1d", (2, 4, 3)), ("InstanceNorm2d", (1, 4, 3, 1)), ("InstanceNorm3d", (1, 4, 1, 3, 1)),
             ("InstanceNorm1d", (4, 3))]
    choices = [dict(), dict(momentum=0.4, affine=True), dict(momentum=None), dict(track_running_stats=True, eps=0.1),
               dict(track_running_stats=False), dict(affine=False)]
    for number, (name, shape) in enumerate(kinds):
        for options in choices if number == 0 else [choices[1 + 2 * (number % 2)]] if number > 1 else choices[2:3]:
            if name.startswith("Instance") and options.get("momentum", 0) is None:
                continue
            dtype = torch.float64 if number == 0 and len(options) < 2 or name == "InstanceNorm1d" else torch.float32
            torch.manual_seed(0)
            layer = getattr(torch.nn, name)(4, dtype=dtype, **options)
            with torch.no_grad():
                for i, parameter in enumerate(layer.parameters()):
                    parameter.copy_(leaf((4,), dtype, 20 + i))
            batches = [leaf(shape, dtype, 10 + i) for i in range(3)]
            outputs = [layer(x) for x in batches[:2]]
            layer.eval()
            outputs.append(layer(batches[2]))
            leaves = [*batches, *layer.parameters()]
            y = torch.stack(outputs)
            inputs = {f"x{i}": x for i, x in enumerate(batches)}
            result = case(name, inputs | dict(layer.named_parameters()), y, leaves, **options)
            yield result | {"buffers": {k: tensor(v) for k, v in layer.named_buffers()}}


def embedding_cases():
    ids = torch.tensor([[1, 4, 1], [0, 3, 4]])
    for dtype in DTYPES.values():
        for options in [dict(), dict(padding_idx=4), dict(padding_idx=-4, scale_grad_by_freq=True), dict(max_norm=0.9),
                        dict(max_norm=1.5, norm_type=1.0)]:
            w = leaf((5, 3), dtype, 1)
            table = w
            if "max_norm" in options:  # PyTorch changes the table itself, which a leaf of the graph must not be.
                table = w * 1
                with torch.no_grad():
                    F.embedding(ids, table.detach(), **options)
            yield case("embedding", {"ids": ids, "weight": leaf((5, 3), dtype, 1)},
                       F.embedding(ids, table, **{k: v for k, v in options.items() if "norm" not in k}), [w], **options)


def bag_cases():
    flat, offsets = torch.tensor([1, 4, 1, 0, 3, 4]), torch.tensor([0, 2, 2, 5])
    for dtype in DTYPES.values():
        for mode in ["sum", "mean", "max"]:
            for ids, starts in [(flat.reshape(2, 3), None), (flat, offsets)]:
                # Not scale_grad_by_freq, where 2.13 divides by the frequencies of other rows.
                for options in [dict(), dict(padding_idx=4), dict(weighted=True), dict(last=True)]:
                    if "weighted" in options and mode != "sum" or "last" in options and starts is None:
                        continue
                    w, inputs = leaf((5, 3), dtype, 1), {"ids": ids}
                    if starts is not None:
                        inputs["offsets"] = torch.cat([starts, torch.tensor([6])]) if "last" in options else starts
                    arguments = {k: v for k, v in options.items() if k not in ("weighted", "last")}
                    leaves = [w]
                    if "weighted" in options:
                        inputs["factors"] = leaf(ids.shape, dtype, 2)
                        leaves.append(inputs["factors"])
                    y = F.embedding_bag(ids, w, inputs.get("offsets"), mode=mode, per_sample_weights=inputs.get("factors"),
                                        include_last_offset="last" in options, **arguments)
                    yield case("embeddingBag", inputs | {"weight": w}, y, leaves, mode=mode, **options)


if __name__ == "__main__":
    write("ApusNNTests", "embedding", list(embedding_cases()))
    write("ApusNNTests", "embeddingBag", list(bag_cases()))
    write("ApusNNTests", "rowNormalization", pairwise(row_cases()))
    write("ApusNNTests", "channelNormalization", pairwise(channel_cases()))
    write("ApusNNTests", "localResponseNorm", list(response_cases()))
    write("ApusNNTests", "normalizationLayers", list(layer_cases()))
