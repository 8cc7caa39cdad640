"""What modules are: attributes, state, hooks, modes."""

import copy
import pathlib
import pickle
import re

import pytest

import apus
from apus import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 3)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 2, bias=False))
        self.register_buffer("seen", apus.tensor(0))
        self.scale = nn.Parameter(apus.ones(2))

    def forward(self, x):
        return self.rest(self.first(x)) * self.scale


def test_what_is_found_where():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "rest.1.weight"]
    assert list(net.state_dict()) == ["scale", "seen", "first.weight", "first.bias", "rest.1.weight"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert net.get_submodule("rest.1") is net.rest[1] and net.get_parameter("first.bias") is net.first.bias
    net.tied = net.first
    assert len(list(net.parameters())) == 4 and "tied.weight" in net.state_dict()


def test_it_prints_as_a_tree():
    assert repr(Net()) == (
        "Net(\n  (first): Linear(in_features=4, out_features=3, bias=True)\n  (rest): Sequential(\n    (0): ReLU()\n"
        "    (1): Linear(in_features=3, out_features=2, bias=False)\n  )\n)")


def test_every_parameter_gets_a_gradient():
    net = Net()
    apus.manual_seed(0)
    net(apus.randn(8, 4)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum().item() > 0, name
    net.zero_grad()
    assert all(parameter.grad is None for parameter in net.parameters())


def test_state_goes_from_one_to_the_other():
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    x = apus.randn(3, 4)
    assert apus.equal(a(x), b(x))
    kept = a.first.weight
    a.load_state_dict(Net().state_dict())
    assert a.first.weight is kept and not apus.equal(a(x), b(x))


def test_a_state_that_does_not_fit_lists_everything_and_changes_nothing():
    net = Net()
    before = net.first.weight.detach().clone()
    state = net.state_dict()
    del state["seen"]
    state["first.weight"] = apus.zeros(5, 5)
    state["more"] = apus.zeros(1)
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    for text in ("first.weight: shape [5, 5]", "missing key: seen", "unexpected key: more"):
        assert text in str(error.value)
    assert apus.equal(net.first.weight, before)
    state["first.weight"] = before * 2
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["seen"] and result.unexpected_keys == ["more"]
    assert apus.equal(net.first.weight, before * 2)


def test_copies_and_pickles():
    net, x = Net(), apus.randn(3, 4)
    for made in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert apus.equal(made(x), net(x)) and made.first.weight is not net.first.weight and made.first.weight.requires_grad
        assert isinstance(made.first.weight, nn.Parameter)


def test_attributes_are_checked():
    net = Net()
    with pytest.raises(TypeError):
        net.first = "text"
    with pytest.raises(TypeError):
        net.scale = apus.ones(2)
    with pytest.raises(KeyError):
        net.register_buffer("a.b", None)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        net.nothing
    net.scale = None
    assert "scale" not in net.state_dict()

    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="before Module.__init__"):
        Forgot()


def test_hooks():
    net, x, seen = Net(), apus.randn(2, 4), []
    handle = net.first.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    with net.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 0,)):
        assert net(x).sum().item() != 0 or True
    net(x)
    handle.remove()
    net(x)
    assert seen == [(2, 3), (2, 3)]
    net.rest.register_forward_hook(lambda module, inputs, output: output * 0)
    assert net(x).abs().sum().item() == 0


def test_backward_hooks_see_and_change_gradients():
    layer, seen = nn.Linear(3, 2), []

    def hook(module, into, out):
        seen.append((into[0].clone(), out[0].clone()))
        return (into[0] * 2,)

    layer.register_full_backward_hook(hook)
    x = apus.randn(4, 3, requires_grad=True)
    layer(x).sum().backward()
    expected = layer.weight.detach().sum(0).expand(4, 3)
    assert apus.allclose(seen[0][0], expected) and apus.equal(seen[0][1], apus.ones(4, 2))
    assert apus.allclose(x.grad, expected * 2)


