"""Calls every function and method of the package with random and absurd arguments. Run by test_fuzz.py in a process of its own, which has
to live to its end: `python fuzz_child.py SEED COUNT`. The last call stands in the file that the environment variable APUS_FUZZ_LOG names.
"""

import os
import random
import sys
import warnings

warnings.simplefilter("ignore")

import apus

random.seed(int(sys.argv[1]))
apus.manual_seed(int(sys.argv[1]))
log = open(os.environ["APUS_FUZZ_LOG"], "w") if "APUS_FUZZ_LOG" in os.environ else None

DTYPES = [apus.float32, apus.float64, apus.float16, apus.bfloat16, apus.int64, apus.int32, apus.int16, apus.int8, apus.uint8, apus.bool]
SIZES = [0, 1, 1, 2, 2, 3, 3, 4, 5, 7]
INTEGERS = [0, 1, -1, 2, -2, 3, 4, 5, 7, -5, 10, 100, -100, 2**31 - 1, -(2**31), 2**32, 2**40, -(2**40), 2**53, 2**62, 2**63 - 1, -(2**63), 2**64, 10**30]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-30, 1e30, -1e30, 1e308, float("nan"), float("inf"), float("-inf"), 3.7]
STRINGS = ["", "mean", "sum", "none", "same", "reflect", "bilinear", "bicubic", "ij,jk->ik", "...ij->ji", "ii", "->", "a" * 1000, "\0", "é", "fan_in", "tanh", "linear"]


def tensor():
    shape = [random.choice(SIZES) for _ in range(random.choice([0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6]))]
    dtype = random.choice(DTYPES[:2] * 4 + DTYPES)
    kind = random.random()
    if kind < 0.4 and dtype.is_floating_point:
        x = apus.randn(shape).to(dtype)
    elif kind < 0.8:
        x = apus.randint(-3 if dtype is not apus.uint8 else 0, 5, shape).to(dtype)
    else:
        x = apus.full(shape, random.choice(FLOATS)).to(dtype)
    if x.dim() >= 2 and random.random() < 0.3:
        x = x.transpose(0, -1)
    if x.dim() >= 1 and random.random() < 0.15:
        x = x[::2] if random.random() < 0.5 else x.flip(0)
    if random.random() < 0.1:
        x = x.unsqueeze(0).expand(2, *x.shape)
    if dtype.is_floating_point and random.random() < 0.3:
        x.requires_grad_()
        if random.random() < 0.3:
            x = x * 1
    return x


def integers():
    return [random.choice(INTEGERS[:13] if random.random() < 0.9 else INTEGERS) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4, 6, 70]))]


def absurd():
    return random.choice([
        lambda: None, lambda: True, lambda: False, lambda: random.choice(INTEGERS), lambda: random.choice(FLOATS), lambda: random.choice(STRINGS),
        lambda: random.choice(DTYPES), integers, lambda: tuple(integers()), lambda: [tensor() for _ in range(random.choice([0, 1, 2, 3]))], lambda: object(),
        lambda: {}, lambda: {"a": 1}, lambda: b"bytes", lambda: 1j, lambda: [[]], lambda: [[1, 2], [3]], lambda: ..., lambda: slice(None, None, -1),
        lambda: slice(1, 10**25), lambda: print, lambda: apus.Tensor, lambda: apus.device("cpu"), lambda: "cpu", lambda: range(3), lambda: [None, 1], tensor,
        lambda: (tensor(), None), lambda: float, lambda: int, lambda: [1.5, 2], lambda: iter([1]), lambda: [True, False], lambda: {1, 2},
    ])()


def argument(kind):
    if random.random() < 0.12:
        return absurd()
    if kind in ("Tensor", "state"):
        return tensor()
    if kind == "operand":
        return tensor() if random.random() < 0.6 else random.choice(FLOATS + INTEGERS)
    if kind == "tensors":
        return [tensor() for _ in range(random.choice([0, 1, 2, 2, 3]))]
    if kind == "int":
        return random.choice(INTEGERS[:10]) if random.random() < 0.85 else random.choice(INTEGERS)
    if kind in ("float", "number"):
        return random.choice(FLOATS + INTEGERS)
    if kind == "bool":
        return random.random() < 0.5
    if kind == "str":
        return random.choice(STRINGS)
    if kind == "dtype":
        return random.choice(DTYPES)
    if kind == "generator":
        return apus.Generator().manual_seed(random.choice(INTEGERS[:20]))
    if kind in ("ints", "sizes"):
        return random.choice(INTEGERS[:10]) if random.random() < 0.4 else integers()
    return absurd()


def use(result):
    """Looks at what came out: prints it, takes gradients, lends it."""
    for y in result if isinstance(result, (tuple, list)) else [result]:
        if not isinstance(y, apus.Tensor):
            continue
        repr(y)
        if y.requires_grad:
            y.sum().backward()
        if y.dtype is not apus.bfloat16:
            memoryview(y.detach())


def attempt(text, function, *args, **keywords):
    if log:
        log.seek(0)
        log.truncate()
        log.write(f"{text} {[a.shape if isinstance(a, apus.Tensor) else a for a in args]!r} {keywords!r:.1500}")
        log.flush()
    try:
        use(function(*args, **keywords))
    except (Exception, RecursionError):
        # Whatever the exception is: the process must live. SystemError would be a mistake of the extension itself.
        if isinstance(sys.exc_info()[1], SystemError):
            raise


