"""Expected values from PyTorch, for the losses of ApusNN.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_loss_golden.py
Writes small JSON files to Tests/ApusNNTests/Golden. A case has inputs and, for each reduction, the output and the gradients of
Σ output · (1, 2, 3, …)/10 with respect to all inputs of floats that have one; the Swift tests know the functions by the cases' names.
"""

import json
import math
import pathlib
import warnings

import numpy
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusNNTests" / "Golden"
FAMILIES = {}
warnings.simplefilter("ignore")


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


def x(*shape, seed=1, scale=1.5):
    """Numbers with two digits."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale * 100).round() / 100 + 0.003


def p(*shape, seed=1):
    """Numbers in 0 … 1."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator, dtype=torch.float64) * 90).round() / 100 + 0.053


def positive(*shape, seed=1):
    return x(*shape, seed=seed).abs() + 0.1


def signs(*shape, seed=1):
    return torch.where(x(*shape, seed=seed) > 0, 1, -1)


def case(family, name, function, *inputs, reductions=("none", "mean", "sum"), frozen=(), dtypes=("float32", "float64")):
    """`frozen` are the inputs that have no gradient."""
    for dtype in [getattr(torch, name) for name in dtypes]:
        xs = [t.to(dtype) if t.is_floating_point() else t for t in inputs]
        leaves = [t.requires_grad_() for i, t in enumerate(xs) if t.is_floating_point() and i not in frozen]
        record = {"name": name, "frozen": list(frozen), "inputs": [encoded(t) for t in xs], "results": {}}
        for reduction in reductions:
            y = function(*xs, reduction)
            weights = (torch.arange(y.numel(), dtype=dtype) + 1).reshape(y.shape) / 10
            found = torch.autograd.grad((y * weights).sum(), leaves)
            record["results"][reduction] = {"output": encoded(y), "gradients": [encoded(g) for g in found]}
        FAMILIES.setdefault(family, []).append(record)


def regression():
    a, b, w = x(2, 3), x(2, 3, seed=2), positive(2, 3, seed=3)
    add = lambda name, function, *inputs, **more: case("regressionLosses", name, function, *inputs, **more)
    add("l1", lambda a, b, r: F.l1_loss(a, b, reduction=r), a, b)
    add("l1 weighted", lambda a, b, w, r: F.l1_loss(a, b, reduction=r, weight=w), a, b, w)
    add("mse weighted", lambda a, b, w, r: F.mse_loss(a, b, reduction=r, weight=w), a, b, w)
    add("smoothL1", lambda a, b, r: F.smooth_l1_loss(a, b, reduction=r), a, b)
    add("smoothL1 beta 0.4", lambda a, b, r: F.smooth_l1_loss(a, b, reduction=r, beta=0.4), a, b)
    add("smoothL1 beta 0", lambda a, b, r: F.smooth_l1_loss(a, b, reduction=r, beta=0), a, b)
    add("huber", lambda a, b, r: F.huber_loss(a, b, reduction=r), a, b)
    add("huber delta 0.3", lambda a, b, r: F.huber_loss(a, b, reduction=r, delta=0.3), a, b)
    add("huber weighted", lambda a, b, w, r: F.huber_loss(a, b, reduction=r, delta=2.5, weight=w), a, b, w)
    add("huber of scalars", lambda a, b, r: F.huber_loss(a, b, reduction=r), x(), x(seed=5))


def likelihood():
    a, b, v = x(2, 3), x(2, 3, seed=2), positive(2, 3, seed=4)
    add = lambda name, function, *inputs, **more: case("likelihoodLosses", name, function, *inputs, **more)
    v[0, 1] = 1e-9
    nll = F.gaussian_nll_loss
    add("gaussian", lambda a, b, v, r: nll(a, b, v, reduction=r), a, b, v)
    add("gaussian full", lambda a, b, v, r: nll(a, b, v, reduction=r, full=True, eps=0.5), a, b, v)
    add("gaussian, a variance for each row", lambda a, b, v, r: nll(a, b, v, reduction=r), a, b, positive(2))
    add("gaussian, a variance for each row of one", lambda a, b, v, r: nll(a, b, v, reduction=r), a, b, positive(2, 1))
    t = torch.tensor([[0.0, 1, 2], [3, 5, 0]], dtype=torch.float64)
    nll = F.poisson_nll_loss
    add("poisson", lambda a, t, r: nll(a, t, reduction=r), a, t)
    add("poisson full", lambda a, t, r: nll(a, t, reduction=r, full=True), a, t, frozen=[1])
    add("poisson of rates", lambda a, t, r: nll(a, t, reduction=r, log_input=False, eps=0.01), positive(2, 3), t)
    add("poisson of rates full", lambda a, t, r: nll(a, t, reduction=r, log_input=False, full=True), positive(2, 3), t + 1.5)


