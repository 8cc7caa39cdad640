"""Every optimizer and schedule against PyTorch's."""

import copy
import math
import pickle

import numpy as np
import pytest

import apus
from apus import nn, optim

torch = pytest.importorskip("torch")

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "maximize": True}), ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}), ("AdamW", {"lr": 0.01, "betas": (0.8, 0.9)}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.1}),
    ("Adadelta", {"lr": 1.0, "weight_decay": 0.01}), ("Adamax", {"lr": 0.01}), ("NAdam", {"lr": 0.01, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.01}),
]
# PyTorch keeps the product of NAdam's momenta in float32.
LOOSE = {"NAdam": 1e-8}


def problem(library, dtype):
    """A small network with the same first values in both libraries, and a loss."""
    source = np.random.default_rng(0)
    shapes = [(5, 4), (5,), (2, 5), (2,)]
    values = [source.standard_normal(shape) * 0.5 for shape in shapes]
    x, y = source.standard_normal((6, 4)), source.standard_normal((6, 2))
    tensors = [library.tensor(value, dtype=getattr(library, dtype)).requires_grad_() for value in values]
    x, y = library.tensor(x, dtype=getattr(library, dtype)), library.tensor(y, dtype=getattr(library, dtype))

    def loss():
        w, b, v, c = tensors
        return (((x @ w.T + b).tanh() @ v.T + c - y) ** 2).mean()

    return tensors, loss


