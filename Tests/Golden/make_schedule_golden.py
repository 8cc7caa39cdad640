"""Learning rates and momenta from PyTorch's schedules, for the tests of ApusOptim.

Run by hand, with torch 2.13.0:  python3 Tests/Golden/make_schedule_golden.py
Writes one small JSON file beside the tests. "lrs" has the rates of each group at steps 0, 1, 2, ...
"""

import json
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as S

PATH = pathlib.Path(__file__).resolve().parent.parent / "ApusOptimTests" / "Golden" / "schedules.json"
warnings.simplefilter("ignore")


def optimizer(lrs=(0.1,), kind="SGD"):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in lrs]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.5) if kind == "SGD" else torch.optim.Adam(groups)


def digits(x):
    return float(f"{x:.12g}")


def run(name, make, steps=30, lrs=(0.1,), kind="SGD", momentum=False):
    opt = optimizer(lrs, kind)
    schedule = make(opt)
    case = {"name": name, "lrs": [[] for _ in lrs]}
    momenta = []
    for step in range(steps + 1):
        if step:
            opt.step()
            schedule.step(*([metric(step)] if isinstance(schedule, S.ReduceLROnPlateau) else []))
        for rates, group in zip(case["lrs"], opt.param_groups):
            rates.append(digits(group["lr"]))
        group = opt.param_groups[0]
        momenta.append(digits(group["momentum"] if kind == "SGD" else group["betas"][0]))
    if momentum:
        case["momenta"] = momenta
    return case


def metric(step):
    """Falls, and then goes up and down: exact in floating point."""
    return 8 / step if step < 8 else 1 + (step * 7 % 5) / 64 - (step // 40) / 8


TWO = (0.1, 0.02)
CASES = [
    run("StepLR", lambda o: S.StepLR(o, 7, gamma=0.3), lrs=TWO),
    run("MultiStepLR", lambda o: S.MultiStepLR(o, [3, 4, 20], gamma=0.5)),
    run("ExponentialLR", lambda o: S.ExponentialLR(o, 0.93), steps=200),
    run("LambdaLR", lambda o: S.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 0.5**t]), lrs=TWO),
    run("ConstantLR", lambda o: S.ConstantLR(o, factor=0.25, total_iters=6), steps=10),
    run("LinearLR", lambda o: S.LinearLR(o, start_factor=0.1, total_iters=12), lrs=TWO),
    run("LinearLR down", lambda o: S.LinearLR(o, start_factor=1, end_factor=0, total_iters=8), steps=12),
    run("PolynomialLR", lambda o: S.PolynomialLR(o, total_iters=20, power=1.7)),
    run("CosineAnnealingLR", lambda o: S.CosineAnnealingLR(o, 25, eta_min=0.001), steps=200, lrs=TWO),
    run("CosineAnnealingWarmRestarts", lambda o: S.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.001), steps=80),
    run("CosineAnnealingWarmRestarts alike", lambda o: S.CosineAnnealingWarmRestarts(o, 6), lrs=TWO),
    run("OneCycleLR", lambda o: S.OneCycleLR(o, [0.5, 0.2], total_steps=100), steps=99, lrs=TWO, momentum=True),
    run(
        "OneCycleLR linear", lambda o: S.OneCycleLR(
            o, 0.5, total_steps=50, pct_start=0.25, anneal_strategy="linear", base_momentum=0.7, max_momentum=0.9,
            div_factor=10, final_div_factor=100), steps=49, kind="Adam", momentum=True),
    run(
        "OneCycleLR in three phases", lambda o: S.OneCycleLR(o, 0.5, total_steps=60, pct_start=0.4, three_phase=True),
        steps=59, momentum=True),
    run("CyclicLR", lambda o: S.CyclicLR(o, 0.01, 0.2, step_size_up=5, step_size_down=8), momentum=True),
    run(
        "CyclicLR triangular2", lambda o: S.CyclicLR(
            o, [0.01, 0.02], [0.2, 0.3], step_size_up=4, mode="triangular2"), lrs=TWO, kind="Adam", momentum=True),
    run(
        "CyclicLR expRange", lambda o: S.CyclicLR(
            o, 0.01, 0.2, step_size_up=4, mode="exp_range", gamma=0.95, cycle_momentum=False)),
    run("ReduceLROnPlateau", lambda o: S.ReduceLROnPlateau(o, factor=0.5, patience=3, cooldown=2), steps=100, lrs=TWO),
    run(
        "ReduceLROnPlateau max", lambda o: S.ReduceLROnPlateau(
            o, mode="max", factor=0.3, patience=2, threshold=0.05, threshold_mode="abs", min_lr=[0.001, 0.002]),
        steps=40, lrs=TWO),
    run(
        "SequentialLR", lambda o: S.SequentialLR(
            o, [S.ConstantLR(o, 0.1, 3), S.LambdaLR(o, lambda t: 1 / (1 + t)), S.ExponentialLR(o, 0.9)], [5, 11]), lrs=TWO),
    run(
        "warm-up", lambda o: S.SequentialLR(
            o, [S.LinearLR(o, 0.1, total_iters=8), S.CosineAnnealingLR(o, 40, eta_min=1e-4)], [8]), steps=48, lrs=TWO),
    run("ChainedScheduler", lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.9)]), lrs=TWO),
    run(
        "ChainedScheduler with a cosine", lambda o: S.ChainedScheduler(
            [S.CosineAnnealingLR(o, 8), S.StepLR(o, 5, 0.5)])),
]

lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in CASES)
PATH.write_text(f'{{"torch": "{torch.__version__.split("+")[0]}", "cases": [\n{lines}\n]}}\n')
print(PATH.name, len(CASES), "cases,", PATH.stat().st_size, "bytes")
