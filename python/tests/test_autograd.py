"""Gradients from Python: passes, modes, hooks, functions of one's own, derivatives of functions."""

import threading

import pytest

import apus
from apus import autograd


def test_gradients_accumulate_and_can_be_taken_away():
    x = apus.tensor([1.0, 2.0], requires_grad=True)
    for expected in ([2, 4], [4, 8]):
        (x * x).sum().backward()
        assert x.grad.tolist() == expected
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_a_graph_is_used_once_unless_it_is_retained():
    x = apus.tensor([1.0], requires_grad=True)
    y = (x * x).exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError):
        y.backward()


@pytest.mark.parametrize("scope", [apus.no_grad, apus.inference_mode, lambda: apus.set_grad_enabled(False)])
def test_scopes_without_gradients(scope):
    x = apus.ones(2, requires_grad=True)
    with scope():
        assert not apus.is_grad_enabled() and not (x * 2).requires_grad
        with apus.enable_grad():
            assert (x * 2).requires_grad
    assert apus.is_grad_enabled() and (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError):
        with scope():
            1 / 0
    assert apus.is_grad_enabled()


def test_scopes_as_decorators():
    x = apus.ones(2, requires_grad=True)

    @apus.no_grad()
    def with_parentheses():
        return x * 2

    @apus.no_grad
    def without():
        return x * 2

    @apus.no_grad()
    def generator():
        yield x * 2
        yield x * 3

    assert not with_parentheses().requires_grad and not without().requires_grad
    results = []
    for y in generator():
        assert apus.is_grad_enabled()
        results.append(y.requires_grad)
    assert results == [False, False]


