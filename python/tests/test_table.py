"""The table of ops: nothing of the vocabulary is missing, everything is documented, the stubs are up to date."""

import ast
import inspect
import pathlib
import re

import pytest

import apus
from apus import _ops, _stubs

LINES = list(_ops.lines())

VOCABULARY = """
abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc erfinv exp exp2 expm1 floor frac lgamma log log10 log1p log2 nan_to_num neg reciprocal round rsqrt
sigmoid sign sin sinh sqrt square tan tanh trunc bitwise_not logical_not add addcdiv addcmul atan2 bitwise_and bitwise_or bitwise_xor clamp div floor_divide
fmax fmin fmod lerp logaddexp logical_and logical_or logical_xor maximum minimum mul pow remainder sub where xlogy allclose eq equal ge gt isclose isfinite
isin isinf isnan le lt ne all amax amin aminmax any argmax argmin count_nonzero logsumexp max mean median min mode nanmean nansum norm prod quantile std
std_mean sum var var_mean trace argsort bincount bucketize cummax cummin cumprod cumsum diff histc kthvalue logcumsumexp searchsorted sort topk unique
unique_consecutive addmm baddbmm bmm cdist dot einsum inner kron matmul mm mv outer tensordot block_diag broadcast_tensors broadcast_to cat chunk clone
diag diag_embed diagonal flatten flip hstack meshgrid movedim narrow permute ravel repeat_interleave reshape roll rot90 select split split_with_sizes squeeze
stack t tensor_split tile transpose tril triu unbind unflatten unsqueeze vstack gather index_add index_copy index_fill index_put index_reduce index_select
masked_fill masked_scatter masked_select nonzero scatter scatter_add scatter_reduce take take_along_dim cholesky_solve det inverse logdet matrix_exp
matrix_power slogdet arange empty empty_like eye full full_like linspace
logspace ones ones_like tril_indices triu_indices zeros zeros_like softmax log_softmax tensor rand randn randint randperm from_numpy from_dlpack
""".split()

METHODS = """
contiguous expand expand_as repeat reshape_as unfold view view_as new_empty new_full new_ones new_zeros bfloat16 bool byte double float half int item long to
__radd__ __rmatmul__ __rmul__ __rpow__ __rsub__ __rtruediv__ __getitem__ T mT index_put_ masked_fill_ add_ zero_ copy_ fill_ uniform_ normal_
""".split()

FUNCTIONAL = """
conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
adaptive_max_pool2d adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d unfold interpolate grid_sample pad pixel_shuffle
pixel_unshuffle linear bilinear embedding embedding_bag one_hot scaled_dot_product_attention dropout batch_norm group_norm instance_norm layer_norm
local_response_norm rms_norm normalize cosine_similarity pairwise_distance celu elu gelu glu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid
mish prelu relu relu6 selu silu softmin softplus softshrink softsign tanhshrink threshold binary_cross_entropy binary_cross_entropy_with_logits
cosine_embedding_loss cross_entropy ctc_loss gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss margin_ranking_loss mse_loss multi_margin_loss
multilabel_margin_loss multilabel_soft_margin_loss nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss
""".split()

LINALG = """
cholesky cond cross det diagonal eigh eigvalsh inv lstsq lu lu_factor lu_solve matmul matrix_exp matrix_norm matrix_power matrix_rank multi_dot norm pinv qr
slogdet solve solve_triangular svd svdvals tensorinv tensorsolve vander vecdot vector_norm
""".split()


def test_nothing_of_the_vocabulary_is_missing():
    assert [name for name in VOCABULARY if not hasattr(apus, name)] == []
    assert [name for name in METHODS if not hasattr(apus.Tensor, name)] == []
    assert [name for name in FUNCTIONAL if not hasattr(apus.nn.functional, name)] == []
    assert [name for name in LINALG if not hasattr(apus.linalg, name)] == []


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.number}-{line.name}")
def test_a_line_is_complete(line):
    assert line.doc.endswith(".") and line.doc[0] != " "
    for function in [getattr(apus, line.name)] if line.places & _ops.FUNCTION else []:
        assert function.__doc__ == line.doc and function.__name__ == line.name
        assert list(inspect.signature(function).parameters) == line.signature.names
    for default, kind, optional in zip(line.signature.defaults, line.signature.types, line.signature.optional):
        assert default is not None or optional or kind == "any", f"None is the default of a {kind} that doesn't take it"


def test_no_two_lines_want_one_place():
    for place in (_ops.FUNCTION, _ops.METHOD, _ops.INPLACE, _ops.FUNCTIONAL, _ops.LINALG):
        names = [line.name for line in LINES if line.places & place]
        assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", _stubs.FILES)
def test_the_stubs_are_up_to_date(name):
    text = _stubs.FILES[name]()
    ast.parse(text)
    assert (pathlib.Path(apus.__file__).parent / name).read_text() == text, "run python -m apus._stubs"


# The library's public functions against the table

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources"
# Spelled differently in Python.
RENAMED = {"is_na_n": "isnan", "is_infinite": "isinf", "is_finite": "isfinite", "log_sigmoid": "logsigmoid", "gaussian_nllloss": "gaussian_nll_loss",
           "poisson_nllloss": "poisson_nll_loss"}
# Written in Python, or part of a protocol and not an op.
OTHER = {"adaptive_sizes", "call_as_function", "factors", "per_axis", "triplet_margin_with_distance_loss", "next_uint64", "next_u_int64", "manual_seed"}
FOLDERS = ["ApusCore/Ops", "ApusCore/Random", "ApusNN/Losses"]


def _snake(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    return re.sub(r"_with_indices$", "", RENAMED.get(name, name))


def _public_functions():
    for folder in FOLDERS:
        for path in sorted((SOURCES / folder).rglob("*.swift")):
            for match in re.finditer(r"^(?:  )?public (?:static )?func `?([a-zA-Z]\w*)`?", path.read_text(), re.M):
                yield path.name, match.group(1)


@pytest.mark.skipif(not (SOURCES / "ApusCore").exists(), reason="the sources are not beside the tests")
def test_no_op_of_the_library_is_missing_from_the_table():
    known = {line.name.lstrip("_") for line in LINES}
    missing = sorted({f"{name} ({file})" for file, name in _public_functions() if _snake(name) not in known | OTHER})
    assert missing == [], "a line in Sources/ApusPython/Ops gives it to Python"