def focal(a, t, r, alpha=0.25, gamma=2.0):
    """The formula of torchvision.ops.sigmoid_focal_loss."""
    q = torch.sigmoid(a)
    p_t = q * t + (1 - q) * (1 - t)
    loss = F.binary_cross_entropy_with_logits(a, t, reduction="none") * (1 - p_t) ** gamma
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return loss if r == "none" else loss.mean() if r == "mean" else loss.sum()


def binary():
    a, t, w, v = p(2, 3), p(2, 3, seed=2), positive(3, seed=3), positive(3, seed=4)
    add = lambda name, function, *inputs, **more: case("binaryLosses", name, function, *inputs, **more)
    bce, logits = F.binary_cross_entropy, F.binary_cross_entropy_with_logits
    add("bce", lambda a, t, r: bce(a, t, reduction=r), a, t)
    add("bce weighted", lambda a, t, w, r: bce(a, t, weight=w, reduction=r), a, t, w, frozen=[2])
    edges = torch.tensor([0.0, 1, 0, 1, 0.25], dtype=torch.float64)
    # PyTorch's bound on the denominator, 1e-12, is a float32 also in float64.
    add(
        "bce at its edges", lambda a, t, r: bce(a, t, reduction=r), edges, torch.tensor([0.0, 0, 1, 1, 0]).double(), frozen=[1],
        dtypes=["float32"])
    x1 = x(2, 3, scale=4)
    add("logits", lambda a, t, r: logits(a, t, reduction=r), x1, t)
    add("logits weighted", lambda a, t, w, r: logits(a, t, weight=w, reduction=r), x1, t, w, frozen=[2])
    add("logits posWeight", lambda a, t, v, r: logits(a, t, pos_weight=v, reduction=r), x1, t, v, frozen=[2])
    add("logits both", lambda a, t, w, v, r: logits(a, t, w, pos_weight=v, reduction=r), x1, t, w, v, frozen=[2, 3])
    hard = torch.tensor([[0.0, 1, 1], [1, 0, 0]], dtype=torch.float64)
    add("focal", focal, x1, hard)
    add("focal without alpha", lambda a, t, r: focal(a, t, r, alpha=-1, gamma=1.5), x1, hard)
    add("focal gamma 0", lambda a, t, r: focal(a, t, r, alpha=0.7, gamma=0.0), x1, t)


def divergence():
    a, t = x(2, 3).log_softmax(1), x(2, 3, seed=2).softmax(1)
    add = lambda name, function, *inputs, **more: case(
        "divergences", name, function, *inputs, reductions=["none", "mean", "sum", "batchmean"], **more)
    add("kl", lambda a, t, r: F.kl_div(a, t, reduction=r), a, t)
    add("kl logTarget", lambda a, t, r: F.kl_div(a, t.log(), reduction=r, log_target=True), a, t)
    zeros = torch.tensor([[0.0, 0.25, 0.75], [1, 0, 0]], dtype=torch.float64)
    add("kl with zeros", lambda a, t, r: F.kl_div(a, t, reduction=r), a, zeros, frozen=[1])