def test_modes_belong_to_a_thread():
    seen = []
    with apus.no_grad():
        thread = threading.Thread(target=lambda: seen.append(apus.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_grad_leaves_everybodys_grad_alone():
    x, y = apus.tensor(2.0, requires_grad=True), apus.tensor(3.0, requires_grad=True)
    first = autograd.grad(x**2 * y, (x, y), create_graph=True)
    assert [g.item() for g in first] == [12, 4] and x.grad is None
    (second,) = autograd.grad(first[0], x)
    assert second.item() == 6
    with pytest.raises(RuntimeError):
        autograd.grad(x * 2, y)
    assert autograd.grad(x * 2, (x, y), allow_unused=True)[1] is None
    assert autograd.grad(x * 2, (x, y), materialize_grads=True)[1].item() == 0
    assert autograd.grad([x * 2, y * 3], [x, y], [apus.tensor(1.0), apus.tensor(2.0)])[1].item() == 6


def test_hooks():
    x = apus.ones(2, requires_grad=True)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 3).sum().backward()
    handle.remove()
    handle.remove()
    (x * 3).sum().backward()
    assert seen == [[3, 3]]
    x.grad = None
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert y.grad.tolist() == [10, 10] and x.grad.tolist() == [20, 20]


def test_an_exception_in_a_hook_comes_out_of_backward():
    x = apus.ones(2, requires_grad=True)

    def hook(gradient):
        raise KeyError("from the hook")

    x.register_hook(hook)
    with pytest.raises(KeyError, match="from the hook"):
        (x * 2).sum().backward()
    y = apus.ones(2, requires_grad=True)
    y.register_hook(lambda g: "no tensor")
    with pytest.raises(TypeError):
        y.sum().backward()
    z = apus.ones(2, requires_grad=True)
    z.register_hook(lambda g: apus.ones(3))
    with pytest.raises(apus.ShapeError):
        z.sum().backward()


class Cube(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * 3 * x**2


class Halves(autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x[:2] * scale, x[2:] * scale, "text"

    @staticmethod
    def backward(ctx, first, second):
        assert first is not None and second is not None
        return apus.cat([first, second]) * ctx.scale, None


class Wrong(autograd.Function):
    @staticmethod
    def forward(ctx, x, how):
        ctx.how = how
        return x * 1

    @staticmethod
    def backward(ctx, dy):
        return {"count": (dy, None, dy), "shape": (apus.ones(7), None), "type": (3, None), "raise": None}[ctx.how] if ctx.how != "raise" else 1 / 0


def test_functions_written_in_python():
    x = apus.tensor([1.0, 2.0], requires_grad=True)
    y = Cube.apply(x)
    assert "Cube" in repr(y)
    y.sum().backward()
    assert x.grad.tolist() == [3, 12]
    x = apus.tensor([1.0, 2.0], dtype=apus.float64, requires_grad=True)
    assert autograd.gradcheck(Cube.apply, (x,)) and autograd.gradgradcheck(Cube.apply, (x,))
    x = apus.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    first, second, text = Halves.apply(x, 5.0)
    assert text == "text"
    (first.sum() + 2 * second.sum()).backward()
    assert x.grad.tolist() == [5, 5, 10, 10]
    x.grad = None
    first, second, _ = Halves.apply(x, 5.0)
    first.sum().backward()
    assert x.grad.tolist() == [5, 5, 0, 0]
    assert not Cube.apply(apus.ones(2)).requires_grad


@pytest.mark.parametrize("how, error", [("count", RuntimeError), ("shape", RuntimeError), ("type", TypeError), ("raise", ZeroDivisionError)])
def test_functions_with_mistakes(how, error):
    x = apus.ones(2, requires_grad=True)
    with pytest.raises(error):
        Wrong.apply(x, how).sum().backward()


def test_gradcheck_finds_a_wrong_gradient():
    class Off(Cube):
        @staticmethod
        def backward(ctx, dy):
            return dy * 2 * ctx.saved_tensors[0] ** 2

    x = apus.tensor([1.0, 2.0], dtype=apus.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="by differences"):
        autograd.gradcheck(Off.apply, (x,))
    assert not autograd.gradcheck(Off.apply, (x,), raise_exception=False)


def test_derivatives_of_functions():
    x = apus.tensor([1.0, 2.0, 3.0])
    f = autograd.functional
    assert f.jacobian(lambda x: x**2, x).tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
    assert f.jacobian(lambda a, b: a * b.sum(), (x, x))[1].tolist() == [[1] * 3, [2] * 3, [3] * 3]
    assert f.hessian(lambda x: (x**3).sum(), x).tolist() == [[6, 0, 0], [0, 12, 0], [0, 0, 18]]
    v = apus.tensor([1.0, 0.0, 2.0])
    value, product = f.vjp(lambda x: x**2, x, v)
    assert value.tolist() == [1, 4, 9] and product.tolist() == [2, 0, 12]
    value, product = f.jvp(lambda x: x**2, x, v)
    assert value.tolist() == [1, 4, 9] and product.tolist() == [2, 0, 12]
    assert f.hvp(lambda x: (x**3).sum(), x, v)[1].tolist() == [6, 0, 36]
    assert f.vhp(lambda x: (x**3).sum(), x, v)[0].item() == 36


FUNCTIONS = {
    "one to one": (lambda m: lambda x: x.exp() * x.sum(), 1),
    "two to one": (lambda m: lambda x, y: (x * y.sin()).sum(0), 2),
    "two to two": (lambda m: lambda x, y: (x * y, (x**2).sum()), 2),
    "to a number": (lambda m: lambda x, y: (x**2 * y**3).sum(), 2),
    "to a number of one": (lambda m: lambda x: (x**3).mean(), 1),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("call", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_derivatives_of_functions_are_those_of_pytorch(call, kind):
    torch = pytest.importorskip("torch")
    make, count = FUNCTIONS[kind]
    if call in ("hessian", "vhp", "hvp") and not kind.startswith("to a number"):
        with pytest.raises(RuntimeError):
            getattr(autograd.functional, call)(make(apus), tuple(apus.ones(2, 3) for _ in range(count)), *([None] if call != "hessian" else []))
        return

    def flat(value):
        return [x for part in value for x in flat(part)] if isinstance(value, tuple) else [value]

    def results(module, options):
        xs = tuple(module.tensor([[0.5, 1.0, -1.5], [2.0, 0.1, 0.3]]) + i for i in range(count))
        xs = xs[0] if count == 1 else xs
        arguments = ()
        if call in ("jvp", "vhp", "hvp"):
            arguments = (xs,)
        if call == "vjp":
            y = make(module)(*(xs if count > 1 else (xs,)))
            arguments = (y,)
        return flat(getattr(module.autograd.functional, call)(make(module), xs, *arguments, **options))

    for options in ({}, {"create_graph": True}, {"strict": True}):
        if options == {"strict": True} and (call, kind) == ("jacobian", "two to two"):
            for module in (apus, torch):  # the second result does not depend on y
                with pytest.raises(RuntimeError):
                    results(module, options)
            continue
        ours, theirs = results(apus, options), results(torch, options)
        assert [tuple(x.shape) for x in ours] == [tuple(x.shape) for x in theirs]
        for x, y in zip(ours, theirs):
            assert apus.allclose(x.detach(), apus.tensor(y.detach().tolist()).reshape(x.shape), rtol=1e-4, atol=1e-5)
            assert x.requires_grad == y.requires_grad


def test_derivatives_of_functions_reach_the_inputs():
    x = apus.tensor([1.0, 2.0], requires_grad=True)
    autograd.functional.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    assert x.grad.tolist() == [6, 12]
    assert not autograd.functional.jacobian(lambda x: x**3, x).requires_grad


def test_derivatives_of_functions_refuse():
    f, x = autograd.functional, apus.ones(3)
    for wrong in (
        lambda: f.jacobian(lambda x, y: x * 2, (x, x), strict=True), lambda: f.vjp(lambda x: x * 2, x), lambda: f.vjp(lambda x: x * 2, x, apus.ones(2)),
        lambda: f.jvp(lambda x: x * 2, x, (x, x)), lambda: f.hvp(lambda x: x * 2, x, x), lambda: f.vhp(lambda x: x.sum(), x, apus.ones(1)),
        lambda: f.hessian(lambda x: x.sum(), x, strict=True),
    ):
        with pytest.raises(RuntimeError):
            wrong()
    for wrong in (lambda: f.jacobian(lambda x: 3, x), lambda: f.jacobian(lambda x: x, 3), lambda: f.jacobian(lambda x: x, (x, None))):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError):
        f.jacobian(lambda x: x, x, strategy="sideways")


def test_gradients_for_several_vectors_at_once():
    x = apus.tensor([1.0, 2.0], requires_grad=True)
    rows, = autograd.grad(x**2, x, apus.eye(2), is_grads_batched=True)
    assert rows.tolist() == [[2, 0], [0, 4]]


def test_inference_mode_decorates():
    @apus.inference_mode
    def plain(x):
        return x * 2

    @apus.inference_mode()
    def called(x):
        return x * 2

    @apus.inference_mode(False)
    def off(x):
        return x * 2

    @apus.set_grad_enabled(False)
    def disabled(x):
        return x * 2

    x = apus.ones(1, requires_grad=True)
    assert [f(x).requires_grad for f in (plain, called, off, disabled)] == [False, False, True, False]
    assert apus.is_grad_enabled() and (x * 2).requires_grad


def test_long_chains_and_their_end():
    x = apus.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad.item() == 1
    del y


def test_anomalies():
    x = apus.tensor([-1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="log"):
        with autograd.detect_anomaly():
            x.log()
    assert x.log().isnan().item()


def test_autocast():
    a = apus.ones(2, 2)
    with apus.autocast("cpu"):
        assert (a @ a).dtype is apus.bfloat16
        with apus.autocast("cpu", enabled=False):
            assert (a @ a).dtype is apus.float32
    assert (a @ a).dtype is apus.float32


def test_misuse():
    with pytest.raises(RuntimeError):
        apus.ones(2).sum().backward()
    with pytest.raises(RuntimeError):
        apus.ones(2, requires_grad=True).backward()
    with pytest.raises(TypeError):
        apus.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError):
        (apus.ones(2, requires_grad=True) * 2).requires_grad_(False)
    x = apus.ones(2, requires_grad=True)
    with pytest.raises(apus.ShapeError):
        x.grad = apus.ones(3)
    with pytest.raises(TypeError):
        x.grad = 3
    with pytest.raises(TypeError):
        x.backward("gradient")