def call_op(line, count):
    places = []
    if line.places & 1:
        places.append(("", getattr(apus, line.name)))
    if line.places & 2:
        places.append(("Tensor.", getattr(apus.Tensor, line.name)))
    if line.places & 4:
        places.append(("Tensor.inplace ", getattr(apus.Tensor, line.name + "_")))
    if line.places & 8:
        places.append(("F.", getattr(apus.nn.functional, line.name)))
    if line.places & 16:
        places.append(("linalg.", getattr(apus.linalg, line.name)))
    if not places:
        return
    signature = line.signature
    for _ in range(count):
        prefix, function = random.choice(places)
        args, keywords = [], {}
        for i, (name, kind, default) in enumerate(zip(signature.names, signature.types, signature.defaults)):
            if default is not ... and random.random() < 0.5:
                continue
            if i < signature.positional and len(args) == i and signature.star < 0:
                args.append(argument(kind))
            elif i == signature.star:
                value = argument(kind)
                args.extend(value[:20] if isinstance(value, list) and random.random() < 0.5 else [value])
            elif random.random() < 0.95:
                keywords[name] = argument(kind)
        if random.random() < 0.03:
            args = args[:-1]
        attempt(prefix + line.name, function, *args, **keywords)


def index():
    return random.choice([
        lambda: random.choice(INTEGERS), lambda: slice(random.choice([None] + INTEGERS), random.choice([None] + INTEGERS), random.choice([None, None, 1, 2, 3, 0, -1, 2**63])),
        lambda: None, lambda: ..., tensor, integers, lambda: True, lambda: tensor() > 0, absurd, lambda: [[0, 1]],
    ])()


def call_rest():
    x = tensor()
    key = index() if random.random() < 0.4 else tuple(index() for _ in range(random.choice([0, 1, 2, 3])))

    attempt("getitem", apus.Tensor.__getitem__, x, key)
    attempt("setitem", lambda *given: (x.__setitem__(*given), x)[1], key, absurd())
    attempt("tensor", apus.tensor, absurd(), dtype=random.choice([None] + DTYPES), requires_grad=random.random() < 0.2)
    attempt("as_tensor", apus.as_tensor, absurd())
    attempt("from_dlpack", apus.from_dlpack, absurd())
    attempt("from_numpy", apus.from_numpy, absurd())
    operator = random.choice("__add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __pow__ __matmul__ __and__ __or__ __xor__ __iadd__ __isub__ __imul__ "
                             "__itruediv__ __ifloordiv__ __ipow__ __radd__ __rsub__ __rpow__ __eq__ __lt__ __ge__".split())
    other = tensor() if random.random() < 0.6 else absurd()
    attempt(operator, lambda: getattr(x, operator)(other))
    attempt("backward", lambda: x.backward(absurd(), retain_graph=absurd()))
    attempt("grad", lambda: apus.autograd.grad(absurd(), absurd(), absurd()))
    attempt("set grad", lambda: setattr(x, "grad", absurd()))
    attempt("set data", lambda: setattr(x, "data", absurd()))
    attempt("to", lambda: x.to(absurd(), absurd()))
    attempt("size", lambda: x.size(absurd()))
    attempt("stride", lambda: x.stride(absurd()))
    attempt("repr", lambda: x._text(*[random.choice(INTEGERS[:11]) % 100 for _ in range(4)]))
    attempt("deepcopy", lambda: __import__("copy").deepcopy(x))
    attempt("pickle", lambda: __import__("pickle").loads(__import__("pickle").dumps(x)))
    attempt("list", lambda: (x.tolist(), list(x)))
    attempt("number", lambda: (bool(x), int(x), float(x), x.item()))
    attempt("randint", lambda: apus.randint(absurd(), absurd(), absurd()))
    attempt("save", lambda: apus.save(absurd(), __import__("io").BytesIO()))
    attempt("load", lambda: apus.load(__import__("io").BytesIO(random.randbytes(random.choice([0, 10, 300])))))
    attempt("safetensors", lambda: apus.safetensors.load(random.randbytes(8) + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}1234'))
    attempt("seed", lambda: apus.manual_seed(absurd()))
    attempt("rng", lambda: apus.set_rng_state(tensor()))
    attempt("generator", lambda: apus.Generator().set_state(absurd()).manual_seed(absurd()).get_state())
    attempt("generator's base", lambda: apus._C.Generator(absurd())._set(absurd(), absurd(), absurd()))
    attempt("Tensor", lambda: apus.Tensor(*[absurd() for _ in range(random.choice([0, 1, 2, 3]))]))
    attempt("jacobian", lambda: apus.autograd.functional.jacobian(lambda *xs: random.choice([absurd, lambda: xs[0] * 2])(), absurd()))
    attempt("jvp", lambda: apus.autograd.functional.jvp(lambda *xs: xs[0] * 2, (x,), absurd()))
    attempt("default", lambda: apus.set_default_dtype(absurd()))
    attempt("hook", lambda: x.register_hook(absurd()))
    apus.set_default_dtype(apus.float32)


lines = list(apus._ops.lines())
count = int(sys.argv[2])
for turn in range(count):
    for line in lines:
        call_op(line, 3)
    for _ in range(40):
        call_rest()
print("alive")
