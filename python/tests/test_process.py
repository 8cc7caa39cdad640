"""Threads, the interpreter's lock, fork, Ctrl-C, start-up."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import apus


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options)


def test_several_threads_change_and_read_the_same_tensors():
    shared = apus.zeros(50_000)
    errors = []

    def work(k):
        try:
            for i in range(200):
                if i % 3 == k % 3:
                    shared.add_(1)
                else:
                    (shared * 2 + 1).sum().item()
                x = apus.ones(8, requires_grad=True)
                (x * x).sum().backward()
                assert x.grad.tolist() == [2] * 8
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_large_calls_give_up_the_lock():
    a = apus.randn(700, 700)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    b = a
    for _ in range(8):
        b = (b @ a).tanh()
    b.sum().item()
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 2


def test_in_place_operators_give_up_the_lock_too():
    a, b, done = apus.randn(3000, 3000), apus.randn(3000, 3000), threading.Event()

    def work():
        for _ in range(20):
            nonlocal a
            a += b
            a *= 0.5
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    seen = 0
    while not done.is_set():
        # What another thread sees is the tensor before or after a change, never in the middle.
        assert a.shape == (3000, 3000)
        seen += 1
    thread.join()
    assert seen > 20 and a.isfinite().all()


def _child(queue):
    x = apus.ones(100_000, requires_grad=True)
    (x.exp() * 2).sum().backward()
    queue.put((x.grad.sum().item(), (apus.ones(200, 200) @ apus.ones(200, 200)).sum().item()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_computes():
    (apus.ones(300_000) * 2).sum().item()  # the pool's threads are running
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        queue = context.SimpleQueue()
        process = context.Process(target=_child, args=(queue,))
        process.start()
        process.join(60)
        assert process.exitcode == 0
        gradient, product = queue.get()
        assert abs(gradient - 543656.4) < 1 and product == 200.0**3
    assert (apus.ones(300_000) * 2).sum().item() == 600_000


def test_control_c_ends_a_long_loop():
    code = (
        "import apus, sys\nx = apus.ones(100, 100)\nprint('ready', flush=True)\n"
        "try:\n    while True: x = (x @ x).tanh()\nexcept KeyboardInterrupt:\n    print('stopped')")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert output == "stopped\n" and process.returncode == 0 and time.perf_counter() - start < 5


def test_the_interpreter_ends_with_tensors_alive():
    result = run(
        "import apus, threading\nx = apus.ones(3, requires_grad=True)\nx.register_hook(lambda g: g)\n"
        "class F(apus.autograd.Function):\n    forward = staticmethod(lambda ctx, x: x * 2)\n    backward = staticmethod(lambda ctx, g: g)\n"
        "y = F.apply(x)\ntry:\n    import numpy; z = apus.from_numpy(numpy.ones(3))\nexcept ImportError: pass\nimport builtins; builtins.keep = (x, y)")
    assert result.returncode == 0, result.stderr


def test_the_import_is_quick_and_needs_nothing_else():
    result = run(
        "import sys, time\nstart = time.perf_counter()\nimport apus\nprint(time.perf_counter() - start)\n"
        "assert 'numpy' not in sys.modules and 'torch' not in sys.modules")
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 2  # 0.1 s on an idle machine