def margins():
    a, b, s = x(2, 3), x(2, 3, seed=2), signs(2, 3, seed=3)
    add = lambda name, function, *inputs, **more: case("marginLosses", name, function, *inputs, **more)
    add("hinge", lambda a, s, r: F.hinge_embedding_loss(a, s, reduction=r), a, s)
    add("hinge margin 2", lambda a, s, r: F.hinge_embedding_loss(a, s, margin=2, reduction=r), a, s)
    add("soft", lambda a, s, r: F.soft_margin_loss(a, s, reduction=r), a, s)
    add("ranking", lambda a, b, s, r: F.margin_ranking_loss(a, b, s, reduction=r), a, b, s)
    add("ranking margin 1", lambda a, b, s, r: F.margin_ranking_loss(a, b, s, margin=1, reduction=r), a, b, s)
    a, t, w = x(3, 4), torch.tensor([2, 0, 3]), positive(4, seed=3)
    multi = F.multi_margin_loss
    add("multi", lambda a, t, r: multi(a, t, reduction=r), a, t)
    add("multi squared", lambda a, t, r: multi(a, t, p=2, margin=0.5, reduction=r), a, t)
    add("multi weighted", lambda a, t, w, r: multi(a, t, p=2, weight=w, reduction=r), a, t, w, frozen=[2])
    add("multi of one", lambda a, t, r: multi(a, t, reduction=r), a[0], t[0])
    lists = torch.tensor([[2, 0, -1, 1], [3, -1, 2, 2], [0, 1, 2, 3]])
    add("multilabel", lambda a, t, r: F.multilabel_margin_loss(a, t, reduction=r), a, lists)
    add("multilabel of one", lambda a, t, r: F.multilabel_margin_loss(a, t, reduction=r), a[0], lists[0])
    soft, t = F.multilabel_soft_margin_loss, p(3, 4, seed=5)
    add("multilabel soft", lambda a, t, r: soft(a, t, reduction=r), a, t)
    add("multilabel soft weighted", lambda a, t, w, r: soft(a, t, weight=w, reduction=r), a, t, w, frozen=[2])
    add("multilabel soft of one", lambda a, t, r: soft(a, t, reduction=r), a[0], t[0])


def embeddings():
    a, b, c, s = x(3, 2), x(3, 2, seed=2), x(3, 2, seed=3), torch.tensor([1, -1, -1])
    add = lambda name, function, *inputs, **more: case("embeddingLosses", name, function, *inputs, **more)
    add("cosine", lambda a, b, s, r: F.cosine_embedding_loss(a, b, s, reduction=r), a, b, s)
    add("cosine margin", lambda a, b, s, r: F.cosine_embedding_loss(a, b, s, margin=-0.9, reduction=r), a, b, s)
    add("cosine of one", lambda a, b, s, r: F.cosine_embedding_loss(a, b, s, reduction=r), a[0], b[0], s[0])
    triplet = F.triplet_margin_loss
    add("triplet", lambda a, b, c, r: triplet(a, b, c, reduction=r), a, b, c)
    add("triplet swap", lambda a, b, c, r: triplet(a, b, c, margin=3, swap=True, reduction=r), a, b, c)
    add("triplet p 1", lambda a, b, c, r: triplet(a, b, c, p=1, eps=0.01, reduction=r), a, b, c)
    add("triplet p 3 of one", lambda a, b, c, r: triplet(a, b, c, p=3, reduction=r), a[0], b[0], c[0])
    distance = F.triplet_margin_with_distance_loss
    add("triplet with distance", lambda a, b, c, r: distance(a, b, c, reduction=r), a, b, c)
    squares = lambda a, b: (a - b).square().sum(-1)
    add(
        "triplet of squares",
        lambda a, b, c, r: distance(a, b, c, distance_function=squares, margin=2, swap=True, reduction=r), a, b, c)


def ctc():
    add = lambda name, function, *inputs, **more: case("ctcLosses", name, function, *inputs, **more)
    loss = lambda a, *rest, **more: F.ctc_loss(a.log_softmax(-1), *rest, **more)
    a = x(5, 2, 4)
    padded = torch.tensor([[1, 2, 3], [3, 3, 0]])
    add("padded", lambda a, t, r: loss(a, t, [5, 4], [3, 2], reduction=r), a, padded)
    add("joined, blank 3", lambda a, t, r: loss(a, t, [5, 5], [2, 3], blank=3, reduction=r), a, torch.tensor([1, 2, 0, 0, 1]))
    add("one", lambda a, t, r: loss(a, t, [4], [3], reduction=r), a[:, 0], torch.tensor([1, 1, 2]))
    empty = torch.tensor([[1, 2], [0, 0]])
    add("no labels", lambda a, t, r: loss(a, t, [5, 3], [2, 0], reduction=r), a, empty)
    short = torch.tensor([[1, 1, 2], [1, 2, 0]])
    add("zero infinity", lambda a, t, r: loss(a, t, [3, 5], [3, 2], reduction=r, zero_infinity=True), a, short)


for family in (regression, likelihood, binary, divergence, margins, embeddings, ctc):
    family()
for name, cases in FAMILIES.items():
    path = FOLDER / f"{name}.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")
