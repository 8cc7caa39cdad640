"""Every layer and loss against PyTorch's: values, gradients, names and shapes of the state, and how it prints."""

import numpy as np
import pytest

import apus
from apus import nn

torch = pytest.importorskip("torch")


def both(array):
    """An array as a tensor of each library."""
    return apus.tensor(array), torch.tensor(array)


def drawn(*shape, seed=0, low=None, high=None):
    source = np.random.default_rng(seed)
    return (source.standard_normal(shape) if low is None else source.uniform(low, high, shape)).astype(np.float32)


def classes(*shape, count=5, seed=1):
    return np.random.default_rng(seed).integers(0, count, shape)


def signs(*shape):
    return np.sign(drawn(*shape, seed=3)).astype(np.float32)


IMAGE, SIGNAL, VOLUME, ROWS = drawn(2, 4, 8, 8), drawn(2, 4, 9), drawn(2, 4, 5, 6, 4), drawn(3, 6)
CASES = [
    ("Linear", (6, 3), {}, [ROWS]), ("Linear", (6, 3), {"bias": False}, [ROWS]), ("Bilinear", (6, 4, 3), {}, [ROWS, drawn(3, 4)]),
    ("Identity", (), {}, [ROWS]), ("Flatten", (), {}, [IMAGE]), ("Unflatten", (1, (2, 3)), {}, [ROWS]),
    ("Conv1d", (4, 6, 3), {"padding": 1}, [SIGNAL]), ("Conv2d", (4, 6, 3), {"stride": 2, "padding": 1}, [IMAGE]),
    ("Conv2d", (4, 8, (3, 5)), {"padding": "same", "groups": 2, "bias": False}, [IMAGE]),
    ("Conv2d", (4, 6, 3), {"dilation": 2, "padding": 2, "padding_mode": "reflect"}, [IMAGE]),
    ("Conv2d", (4, 6, 3), {"padding": 1, "padding_mode": "circular"}, [IMAGE]), ("Conv3d", (4, 3, 3), {"padding": (1, 0, 1)}, [VOLUME]),
    ("ConvTranspose1d", (4, 3, 4), {"stride": 2}, [SIGNAL]),
    ("ConvTranspose2d", (4, 6, 4), {"stride": 2, "padding": 1, "output_padding": 1}, [IMAGE]), ("ConvTranspose3d", (4, 2, 2), {}, [VOLUME]),
    ("MaxPool1d", (3,), {"padding": 1}, [SIGNAL]), ("MaxPool2d", (2,), {}, [IMAGE]), ("MaxPool2d", (3, 2), {"ceil_mode": True}, [IMAGE]),
    ("MaxPool3d", (2,), {}, [VOLUME]), ("AvgPool1d", (3,), {}, [SIGNAL]), ("AvgPool2d", (3, 2, 1), {"count_include_pad": False}, [IMAGE]),
    ("AvgPool3d", (2,), {}, [VOLUME]), ("AdaptiveAvgPool1d", (4,), {}, [SIGNAL]), ("AdaptiveAvgPool2d", ((3, 5),), {}, [IMAGE]),
    ("AdaptiveAvgPool3d", (2,), {}, [VOLUME]), ("AdaptiveMaxPool1d", (4,), {}, [SIGNAL]), ("AdaptiveMaxPool2d", (3,), {}, [IMAGE]),
    ("AdaptiveMaxPool3d", (2,), {}, [VOLUME]),
    ("ConstantPad1d", (2, 0.5), {}, [SIGNAL]), ("ConstantPad2d", ((1, 0, 2, 1), 0.5), {}, [IMAGE]), ("ConstantPad3d", (1, 0.5), {}, [VOLUME]),
    ("ZeroPad1d", (1,), {}, [SIGNAL]), ("ZeroPad2d", (1,), {}, [IMAGE]), ("ZeroPad3d", (1,), {}, [VOLUME]),
    ("ReflectionPad1d", (2,), {}, [SIGNAL]), ("ReflectionPad2d", (1,), {}, [IMAGE]), ("ReflectionPad3d", (1,), {}, [VOLUME]),
    ("ReplicationPad1d", (2,), {}, [SIGNAL]), ("ReplicationPad2d", (1,), {}, [IMAGE]), ("ReplicationPad3d", (1,), {}, [VOLUME]),
    ("CircularPad1d", (2,), {}, [SIGNAL]), ("CircularPad2d", (1,), {}, [IMAGE]), ("CircularPad3d", (1,), {}, [VOLUME]),
    ("BatchNorm1d", (6,), {}, [ROWS]), ("BatchNorm1d", (4,), {}, [SIGNAL]), ("BatchNorm2d", (4,), {"momentum": None}, [IMAGE]),
    ("BatchNorm2d", (4,), {"affine": False, "track_running_stats": False}, [IMAGE]), ("BatchNorm3d", (4,), {}, [VOLUME]),
    ("InstanceNorm1d", (4,), {}, [SIGNAL]), ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, [IMAGE]),
    ("InstanceNorm3d", (4,), {}, [VOLUME]), ("GroupNorm", (2, 4), {}, [IMAGE]), ("LayerNorm", (6,), {}, [ROWS]),
    ("LayerNorm", ((8, 8),), {"bias": False}, [IMAGE]), ("RMSNorm", (6,), {}, [ROWS]), ("LocalResponseNorm", (3,), {}, [IMAGE]),
    ("Embedding", (5, 3), {"padding_idx": 1}, [classes(2, 4)]), ("EmbeddingBag", (5, 3), {"mode": "sum"}, [classes(2, 4)]),
    ("ReLU", (), {}, [ROWS]), ("ReLU6", (), {}, [ROWS]), ("Sigmoid", (), {}, [ROWS]), ("Tanh", (), {}, [ROWS]), ("SiLU", (), {}, [ROWS]),
    ("Mish", (), {}, [ROWS]), ("SELU", (), {}, [ROWS]), ("Hardsigmoid", (), {}, [ROWS]), ("Hardswish", (), {}, [ROWS]),
    ("LogSigmoid", (), {}, [ROWS]), ("Softsign", (), {}, [ROWS]), ("Tanhshrink", (), {}, [ROWS]), ("ELU", (0.5,), {}, [ROWS]),
    ("CELU", (0.5,), {}, [ROWS]), ("GELU", (), {}, [ROWS]), ("GELU", (), {"approximate": "tanh"}, [ROWS]), ("GLU", (), {}, [ROWS]),
    ("Hardshrink", (), {}, [ROWS]), ("Softshrink", (), {}, [ROWS]), ("Softplus", (2.0, 5.0), {}, [ROWS]), ("LeakyReLU", (0.2,), {}, [ROWS]),
    ("Threshold", (0.1, 0.5), {}, [ROWS]), ("Hardtanh", (-0.5, 0.7), {}, [ROWS]), ("Softmax", (1,), {}, [ROWS]), ("Softmin", (1,), {}, [ROWS]),
    ("LogSoftmax", (1,), {}, [ROWS]), ("Softmax2d", (), {}, [IMAGE]), ("PReLU", (4,), {}, [IMAGE]),
    ("PixelShuffle", (2,), {}, [IMAGE]), ("PixelUnshuffle", (2,), {}, [IMAGE]), ("ChannelShuffle", (2,), {}, [IMAGE]),
    ("Upsample", (), {"scale_factor": 2}, [IMAGE]), ("Upsample", ((5, 11),), {"mode": "bilinear"}, [IMAGE]),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}, [IMAGE]), ("UpsamplingBilinear2d", (), {"scale_factor": 2}, [IMAGE]),
    ("Fold", ((4, 4), 2), {"stride": 2}, [drawn(1, 8, 4)]), ("Unfold", (3,), {"padding": 1}, [IMAGE]),
    ("CosineSimilarity", (), {}, [ROWS, drawn(3, 6, seed=2)]), ("PairwiseDistance", (), {}, [ROWS, drawn(3, 6, seed=2)]),
    ("RNN", (6, 5), {"num_layers": 2, "batch_first": True}, [drawn(2, 4, 6)]), ("RNN", (6, 5), {"nonlinearity": "relu"}, [drawn(4, 2, 6)]),
    ("LSTM", (6, 5), {"num_layers": 2, "bidirectional": True}, [drawn(4, 2, 6)]), ("LSTM", (6, 5), {"proj_size": 3}, [drawn(4, 2, 6)]),
    ("GRU", (6, 5), {"bidirectional": True, "batch_first": True}, [drawn(2, 4, 6)]), ("GRU", (6, 5), {"bias": False}, [drawn(4, 6)]),
    ("RNNCell", (6, 5), {}, [ROWS]), ("LSTMCell", (6, 5), {}, [ROWS]), ("GRUCell", (6, 5), {}, [ROWS]),
    ("MultiheadAttention", (6, 2), {"batch_first": True}, [drawn(2, 4, 6), drawn(2, 5, 6, seed=2), drawn(2, 5, 6, seed=3)]),
    ("MultiheadAttention", (6, 2), {"add_bias_kv": True, "add_zero_attn": True, "kdim": 4, "vdim": 3}, [drawn(4, 2, 6), drawn(5, 2, 4), drawn(5, 2, 3)]),
    ("TransformerEncoderLayer", (6, 2, 8), {"dropout": 0.0, "batch_first": True}, [drawn(2, 4, 6)]),
    ("TransformerDecoderLayer", (6, 2, 8), {"dropout": 0.0, "norm_first": True, "activation": "gelu"}, [drawn(4, 2, 6), drawn(5, 2, 6)]),
    ("Transformer", (6, 2, 1, 1, 8), {"dropout": 0.0, "batch_first": True}, [drawn(2, 4, 6), drawn(2, 3, 6)]),
]
P, LOGITS = drawn(4, 5, low=0.05, high=0.95), drawn(4, 5)
LOSSES = [
    ("L1Loss", {}, [LOGITS, drawn(4, 5, seed=2)]), ("MSELoss", {"reduction": "sum"}, [LOGITS, drawn(4, 5, seed=2)]),
    ("SmoothL1Loss", {"beta": 0.5}, [LOGITS, drawn(4, 5, seed=2)]), ("HuberLoss", {"delta": 0.5}, [LOGITS, drawn(4, 5, seed=2)]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [LOGITS, classes(4)]), ("CrossEntropyLoss", {}, [LOGITS, P]),
    ("CrossEntropyLoss", {"ignore_index": 2, "reduction": "none"}, [drawn(2, 5, 3), classes(2, 3)]), ("NLLLoss", {}, [LOGITS, classes(4)]),
    ("BCELoss", {}, [P, drawn(4, 5, seed=2, low=0, high=1)]), ("BCEWithLogitsLoss", {}, [LOGITS, P]),
    ("PoissonNLLLoss", {"full": True}, [LOGITS, drawn(4, 5, seed=2, low=0, high=4)]),
    ("KLDivLoss", {"reduction": "batchmean"}, [np.log(P), drawn(4, 5, seed=2, low=0.1, high=1)]),
    ("HingeEmbeddingLoss", {}, [LOGITS, signs(4, 5)]), ("MultiLabelMarginLoss", {}, [LOGITS, np.array([[1, 3, -1, 0, 2]] * 4)]),
    ("SoftMarginLoss", {}, [LOGITS, signs(4, 5)]), ("MultiLabelSoftMarginLoss", {}, [LOGITS, (P > 0.5).astype(np.float32)]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [LOGITS, drawn(4, 5, seed=2), signs(4)]),
    ("MarginRankingLoss", {"margin": 0.1}, [drawn(4), drawn(4, seed=2), signs(4)]), ("MultiMarginLoss", {"p": 2}, [LOGITS, classes(4)]),
    ("TripletMarginLoss", {"swap": True}, [LOGITS, drawn(4, 5, seed=2), drawn(4, 5, seed=3)]),
    ("TripletMarginWithDistanceLoss", {}, [LOGITS, drawn(4, 5, seed=2), drawn(4, 5, seed=3)]),
    ("GaussianNLLLoss", {"full": True}, [LOGITS, drawn(4, 5, seed=2), P]),
]