def train(library, optimizer, loss, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


@pytest.mark.parametrize("dtype,bound", [("float32", 5e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("case", range(len(OPTIMIZERS)), ids=lambda i: f"{OPTIMIZERS[i][0]}-{i}")
def test_a_hundred_steps(case, dtype, bound):
    name, options = OPTIMIZERS[case]
    ours, our_loss = problem(apus, dtype)
    theirs, their_loss = problem(torch, dtype)
    steps = 5 if options.get("maximize") else 100
    train(apus, getattr(optim, name)(ours, **options), our_loss, steps)
    train(torch, getattr(torch.optim, name)(theirs, **options), their_loss, steps)
    for a, b in zip(ours, theirs):
        b = b.detach().numpy()
        np.testing.assert_allclose(a.detach().numpy(), b, rtol=0, atol=max(bound, LOOSE.get(name, 0)) * max(1, np.abs(b).max()))


def steps_by_closure(optimizer, loss, steps):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(steps):
        optimizer.step(closure)


def test_lbfgs():
    results = []
    for library, module in ((apus, optim), (torch, torch.optim)):
        tensors, loss = problem(library, "float64")
        steps_by_closure(module.LBFGS(tensors, lr=0.5, max_iter=5, line_search_fn="strong_wolfe"), loss, 4)
        results.append([tensor.detach().numpy() for tensor in tensors])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_lbfgs_goes_on_from_its_state():
    whole, loss = problem(apus, "float64")
    steps_by_closure(optim.LBFGS(whole, lr=0.5, max_iter=5), loss, 4)
    parts, loss = problem(apus, "float64")
    first = optim.LBFGS(parts, lr=0.5, max_iter=5)
    steps_by_closure(first, loss, 2)
    second = optim.LBFGS(parts, lr=123.0, max_iter=5)
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    steps_by_closure(second, loss, 2)
    for a, b in zip(whole, parts):
        assert apus.equal(a, b)


@pytest.mark.parametrize("kind", ["Lion", "LAMB"])
def test_optimizers_that_pytorch_lacks_lower_the_loss(kind):
    tensors, loss = problem(apus, "float32")
    first = loss().item()
    train(apus, getattr(optim, kind)(tensors, lr=0.01), loss, 50)
    assert loss().item() < first * 0.9


def test_muon_takes_matrices_only():
    tensors, loss = problem(apus, "float32")
    with pytest.raises(ValueError, match="2D"):
        optim.Muon(tensors)
    first = loss().item()
    train(apus, optim.Muon([tensors[0], tensors[2]], lr=0.02), loss, 30)
    assert loss().item() < first


def test_groups_and_their_options():
    tensors, loss = problem(apus, "float32")
    optimizer = optim.SGD([{"params": tensors[:2]}, {"params": tensors[2:], "lr": 0.0}], lr=0.1, momentum=0.9)
    before = [tensor.detach().clone() for tensor in tensors]
    train(apus, optimizer, loss, 3)
    assert not apus.equal(tensors[0], before[0]) and apus.equal(tensors[2], before[2])
    optimizer.param_groups[1]["lr"] = 0.1
    train(apus, optimizer, loss, 1)
    assert not apus.equal(tensors[2], before[2])
    more = apus.ones(3, requires_grad=True)
    optimizer.add_param_group({"params": more, "lr": 1.0})
    optimizer.zero_grad()
    (loss() + more.sum()).backward()
    optimizer.step()
    assert more.tolist() == [0, 0, 0]
    optimizer.set_lr(0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5] * 3


@pytest.mark.parametrize("case", range(len(OPTIMIZERS)), ids=lambda i: f"{OPTIMIZERS[i][0]}-{i}")
def test_a_run_that_goes_on_from_its_state(case):
    name, options = OPTIMIZERS[case]
    whole, loss = problem(apus, "float32")
    train(apus, getattr(optim, name)(whole, **options), loss, 10)
    parts, loss = problem(apus, "float32")
    first = getattr(optim, name)(parts, **options)
    train(apus, first, loss, 5)
    state = pickle.loads(pickle.dumps(first.state_dict()))
    second = getattr(optim, name)(parts, **{**options, "lr": 123.0})
    second.load_state_dict(state)
    assert second.param_groups[0]["lr"] == options["lr"]
    train(apus, second, loss, 5)
    for a, b in zip(whole, parts):
        assert apus.equal(a, b)


def test_the_state_has_pytorchs_form():
    tensors, loss = problem(apus, "float32")
    ours = optim.Adam(tensors, lr=0.01)
    train(apus, ours, loss, 3)
    others, their_loss = problem(torch, "float32")
    theirs = torch.optim.Adam(others, lr=0.01)
    train(torch, theirs, their_loss, 3)
    a, b = ours.state_dict(), theirs.state_dict()
    assert set(a) == set(b) and set(a["state"][0]) == set(b["state"][0]) and a["param_groups"][0]["params"] == b["param_groups"][0]["params"]
    np.testing.assert_allclose(a["state"][2]["exp_avg"].numpy(), b["state"][2]["exp_avg"].numpy(), atol=1e-6)
    ours.load_state_dict({
        "state": {i: {key: apus.tensor(value.numpy()) for key, value in entry.items()} for i, entry in b["state"].items()},
        "param_groups": b["param_groups"],
    })
    assert ours.state_dict()["state"][1]["step"].item() == 3


def test_an_optimizer_of_ones_own():
    class Halving(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 1.0})

        def step(self, closure=None):
            with apus.no_grad():
                for group in self.param_groups:
                    for tensor in group["params"]:
                        if tensor.grad is not None:
                            self.state[tensor]["count"] = self.state[tensor].get("count", 0) + 1
                            tensor.mul_(0.5)

    x = apus.ones(2, requires_grad=True)
    optimizer = Halving([x])
    for _ in range(2):
        x.sum().backward()
        optimizer.step()
    assert x.tolist() == [0.25, 0.25] and optimizer.state_dict()["state"][0]["count"] == 2


def test_what_is_no_parameter():
    x = apus.ones(2, requires_grad=True)
    for given, error in ((x, TypeError), ([], ValueError), ([1], TypeError), ([x * 2], ValueError), ([x, x], ValueError)):
        with pytest.raises(error):
            optim.SGD(given, lr=0.1)
    for options in ({"lr": -1.0}, {"momentum": -1.0}, {"lr": 0.1, "nesterov": True}):
        with pytest.raises(ValueError):
            optim.SGD([x], **options)
    with pytest.raises(ValueError):
        optim.Adam([x], betas=(1.0, 0.9))


SCHEDULES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}), ("MultiStepLR", {"milestones": [3, 7, 7], "gamma": 0.3}), ("ConstantLR", {}),
    ("LinearLR", {"total_iters": 7}), ("ExponentialLR", {"gamma": 0.9}), ("PolynomialLR", {"total_iters": 20, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 8, "eta_min": 0.01}), ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3, "step_size_down": 5, "mode": "exp_range", "gamma": 0.95}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 51}), ("OneCycleLR", {"max_lr": 0.5, "total_steps": 51, "three_phase": True, "anneal_strategy": "linear"}),
    ("LambdaLR", {"lr_lambda": lambda step: 0.95**step}), ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9}),
]


