"""What a call from Python costs: small ops, and a training step of XOR, in Apus and, where it is installed, PyTorch.

    python Benchmarks/python/overhead.py [--seconds 0.3]

One JSON line for each workload and library: the median over rounds, in nanoseconds.
"""

import argparse
import importlib
import json
import statistics
import time

INPUTS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
TARGETS = [[0.0], [1.0], [1.0], [0.0]]


def small_ops(x):
    """Ops on four elements."""
    a, b = x.ones(4), x.ones(4)
    m = x.ones(2, 2)
    w = x.ones(4, requires_grad=True)
    return {
        "a + b": lambda: a + b,
        "a * 2.0": lambda: a * 2.0,
        "a.exp()": a.exp,
        "a.sum()": a.sum,
        "m @ m": lambda: m @ m,
        "a[1]": lambda: a[1],
        "w * 2.0, recorded": lambda: w * 2.0,
        "x.zeros(4)": lambda: x.zeros(4),
    }


def xor_step(x):
    """A step of 2-8-1 with tanh, mean squared error and plain gradient descent, written with tensors."""
    x.manual_seed(0)
    inputs, targets = x.tensor(INPUTS), x.tensor(TARGETS)
    parameters = [x.randn(2, 8), x.zeros(8), x.randn(8, 1), x.zeros(1)]
    for p in parameters:
        p.requires_grad_()
    w1, b1, w2, b2 = parameters
    mse = x.nn.functional.mse_loss

    def step():
        for p in parameters:
            p.grad = None
        loss = mse((inputs @ w1 + b1).tanh() @ w2 + b2, targets)
        loss.backward()
        with x.no_grad():
            for p in parameters:
                p -= 0.1 * p.grad
        return loss

    return step


def xor_module_step(x):
    """The same with nn.Sequential and optim.Adam."""
    x.manual_seed(0)
    nn = x.nn
    inputs, targets = x.tensor(INPUTS), x.tensor(TARGETS)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = importlib.import_module(f"{x.__name__}.optim").Adam(model.parameters(), lr=0.01)
    loss_function = nn.MSELoss()

    def step():
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def median_time(function, seconds):
    """Nanoseconds a call takes: the median of twenty rounds, after a warm-up."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds / 4:
        function()
        count += 1
    count = max(1, count // 5)
    rounds = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(count):
            function()
        rounds.append((time.perf_counter() - start) / count * 1e9)
    return statistics.median(rounds)


def main():
    """Times each workload in turn in both libraries, so that both meet the same moments of a busy machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.3)
    seconds = parser.parse_args().seconds
    libraries = {}
    for name in ("apus", "torch"):
        try:
            libraries[name] = importlib.import_module(name)
        except ImportError:
            continue
    for workload in list(small_ops(libraries["apus"])) + ["xor step", "xor step with nn and Adam"]:
        for name, library in libraries.items():
            if workload == "xor step":
                function = xor_step(library)
            elif workload == "xor step with nn and Adam":
                if not hasattr(library.nn, "Sequential"):
                    continue
                function = xor_module_step(library)
            else:
                function = small_ops(library)[workload]
            print(json.dumps({"workload": workload, "library": name, "nanoseconds": round(median_time(function, seconds))}), flush=True)


if __name__ == "__main__":
    main()
