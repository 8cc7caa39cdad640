"""Parametrized tensors, weight norm and spectral norm, fused batch norm: by themselves and against PyTorch."""

import copy
import pickle

import numpy as np
import pytest

import apus
from apus import nn
from apus.nn.utils import parametrizations, parametrize

torch = pytest.importorskip("torch")

LAYERS = {
    "linear": lambda nn: nn.Linear(4, 3),
    "conv": lambda nn: nn.Conv2d(2, 3, 2),
    "transposed": lambda nn: nn.ConvTranspose1d(2, 3, 2),
}
INPUTS = {"linear": (5, 4), "conv": (2, 2, 4, 4), "transposed": (2, 2, 4)}


def numbers(tensor):
    return np.array(tensor.detach().numpy())


def pair(kind, ours, theirs):
    """A layer of each library with the same state, after something was done to it."""
    torch.manual_seed(0)
    a, b = LAYERS[kind](nn), LAYERS[kind](torch.nn)
    a.load_state_dict({key: apus.tensor(numbers(value)) for key, value in b.state_dict().items()})
    a, b = ours(a), theirs(b)
    a.load_state_dict({key: apus.tensor(numbers(value)) for key, value in b.state_dict().items()})
    return a, b


def assert_same(kind, a, b, steps=3):
    """Outputs, gradients and states, for some forward passes in training and one in evaluation mode."""
    assert list(a.state_dict()) == list(b.state_dict())
    assert [name for name, _ in a.named_parameters()] == [name for name, _ in b.named_parameters()]
    x = np.random.default_rng(0).normal(size=INPUTS[kind]).astype(np.float32)
    for step in range(steps + 1):
        if step == steps:
            a.eval(), b.eval()
        a.zero_grad(), b.zero_grad()
        y, z = a(apus.tensor(x)), b(torch.tensor(x))
        np.testing.assert_allclose(numbers(y), numbers(z), rtol=1e-4, atol=1e-5)
        (y**2).sum().backward(), (z**2).sum().backward()
        for (name, p), (_, q) in zip(a.named_parameters(), b.named_parameters()):
            np.testing.assert_allclose(numbers(p.grad), numbers(q.grad), rtol=2e-4, atol=2e-5, err_msg=name)
        for (key, p), q in zip(a.state_dict().items(), b.state_dict().values()):
            np.testing.assert_allclose(numbers(p), numbers(q), rtol=1e-4, atol=1e-5, err_msg=key)


NORMS = {
    "weight_norm": lambda utils: utils.parametrizations.weight_norm,
    "weight_norm of axis 1": lambda utils: lambda layer: utils.parametrizations.weight_norm(layer, dim=1),
    "weight_norm of all": lambda utils: lambda layer: utils.parametrizations.weight_norm(layer, dim=None),
    "weight_norm of the bias": lambda utils: lambda layer: utils.parametrizations.weight_norm(layer, "bias"),
    "spectral_norm": lambda utils: lambda layer: utils.parametrizations.spectral_norm(layer, n_power_iterations=2),
    "spectral_norm of the bias": lambda utils: lambda layer: utils.parametrizations.spectral_norm(layer, "bias"),
    "classic weight_norm": lambda utils: utils.weight_norm,
    "classic weight_norm of all": lambda utils: lambda layer: utils.weight_norm(layer, dim=None),
    "classic spectral_norm": lambda utils: lambda layer: utils.spectral_norm(layer, n_power_iterations=2),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("norm", NORMS)
def test_norms_are_those_of_pytorch(norm, kind):
    if norm == "spectral_norm of the bias":
        # An axis 1, which transposed convolutions have by default, is none of a vector's.
        if kind == "transposed":
            with pytest.raises(IndexError):
                NORMS[norm](nn.utils)(LAYERS[kind](nn))
            return
    a, b = pair(kind, NORMS[norm](nn.utils), NORMS[norm](torch.nn.utils))
    assert_same(kind, a, b)


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_the_classic_forms_can_be_undone(norm):
    layer = nn.Linear(4, 3)
    before = [name for name, _ in layer.named_parameters()]
    make, undo = getattr(nn.utils, norm), getattr(nn.utils, f"remove_{norm}")
    assert make(layer) is layer and "weight" not in layer.state_dict()
    with pytest.raises(RuntimeError):
        make(layer)
    x = apus.randn(2, 4)
    y = layer.eval()(x)
    assert undo(layer) is layer
    assert layer(x).allclose(y) and sorted(name for name, _ in layer.named_parameters()) == sorted(before)
    assert isinstance(layer.weight, nn.Parameter) and not layer._forward_pre_hooks
    with pytest.raises(ValueError):
        undo(layer)
    with pytest.raises(ValueError):
        make(nn.Linear(4, 3, bias=False), "bias")


def test_weight_norm_reads_the_classic_state():
    old = nn.utils.weight_norm(nn.Linear(4, 3))
    new = parametrizations.weight_norm(nn.Linear(4, 3))
    new.load_state_dict(old.state_dict())
    assert new.weight.allclose(old.weight)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, x):
        return x.triu()


class Double(nn.Module):
    calls = 0

    def forward(self, x):
        Double.calls += 1
        return 2 * x