def test_modes_and_dtypes():
    net = Net()
    assert net.training and not net.eval().training and not net.rest[0].training and net.train().rest.training
    net.double()
    assert net.first.weight.dtype is apus.float64 and net.seen.dtype is apus.int64
    assert net(apus.randn(2, 4, dtype=apus.float64)).dtype is apus.float64
    net.requires_grad_(False)
    assert not net(apus.randn(2, 4, dtype=apus.float64)).requires_grad
    calls = []
    net.apply(lambda module: calls.append(type(module).__name__))
    assert calls == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_containers():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    layers.append(nn.ReLU()).insert(0, nn.Tanh())
    assert len(layers) == 5 and isinstance(layers[0], nn.Tanh) and isinstance(layers[-1], nn.ReLU) and len(layers[1:3]) == 2
    del layers[0]
    assert [name for name, _ in layers.named_parameters()][0] == "0.weight"
    table = nn.ModuleDict({"a": nn.Linear(1, 2)})
    table["b"] = nn.ReLU()
    assert list(table) == ["a", "b"] and "a.weight" in table.state_dict() and "b" in table
    values = nn.ParameterList([apus.ones(2), apus.zeros(3)])
    assert len(list(values.parameters())) == 2 and values[1].shape == (3,)
    named = nn.ParameterDict({"left": apus.ones(2)})
    assert list(named.state_dict()) == ["left"]
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    assert len(net + nn.Sequential(nn.Tanh())) == 3 and isinstance(net[-1], nn.ReLU) and len(net[:1]) == 1


def test_initialisers():
    apus.manual_seed(0)
    x = apus.empty(200, 300) if hasattr(apus, "empty") else apus.zeros(200, 300)
    assert abs(nn.init.xavier_uniform_(x).std().item() - (2 / 500) ** 0.5) < 2e-3
    assert abs(nn.init.kaiming_normal_(x, nonlinearity="relu").std().item() - (2 / 300) ** 0.5) < 2e-3
    assert nn.init.constant_(x, 3).mean().item() == 3
    rows = nn.init.orthogonal_(apus.zeros(4, 6))
    assert apus.allclose(rows @ rows.T, apus.eye(4), atol=1e-5)
    assert apus.equal(nn.init.eye_(apus.zeros(2, 3)), apus.eye(2, 3))
    narrow = nn.init.trunc_normal_(x, std=1.0, a=-0.5, b=0.5)
    assert narrow.abs().max().item() <= 0.5
    sparse = nn.init.sparse_(apus.ones(50, 40), sparsity=0.3, std=2.0)
    assert ((sparse == 0).sum(0) == 15).all() and 1.8 < sparse[sparse != 0].std().item() < 2.2
    with pytest.raises(ValueError):
        nn.init.xavier_uniform_(apus.zeros(3))
    parameter = nn.Parameter(apus.zeros(3))
    assert nn.init.ones_(parameter) is parameter and parameter.requires_grad and parameter.is_leaf


def test_clipping():
    net = Net()
    (net(apus.randn(2, 4)).sum() * 1000).backward()
    total = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    assert total.item() > 1
    assert abs(nn.utils.get_total_norm([p.grad for p in net.parameters()]).item() - 1) < 1e-3
    nn.utils.clip_grad_value_(net.parameters(), 0.01)
    assert max(p.grad.abs().max().item() for p in net.parameters()) <= 0.0100001
    vector = nn.utils.parameters_to_vector(net.parameters())
    nn.utils.vector_to_parameters(vector.detach() * 0, net.parameters())
    assert net.first.weight.abs().sum().item() == 0


SOURCES = pathlib.Path(__file__).resolve().parents[3] / "Sources"


@pytest.mark.skipif(not SOURCES.exists(), reason="not in a checkout")
def test_every_class_of_the_library_has_its_twin():
    pattern = re.compile(r"^public final class (\w+)[^:\n]*: ([\w, ]+)", re.MULTILINE)
    not_modules = {"Hyperparameter", "KeyValueCache"}
    missing = []
    for path in (SOURCES / "ApusNN").rglob("*.swift"):
        for name, bases in pattern.findall(path.read_text()):
            if name not in not_modules and not hasattr(nn, name):
                missing.append(name)
    for path in (SOURCES / "ApusOptim").rglob("*.swift"):
        for name, bases in pattern.findall(path.read_text()):
            if bases.split(",")[0] == "Optimizer" and not hasattr(apus.optim, name):
                missing.append(name)
            if bases.split(",")[0] in ("Schedule", "FactorSchedule") and not hasattr(apus.optim.lr_scheduler, name):
                missing.append(name)
    assert missing == []
