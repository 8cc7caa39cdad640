"""Expected values from PyTorch, for the composite ops of ApusCore.

Run by hand, with torch 2.13.0 and numpy:  python3 Tests/Golden/make_core_golden.py
Writes small JSON files to Tests/ApusCoreTests/Golden. A case has inputs, outputs, and the gradients of Σ output · (1, 2, 3, …)/10 over
all outputs of floats with respect to all inputs of floats; the Swift tests know the functions by the cases' names.
"""

import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusCoreTests" / "Golden"
FAMILIES = {}
nan, inf = math.nan, math.inf


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
    """Numbers with two digits, without equal ones among neighbours."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale * 100).round() / 100 + 0.003


def f(values):
    return torch.tensor(values, dtype=torch.float64)


def i(values):
    return torch.tensor(values)


def case(family, name, function, *inputs):
    for dtype in [torch.float32, torch.float64] if any(t.is_floating_point() for t in inputs) else [None]:
        xs = [t.to(dtype) if t.is_floating_point() else t for t in inputs]
        leaves = [t.requires_grad_() for t in xs if t.is_floating_point()]
        outputs = function(*xs)
        outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
        total = 0
        for y in outputs:
            if y.requires_grad:
                total = total + (y * ((torch.arange(y.numel(), dtype=y.dtype) + 1) / 10).reshape(y.shape)).sum()
        gradients = []
        if torch.is_tensor(total):
            found = torch.autograd.grad(total, leaves, allow_unused=True)
            gradients = [torch.zeros_like(t) if g is None else g for t, g in zip(leaves, found)]
        FAMILIES.setdefault(family, []).append(
            {
                "name": name,
                "inputs": [encoded(t) for t in xs],
                "outputs": [encoded(t) for t in outputs],
                "gradients": [encoded(g) for g in gradients],
            }
        )


def pointwise():
    add = lambda *rest: case("pointwise", *rest)
    add("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=0.5), x(2, 3), x(3, seed=2), x(2, 1, seed=3))
    add("addcmul of integers", lambda a, b, c: torch.addcmul(a, b, c, value=2), i([1, 2]), i([3, 4]), i([5, 6]))
    add("addcdiv", lambda a, b, c: torch.addcdiv(a, b, c, value=-2), x(2, 3), x(3, seed=2), x(2, 1, seed=3))
    add("logaddexp", torch.logaddexp, f([0.5, 100, -300, 0, -inf, inf, 3, nan]), f([-0.5, 98, -1000, 0, 2, 4, -inf, 1]))
    add("xlogy", torch.xlogy, f([0, 2, -1.5, 0.5, 0, nan]), f([2, 3, 0.5, 1, nan, 2]))
    add("xlogy of integers", torch.xlogy, i([0, 2]), i([0, 3]))
    add("nanToNum", torch.nan_to_num, f([nan, inf, -inf, 1.5]))
    add("nanToNum of given numbers", lambda a: torch.nan_to_num(a, nan=2, posinf=3, neginf=-4), f([nan, inf, -inf, 1.5]))
    points = f([-30.25, -3.5, -0.5, -0.01, 0.25, 1, 1.5, 2, 3.7, 10, 30, 1000])
    add("lgamma", torch.lgamma, points)
    add("lgamma at its edges", lambda a: torch.lgamma(a.detach()), f([0, -1, -2, inf, -inf, nan]))
    add("lgamma of integers", torch.lgamma, i([1, 4]))
    # The trigamma function of PyTorch has but ten digits: no gradient of digamma, no polygamma(1).
    add("digamma", lambda a: torch.digamma(a.detach()), points)
    add("digamma at its edges", lambda a: torch.digamma(a.detach()), f([0, -0.0, -1, -2, inf, nan]))
    add("polygamma 2", lambda a: torch.polygamma(2, a), points[4:])
    add("polygamma 3", lambda a: torch.polygamma(3, a), points[4:])
    add("isclose", torch.isclose, f([1, 1, inf, nan, -inf, 1e-9]), f([1.000005, 1.0001, inf, nan, inf, 0]))
    add("isclose with NaN", lambda a, b: torch.isclose(a, b, equal_nan=True, rtol=0.1, atol=0.5), f([1, nan, 2]), f([1.5, nan, nan]))
    add("isclose of integers", lambda a, b: torch.isclose(a, b, rtol=0.0, atol=1.0), i([1, 2, 3]), i([2, 2, 5]))
    add("isin", lambda a, b: torch.isin(a, b), f([[1, 2], [nan, 4]]), f([4, 1, nan]))
    add("isin inverted", lambda a, b: torch.isin(a, b, invert=True), i([[1, 2], [3, 4]]), i([4, 1, 9]))


def reductions():
    add = lambda *rest: case("reductions", *rest)
    a = x(2, 3, 2)
    add("aminmax", lambda a: torch.aminmax(a), a)
    add("aminmax along an axis", lambda a: torch.aminmax(a, dim=1, keepdim=True), a)
    add("countNonzero", lambda a: [torch.count_nonzero(a), torch.count_nonzero(a, 0)], f([[0, 1, nan], [0, 0, -0.0]]))
    add("nansum", lambda a: [torch.nansum(a), torch.nansum(a, 1)], f([[nan, 1, 2.5], [nan, nan, nan]]))
    add("nanmean", lambda a: torch.nanmean(a, 1, keepdim=True), f([[nan, 1, 2.5], [3, 4, -1]]))
    add("stdMean", lambda a: torch.std_mean(a, (0, 2), correction=0, keepdim=True), a)
    add("varMean", lambda a: torch.var_mean(a, 1), a)
    add("trace", torch.trace, x(3, 4))
    add("trace of integers", torch.trace, i([[1, 2], [3, 4]]))
    b = f([[3, -4, 0], [0, 0, 0], [1, 1, -2]])
    for p, name in [(1, "1"), (2, "2"), (inf, "inf"), (-inf, "-inf"), (0, "0"), (3, "3"), (2.5, "2.5")]:
        add(f"norm {name}", lambda a: torch.norm(a, p, dim=1), b)
    for p, name in [(0.5, "0.5"), (-1, "-1"), (-2.5, "-2.5")]:
        add(f"norm {name}", lambda a: torch.norm(a, p, dim=1), x(3, 3))
    add("norm of all", lambda a: torch.norm(a), a)
    add("norm keeping axes", lambda a: torch.norm(a, 3, dim=(0, 2), keepdim=True), a)
    add("median", torch.median, f([[3, 1, 2], [2, 5, 2]]))
    add("median along an axis", lambda a: torch.median(a, 1), f([[3, 1, 2, 4], [2, 5, nan, 0]]))
    add("kthvalue", lambda a: torch.kthvalue(a, 2, 0, keepdim=True), x(4, 3))
    add("mode", lambda a: torch.mode(a, 1), i([[2, 1, 2, 1, 3], [5, 4, 3, 3, 4]]))
    for name in ["linear", "lower", "higher", "nearest", "midpoint"]:
        q = lambda a, q: torch.quantile(a, q, 1, interpolation=name)
        add(f"quantile {name}", q, x(3, 4), f([0, 0.3, 0.5, 1]))
    add("quantile of all", lambda a: torch.quantile(a, 0.4, keepdim=True), x(2, 3))
    add("quantile with NaN", lambda a: torch.quantile(a, 0.4, 1, keepdim=True), f([[1, nan, 3], [4, 6, 5]]))


def cumulative():
    add = lambda *rest: case("cumulative", *rest)
    a = x(3, 4)
    add("cumprod", lambda a: torch.cumprod(a, 1), a)
    add("cumprod with zeros", lambda a: torch.cumprod(a, 0), f([[2, 0], [0, 3], [4, 0], [5, 2]]))
    add("cumprod of integers", lambda a: torch.cumprod(a, 0), i([2, 3, 0, 4]))
    ties = f([1, 3, 3, nan, 2, nan, 5])
    add("cummax", lambda a: torch.cummax(a, 0), ties)
    add("cummin", lambda a: torch.cummin(a, 0), f([4, 1, 1, 3, nan, 0]))
    add("cummax of rows", lambda a: torch.cummax(a, 1), a)
    add("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), f([[1, 2, -3, 0.5], [30, 1, 31, -30], [-5, 0, 1, -inf]]))
    add("diff", lambda a: torch.diff(a), a)
    add("diff twice", lambda a, b, c: torch.diff(a, 2, 0, prepend=b, append=c), a, x(1, 4, seed=2), x(2, 4, seed=3))
    add("diff of bool", lambda a: torch.diff(a), torch.tensor([True, False, False, True]))
    add("searchsorted", torch.searchsorted, f([1, 3, 3, 5]), f([[0, 3], [5, 9]]))
    add("searchsorted right", lambda a, b: torch.searchsorted(a, b, right=True), f([[1, 3, 3], [2, 4, 6]]), f([[3, 0], [4, 7]]))
    s = lambda a, b: torch.searchsorted(a, b, sorter=torch.argsort(a))
    add("searchsorted with sorter", s, i([5, 1, 3]), i([2, 5]))
    add("bucketize", torch.bucketize, f([[1, 2], [3, 9]]), f([1, 3, 5]))
    add("bucketize right", lambda a, b: torch.bucketize(a, b, right=True), i([1, 2, 3, 9]), i([1, 3, 5]))
    add("bincount", lambda a: torch.bincount(a, minlength=6), i([1, 3, 1, 0]))
    add("bincount with weights", lambda a, w: torch.bincount(a, w.detach()), i([1, 3, 1]), f([0.5, 2, 0.25]))
    add("bincount with integer weights", torch.bincount, i([1, 3, 1]), i([1, 2, 3]))
    add("histc", lambda a: torch.histc(a.detach(), 4), x(10))
    add("histc of a range", lambda a: torch.histc(a.detach(), 5, -1, 1), f([-1, -2, 1, 0.99, 0, 0.2, -0.2, nan]))
    add("histc of equal numbers", lambda a: torch.histc(a.detach(), 3), f([2, 2]))
    u = lambda **options: lambda a: torch.unique(a.detach(), return_inverse=True, return_counts=True, **options)
    add("unique", u(), f([[3, 1, 3], [2, 1, 1]]))
    add("unique of integers", u(), i([[3, 1, 3], [2, 1, 1]]))
    add("unique of slices", u(dim=1), i([[3, 1, 3, 1], [2, 1, 2, 0]]))
    c = lambda **options: lambda a: torch.unique_consecutive(a, return_inverse=True, return_counts=True, **options)
    add("uniqueConsecutive", c(), i([[3, 3, 1], [1, 2, 3]]))
    add("uniqueConsecutive of slices", c(dim=0), i([[3, 3], [3, 3], [1, 2], [3, 3]]))


def products():
    add = lambda *rest: case("products", *rest)
    a, b = x(2, 3), x(3, 4, seed=2)
    v, w = x(3, seed=3), x(3, seed=4)
    p, q = x(2, 2, 3, seed=5), x(2, 3, 2, seed=6)
    add("mm", torch.mm, a, b)
    add("mv", torch.mv, a, v)
    add("bmm", torch.bmm, p, q)
    add("dot", torch.dot, v, w)
    add("outer", torch.outer, v, x(2, seed=5))
    add("inner", torch.inner, a, x(2, 2, 3, seed=7))
    add("inner with a scalar", torch.inner, a, x(seed=7))
    add("addmm", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=-2), x(4, seed=8), a, b)
    add("addmm with beta 0", lambda c, a, b: torch.addmm(c, a, b, beta=0), f([nan, 1, 2, 3]), a, b)
    add("addmm of integers", torch.addmm, i([1, 2]), i([[1, 2]]), i([[3, 4], [5, 6]]))
    add("baddbmm", lambda c, a, b: torch.baddbmm(c, a, b, beta=2, alpha=0.5), x(2, 1, 2, seed=8), p, q)
    add("kron", torch.kron, a, x(2, 1, 2, seed=3))
    add("tensordot", lambda a, b: torch.tensordot(a, b, dims=([2, 0], [1, 0])), p, q)
    add("tensordot of two axes", lambda a, b: torch.tensordot(a, b, dims=2), p, x(2, 3, 2, seed=9))
    add("tensordot of no axes", lambda a, b: torch.tensordot(a, b, dims=0), a, v)
    add("tensordot with size 1", lambda a, b: torch.tensordot(a, b, dims=([1], [0])), x(2, 1), b)
    for p_, name in [(2, "2"), (1, "1"), (inf, "inf"), (3, "3"), (0, "0")]:
        add(f"cdist {name}", lambda a, b: torch.cdist(a, b, p=p_), x(2, 3, 2), x(2, 2, 2, seed=2))
    add("pairwiseDistance", lambda a, b: F.pairwise_distance(a, b, p=3, keepdim=True), a, v)
    add("cosineSimilarity", F.cosine_similarity, a, x(2, 3, seed=2))
    add("cosineSimilarity of 0", lambda a, b: F.cosine_similarity(a, b, dim=0), f([0, 0]), f([1, 2]))
    add("normalize", lambda a: F.normalize(a, p=2, dim=0), f([[3, 0], [4, 0]]))
    add("normalize by 1", lambda a: F.normalize(a, p=1), a)


EINSUMS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ba": [(2, 3)],
    "Ab,bA": [(2, 3), (3, 2)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(2, 2, 3)],
    "iii->i": [(2, 2, 2)],
    "ij->": [(2, 3)],
    "i,j->ij": [(2,), (3,)],
    "i,i": [(3,), (3,)],
    "bij , bjk -> bik": [(2, 2, 3), (2, 3, 2)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (3, 3, 2)],
    "...ij->...ji": [(2, 2, 3)],
    "i...->...": [(2, 3, 2)],
    "...": [(2, 3)],
    "i...j,k...j": [(2, 3, 2), (2, 3, 2)],
    "b...->b": [(2, 3, 2)],
    "ij,ij,ij->i": [(2, 3), (2, 3), (2, 3)],
    "bn,anm,bm->ba": [(2, 3), (2, 3, 2), (2, 2)],
    "ij,jk->ik with size 1": [(2, 1), (3, 2)],
    "ab,b,c->c": [(2, 3), (3,), (2,)],
    ",i->i": [(), (3,)],
    "ijk,ilm->jl": [(2, 2, 3), (2, 2, 2)],
}


def einsums():
    for equation, shapes in EINSUMS.items():
        inputs = [x(*shape, seed=k) for k, shape in enumerate(shapes)]
        case("einsum", equation, lambda *xs: torch.einsum(equation.removesuffix(" with size 1"), *xs), *inputs)


def shapes():
    add = lambda *rest: case("shapes", *rest)
    a, b = x(2, 3, 4), x(3, 4)
    add("diagonal", lambda a: torch.diagonal(a), b)
    add("diagonal above", lambda a: torch.diagonal(a, 1, 1, 2), a)
    add("diagonal below", lambda a: torch.diagonal(a, -1, 2, 0), a)
    add("diagonal outside", lambda a: torch.diagonal(a, 9), b)
    add("diag of a vector", lambda a: torch.diag(a, -1), x(2))
    add("diag of a matrix", lambda a: torch.diag(a, 1), b)
    add("diagEmbed", lambda a: torch.diag_embed(a, 1, 0, 2), x(2, 2))
    add("diagEmbed below", lambda a: torch.diag_embed(a, -2), x(2, 1))
    add("blockDiag", lambda a, b, c: torch.block_diag(a, b, c), x(2, 1), x(2, seed=2), x(seed=3))
    add("broadcastTensors", lambda a, b: torch.broadcast_tensors(a, b), x(2, 1), x(3, seed=2))
    add("hstack", lambda a, b: torch.hstack([a, b]), x(2, 1), x(2, 2, seed=2))
    add("hstack of vectors", lambda a, b: torch.hstack([a, b]), x(), x(2, seed=2))
    add("vstack", lambda a, b: torch.vstack([a, b]), x(3), x(1, 3, seed=2))
    add("meshgrid ij", lambda a, b, c: torch.meshgrid(a, b, c, indexing="ij"), x(2), x(3, seed=2), x(seed=3))
    add("meshgrid xy", lambda a, b, c: torch.meshgrid(a, b, c, indexing="xy"), x(2), x(3, seed=2), x(2, seed=3))
    add("tile", lambda a: torch.tile(a, (2,)), x(2, 2))
    add("tile with more axes", lambda a: torch.tile(a, (2, 1, 2)), x(1, 2))
    add("repeatInterleave", lambda a: torch.repeat_interleave(a, 2), x(2, 2))
    add("repeatInterleave by tensor", lambda a, n: torch.repeat_interleave(a, n, dim=1), x(2, 3), i([2, 0, 1]))
    for k in [1, 2, 3, -1, 4]:
        add(f"rot90 {k}", lambda a: torch.rot90(a, k, [0, 2]), x(2, 1, 3))
    add("tensorSplit", lambda a: torch.tensor_split(a, 3, dim=1), x(2, 4))
    add("tensorSplit at", lambda a: torch.tensor_split(a, (1, 3, 2, -1, 9)), x(5))
    add("unfold", lambda a: a.unfold(1, 3, 2), x(2, 6))
    add("unfold of the first axis", lambda a: a.unfold(0, 2, 1), x(3, 2))
    add("trilIndices", lambda a: torch.tril_indices(3, 2, 1), i([0]))
    add("triuIndices", lambda a: torch.triu_indices(3, 4, -1), i([0]))
    add("logspace", lambda a: [torch.logspace(-1, 2, 5), torch.logspace(0, 3, 4, base=2, dtype=torch.float64)], i([0]))


def indexing():
    add = lambda *rest: case("indexing", *rest)
    a = x(2, 3)
    add("take", torch.take, a, i([[0, -1], [4, 0]]))
    add("takeAlongDim", lambda a, n: torch.take_along_dim(a, n, 1), a, i([[2, 0]]))
    add("takeAlongDim broadcasting self", lambda a, n: torch.take_along_dim(a, n, 0), x(2, 1), i([[1, 0, 0]]))
    add("takeAlongDim of all", torch.take_along_dim, a, i([5, 0]))
    add("indexFill", lambda a: torch.index_fill(a, 1, i([0, 2, 0]), 7.5), a)
    add("indexFill by tensor", lambda a, v: torch.index_fill(a, 0, i([1]), v), a, f(2.5))
    add("indexPut", lambda a, v: torch.index_put(a, (i([1, 0]), i([2, -3])), v), a, x(2, seed=2))
    put = lambda a, v: torch.index_put(a, (i([1, 0, 1]),), v, accumulate=True)
    add("indexPut accumulating", put, a, x(3, seed=2))
    add("indexPut by mask", lambda a, v: torch.index_put(a, (a > 0,), v), a, f(0.5))
    scatter = lambda a, s: torch.masked_scatter(a, torch.tensor([[True, False, True], [False, True, False]]), s)
    add("maskedScatter", scatter, a, x(2, 2, seed=2))
    index = i([[0, 1, 0, 0], [1, 1, 2, 0]])
    for reduction in ["sum", "prod", "mean", "amax", "amin"]:
        for include in [True, False]:
            name = f"{reduction}{'' if include else ' without self'}"
            s = lambda a, b: a.scatter_reduce(1, index, b, reduction, include_self=include)
            # Without self PyTorch still gives an equal self a share of the gradient, and then drops it: no such ties here.
            own = f([[1, 0, 2], [-3, 1, 4]]) if include else f([[1.5, 0.5, 3], [-4, 5, 6]])
            add(f"scatterReduce {name}", s, own, f([[1, 2, 0, 1], [2, 1, 0, -3]]))
            if reduction != "sum":
                r = lambda a, b: a.index_reduce(0, i([2, 0, 2]), b, reduction, include_self=include)
                add(f"indexReduce {name}", r, x(3, 2), x(3, 2, seed=2))
    add("scatterReduce of integers", lambda a, b: a.scatter_reduce(0, i([0, 0, 1]), b, "mean"), i([7, -8]), i([1, 2, 1]))


def activations():
    values = f([-inf, -100, -7.5, -3, -1.25, -0.5, -0.2, 0.3, 0.5, 1, 2.5, 3.5, 6.5, 25, 200])
    tame = values[1:]
    for name, function in {
        "celu": lambda a: F.celu(a, 1.5),
        "elu": lambda a: F.elu(a, 0.7),
        "hardshrink": F.hardshrink,
        "hardtanh": lambda a: F.hardtanh(a, -2, 2.2),
        "leakyRelu": lambda a: F.leaky_relu(a, 0.2),
        "relu6": F.relu6,
        "selu": F.selu,
        "softshrink": lambda a: F.softshrink(a, 0.4),
        "softplus": F.softplus,
        "threshold": lambda a: F.threshold(a, 0.6, -2),
        "tanhshrink": F.tanhshrink,
        "hardsigmoid": lambda a: F.hardsigmoid(a.detach()),  # its gradient in float64 has the digits of float32
    }.items():
        case("activations", name, function, values)
    for name, function in {
        "celu as usual": F.celu,
        "elu as usual": F.elu,
        "gelu": F.gelu,
        "gelu tanh": lambda a: F.gelu(a, approximate="tanh"),
        "hardshrink of 1": lambda a: F.hardshrink(a, 1.1),
        "hardswish": F.hardswish,
        "hardtanh as usual": F.hardtanh,
        "leakyRelu as usual": F.leaky_relu,
        "mish": F.mish,
        "silu": F.silu,
        "softplus of 2": lambda a: F.softplus(a, 2, 5),
        "softshrink as usual": F.softshrink,
        "softsign": F.softsign,
    }.items():
        case("activations", name, function, tame[tame != -3] if name == "hardswish" else tame)
    case("activations", "glu", F.glu, x(2, 4))
    case("activations", "glu of the first axis", lambda a: F.glu(a, 0), x(2, 2))
    case("activations", "softmin", lambda a: F.softmin(a, 0), x(3, 2))
    case("activations", "prelu", F.prelu, x(2, 3, 2), f([0.25, 0.1, -0.5]))
    case("activations", "prelu of one weight", F.prelu, x(4), f([0.25]))


for build in [pointwise, reductions, cumulative, products, einsums, shapes, indexing, activations]:
    build()
FOLDER.mkdir(parents=True, exist_ok=True)
for family, cases in FAMILIES.items():
    path = FOLDER / f"{family}.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
    print(path.name, len(cases), "cases,", path.stat().st_size, "bytes")