def outputs(result):
    """The tensors of a result, in order."""
    if isinstance(result, (tuple, list)):
        return [tensor for part in result for tensor in outputs(part)]
    return [] if result is None else [result]


def agree(ours, theirs, what):
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    assert ours.shape == theirs.shape, what
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5, err_msg=what)


def compare(ours, theirs, arrays, tracked=3):
    """Runs both forward and backward on the same numbers; the first `tracked` inputs get gradients."""
    mine, other = [], []
    for array in arrays:
        a, b = both(array)
        if a.is_floating_point() and len(mine) < tracked:
            a.requires_grad_(), b.requires_grad_()
        mine.append(a), other.append(b)
    ys, zs = outputs(ours(*mine)), outputs(theirs(*other))
    assert len(ys) == len(zs)
    for y, z in zip(ys, zs):
        agree(y, z, "value")
    differentiable = [(y, z) for y, z in zip(ys, zs) if z.requires_grad]
    if differentiable:
        sum((y * y).sum() for y, _ in differentiable).backward()
        sum((z * z).sum() for _, z in differentiable).backward()
    for a, b in zip(mine, other):
        if b.grad is not None:
            agree(a.grad, b.grad, "gradient of an input")
    theirs_by_name = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        if theirs_by_name[name].grad is not None:
            agree(parameter.grad, theirs_by_name[name].grad, f"gradient of {name}")