def rates(library, module, name, options):
    optimizer = module.SGD([library.ones(2, requires_grad=True)], lr=0.1, momentum=0.9)
    schedule = getattr(module.lr_scheduler, name)(optimizer, **options)
    found = []
    for _ in range(50):
        found.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", range(len(SCHEDULES)), ids=lambda i: f"{SCHEDULES[i][0]}-{i}")
def test_schedule(case):
    name, options = SCHEDULES[case]
    np.testing.assert_allclose(rates(apus, optim, name, options), rates(torch, torch.optim, name, options), rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_schedules_of_schedules():
    def found(library, module):
        optimizer = module.SGD([library.ones(2, requires_grad=True)], lr=0.1)
        kinds = module.lr_scheduler
        warm, rest = kinds.LinearLR(optimizer, 0.1, total_iters=5), kinds.ExponentialLR(optimizer, 0.9)
        schedule = kinds.SequentialLR(optimizer, [warm, rest], [5])
        values = []
        for _ in range(20):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        optimizer = module.SGD([library.ones(2, requires_grad=True)], lr=0.1)
        schedule = kinds.ChainedScheduler([kinds.ConstantLR(optimizer, 0.5, 4), kinds.ExponentialLR(optimizer, 0.9)])
        for _ in range(10):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return values

    np.testing.assert_allclose(found(apus, optim), found(torch, torch.optim), rtol=1e-9)


def test_plateaus():
    figures = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85]

    def found(library, module, mode):
        optimizer = module.SGD([library.ones(2, requires_grad=True)], lr=0.1)
        schedule = module.lr_scheduler.ReduceLROnPlateau(optimizer, mode, patience=2, factor=0.5, cooldown=1, min_lr=0.02)
        values = []
        for figure in figures:
            schedule.step(figure)
            values.append(optimizer.param_groups[0]["lr"])
        return values

    for mode in ("min", "max"):
        assert found(apus, optim, mode) == found(torch, torch.optim, mode)


def test_a_schedule_goes_on_from_its_state():
    optimizer = optim.SGD([apus.ones(2, requires_grad=True)], lr=0.1)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(4):
        schedule.step()
    other = optim.SGD([apus.ones(2, requires_grad=True)], lr=0.1)
    second = optim.lr_scheduler.CosineAnnealingLR(other, 10)
    second.load_state_dict(copy.deepcopy(schedule.state_dict()))
    schedule.step(), second.step()
    assert math.isclose(schedule.get_last_lr()[0], second.get_last_lr()[0])


def test_averaged_models():
    model = nn.Linear(2, 1)
    average = optim.swa_utils.AveragedModel(model)
    moving = optim.swa_utils.AveragedModel(model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.5))
    for value in (1.0, 3.0):
        nn.init.constant_(model.weight, value)
        average.update_parameters(model), moving.update_parameters(model)
    assert average.module.weight.tolist() == [[2, 2]] and moving.module.weight.tolist() == [[2, 2]]
    nn.init.constant_(model.weight, 8.0)
    average.update_parameters(model), moving.update_parameters(model)
    assert average.module.weight.tolist() == [[4, 4]] and moving.module.weight.tolist() == [[5, 5]]