def test_a_parametrized_tensor_is_a_function_of_its_original():
    layer = nn.Linear(3, 3)
    weight = layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.parametrizations.weight.original is weight, "an optimizer that has it need not be told"
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight") and not parametrize.is_parametrized(layer, "bias")
    assert layer.weight.equal(layer.weight.t()) and type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert repr(layer) == (
        "ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n"
        "    (weight): ParametrizationList(\n      (0): Symmetric()\n    )\n  )\n)")
    optimizer = apus.optim.SGD(layer.parameters(), lr=0.1)
    before = layer.weight.detach()
    layer(apus.randn(2, 3)).sum().backward()
    optimizer.step()
    assert not layer.weight.equal(before) and layer.weight.equal(layer.weight.t())

    given = apus.tensor([[1.0, 2, 3], [2, 4, 5], [3, 5, 6]])
    layer.weight = given
    assert layer.weight.equal(given) and layer.parametrizations.weight.original[1, 0] == 0
    layer.weight = nn.Parameter(given * 2)
    assert layer.weight.equal(given * 2) and "weight" not in layer._parameters


def test_parametrizations_are_chained_cached_copied_and_removed():
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", Double())
    parametrize.register_parametrization(layer, "bias", Double())
    original = layer.parametrizations.weight.original
    assert layer.weight.allclose(2 * (original.triu() + original.triu(1).t()))
    Double.calls = 0
    with parametrize.cached():
        assert layer.weight is layer.weight
        with parametrize.cached():
            layer(apus.ones(3))
    assert Double.calls == 2 and layer.weight is not layer.weight
    twin = copy.deepcopy(layer)
    assert twin.weight.equal(layer.weight) and twin.parametrizations.weight.original is not original
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)
    with pytest.raises(RuntimeError, match="right_inverse"):
        layer.bias = apus.ones(3)

    value = layer.weight.detach()
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight is original and layer.weight.equal(value) and parametrize.is_parametrized(layer, "bias")
    bias = layer.parametrizations.bias.original.detach()
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert layer.bias.equal(bias) and type(layer) is nn.Linear and sorted(layer.state_dict()) == ["bias", "weight"]
    assert twin.weight.equal(value) and parametrize.type_before_parametrizations(twin) is nn.Linear
    with pytest.raises(ValueError):
        parametrize.remove_parametrizations(layer, "weight")
    pickle.loads(pickle.dumps(layer))


def test_several_originals():
    layer = parametrizations.weight_norm(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="several"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    weight = layer.weight.detach()
    layer.weight = weight * 3
    assert layer.parametrizations.weight.original0.shape == (3, 1) and layer.weight.allclose(weight * 3)
    other = parametrize.transfer_parametrizations_and_params(layer, nn.Linear(4, 3))
    assert other.weight.equal(layer.weight)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.allclose(weight * 3)


def test_what_does_not_fit_is_refused():
    class Flat(nn.Module):
        def forward(self, x):
            return x.flatten()

    layer = nn.Linear(3, 2)
    with pytest.raises(ValueError, match="unsafe"):
        parametrize.register_parametrization(layer, "weight", Flat())
    with pytest.raises(ValueError, match="no parameter"):
        parametrize.register_parametrization(layer, "wait", Double())
    with pytest.raises(ValueError, match="no parameter"):
        parametrizations.spectral_norm(layer, "wait")
    with pytest.raises(ValueError):
        parametrizations.spectral_norm(layer, n_power_iterations=0)
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)
    parametrize.register_parametrization(layer, "weight", Flat(), unsafe=True)
    assert layer.weight.shape == (6,)


def test_buffers_can_be_parametrized():
    module = nn.Module()
    module.register_buffer("seen", apus.ones(2))
    parametrize.register_parametrization(module, "seen", Double())
    assert module.seen.tolist() == [2, 2] and list(module.state_dict()) == ["parametrizations.seen.original"] and not list(module.parameters())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", LAYERS)
def test_batch_norm_is_folded_into_the_layer_before_it(kind, bias):
    layer = {
        "linear": nn.Linear(4, 3, bias=bias), "conv": nn.Conv2d(2, 3, 2, bias=bias), "transposed": nn.ConvTranspose1d(2, 3, 2, bias=bias),
    }[kind]
    norm = (nn.BatchNorm2d if kind == "conv" else nn.BatchNorm1d)(3)
    x = apus.randn(INPUTS[kind])
    for _ in range(3):
        norm(layer(x))
    nn.init.uniform_(norm.weight), nn.init.uniform_(norm.bias)
    if kind == "linear":
        def fuse():
            return nn.utils.fuse_linear_bn_eval(layer, norm)
    else:
        def fuse():
            return nn.utils.fuse_conv_bn_eval(layer, norm, transpose=kind == "transposed")
    with pytest.raises(RuntimeError, match="eval"):
        fuse()
    layer.eval(), norm.eval()
    fused = fuse()
    assert type(fused) is type(layer) and isinstance(fused.bias, nn.Parameter) and fused is not layer
    assert fused(x).allclose(norm(layer(x)), atol=1e-5)


def test_modules_without_first_values():
    state = apus.get_rng_state()
    layer = nn.utils.skip_init(nn.Linear, 4, out_features=3)
    assert layer.weight.shape == (3, 4) and apus.get_rng_state().equal(state)
    assert nn.Linear(4, 3).weight.abs().sum() > 0