def pair(name, args, options):
    """The module of each library, with the same parameters."""
    theirs = getattr(torch.nn, name)(*args, **options)
    ours = getattr(nn, name)(*args, **options)
    own, other = ours.state_dict(), theirs.state_dict()
    assert list(own) == list(other)
    assert [tuple(tensor.shape) for tensor in own.values()] == [tuple(tensor.shape) for tensor in other.values()]
    ours.load_state_dict({key: apus.tensor(tensor.numpy()) for key, tensor in other.items()})
    return ours, theirs


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_layer(case):
    name, args, options, arrays = CASES[case]
    ours, theirs = pair(name, args, options)
    compare(ours, theirs, arrays)
    # Running statistics and the like.
    for key, tensor in theirs.state_dict().items():
        agree(ours.state_dict()[key], tensor, key)
    ours.eval(), theirs.eval()
    ours.zero_grad(), theirs.zero_grad()
    compare(ours, theirs, arrays)


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_how_it_prints(case):
    name, args, options, _ = CASES[case]
    assert repr(getattr(nn, name)(*args, **options)) == repr(getattr(torch.nn, name)(*args, **options)).replace("NonDynamicallyQuantizableLinear", "Linear")


@pytest.mark.parametrize("name, args", [("Transformer", (8, 2, 2, 3)), ("TripletMarginWithDistanceLoss", ()), ("ModuleList", ())])
def test_how_what_is_made_of_modules_prints(name, args):
    theirs = repr(getattr(torch.nn, name)(*args)).replace("NonDynamicallyQuantizableLinear", "Linear")
    assert repr(getattr(nn, name)(*args)) == theirs


@pytest.mark.parametrize("case", range(len(LOSSES)), ids=lambda i: f"{LOSSES[i][0]}-{i}")
def test_loss(case):
    name, options, arrays = LOSSES[case]
    compare(getattr(nn, name)(**options), getattr(torch.nn, name)(**options), arrays, tracked=3 if "Triplet" in name else 1)


def test_ctc():
    # Behind a log_softmax: PyTorch's gradient by the logarithms alone is that of their softmax.
    logits, targets = drawn(6, 2, 5), classes(2, 3) % 4 + 1
    a, b = both(logits)
    a.requires_grad_(), b.requires_grad_()
    ours = nn.CTCLoss()(a.log_softmax(2), apus.tensor(targets), apus.tensor([6, 5]), apus.tensor([3, 2]))
    theirs = torch.nn.CTCLoss()(b.log_softmax(2), torch.tensor(targets), torch.tensor([6, 5]), torch.tensor([3, 2]))
    ours.backward(), theirs.backward()
    agree(ours, theirs, "loss"), agree(a.grad, b.grad, "gradient")


@pytest.mark.parametrize("options", [{"size_average": False}, {"reduce": False}, {"size_average": True}, {"size_average": False, "reduce": True}])
@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_reductions_of_old(options):
    logits, labels = both(LOGITS), both(classes(4))
    functional = [(nn.functional, 0), (torch.nn.functional, 1)]
    agree(*(F.cross_entropy(logits[i], labels[i], **options) for F, i in functional), "cross_entropy")
    agree(*(F.nll_loss(logits[i], labels[i], **options) for F, i in functional), "nll_loss")
    agree(*(F.poisson_nll_loss(logits[i], logits[i].abs(), **options) for F, i in functional), "poisson_nll_loss")
    agree(*(F.mse_loss(logits[i], logits[i].abs(), **options) for F, i in functional), "mse_loss")


def test_one_hot_targets_count_as_probabilities():
    logits, labels = apus.tensor(LOGITS), apus.tensor(classes(4))
    one_hot = nn.functional.one_hot(labels, 5)
    loss = nn.CrossEntropyLoss()
    assert abs(loss(logits, labels).item() - loss(logits, one_hot).item()) < 1e-6


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
def test_dropout(name):
    layer = getattr(nn, name)(0.5)
    x = apus.ones(*{"Dropout1d": (8, 64, 3), "Dropout3d": (8, 64, 2, 2, 2)}.get(name, (8, 64, 3, 3)))
    apus.manual_seed(1)
    first = layer(x)
    assert not apus.equal(first, x) and abs(first.mean().item() - x.mean().item()) < (1.0 if "Alpha" in name else 0.3)
    apus.manual_seed(1)
    assert apus.equal(layer(x), first)
    layer.eval()
    assert apus.equal(layer(x), x)
    assert repr(layer) == repr(getattr(torch.nn, name)(0.5))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_puts_maxima_back(axes):
    array = drawn(2, 3, *[6] * axes)
    for library, x in ((nn, apus.tensor(array)), (torch.nn, torch.tensor(array))):
        y, places = getattr(library, f"MaxPool{axes}d")(2, return_indices=True)(x)
        result = getattr(library, f"MaxUnpool{axes}d")(2)(y, places)
        if library is nn:
            ours = result.numpy()
    np.testing.assert_allclose(ours, result.numpy())


def test_rrelu_draws_slopes_in_training_only():
    layer, x = nn.RReLU(0.1, 0.3), -apus.ones(1000)
    y = layer(x)
    assert y.min().item() > -0.3001 and y.max().item() < -0.0999 and len(set(y.tolist())) > 100
    layer.eval()
    assert set(round(value, 6) for value in layer(x).tolist()) == {-0.2}


def test_masks_of_attention():
    options = dict(embed_dim=6, num_heads=2, batch_first=True)
    ours, theirs = pair("MultiheadAttention", (), options)
    x, y = both(drawn(2, 4, 6))
    padding = np.array([[False, False, True, True], [False, False, False, True]])
    causal = np.triu(np.ones((4, 4), bool), 1)
    for arguments in ({"key_padding_mask": padding}, {"attn_mask": causal}, {"key_padding_mask": padding, "attn_mask": causal}):
        for need_weights in (True, False):
            mine = ours(x, x, x, need_weights=need_weights, **{key: apus.tensor(mask) for key, mask in arguments.items()})
            other = theirs(y, y, y, need_weights=need_weights, **{key: torch.tensor(mask) for key, mask in arguments.items()})
            agree(mine[0], other[0], "output")
            if need_weights:
                agree(mine[1], other[1], "weights")


def test_packed_sequences():
    array, lengths = drawn(5, 3, 4), [2, 5, 3]
    ours, theirs = pair("LSTM", (4, 6), {"bidirectional": True})
    mine = nn.utils.rnn.pack_padded_sequence(apus.tensor(array), lengths, enforce_sorted=False)
    other = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(array), lengths, enforce_sorted=False)
    agree(mine.data, other.data, "packed")
    (a, (h, c)), (b, (g, d)) = ours(mine), theirs(other)
    agree(h, g, "state"), agree(c, d, "cell state")
    padded, counts = nn.utils.rnn.pad_packed_sequence(a)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(b)
    agree(padded, expected, "output")
    assert counts.tolist() == lengths
