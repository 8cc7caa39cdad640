"""Checks the tensor files of `apus convert` against the programs that they are for, in both directions.

    python Tests/Interop/check_formats.py .build/release/apus

Needs numpy, torch and safetensors. Every dtype; empty and zero-dimensional tensors; non-contiguous ones; shared storages; all pickle
protocols; columns first and big-endian; compressed and plain archives. Prints one line; ends with code 1 at the first difference.
"""

import collections
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

APUS = os.path.abspath(sys.argv[1])
DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool,
]
SHAPES = [(), (0,), (1,), (7,), (2, 3), (3, 0, 2), (1, 2, 1, 3, 1)]
checks = 0


def apus(*words, code=0):
    run = subprocess.run([APUS, *words], capture_output=True, text=True)
    assert run.returncode == code, f"apus {' '.join(words)}: code {run.returncode}: {run.stderr}"
    return run


def bits(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def same(expected, found, what):
    global checks
    assert sorted(expected) == sorted(found), f"{what}: names {list(found)}"
    for name in expected:
        x, y = expected[name], found[name]
        assert x.dtype == y.dtype and x.shape == y.shape, f"{what}: {name}: {y.dtype} {y.shape} for {x.dtype} {x.shape}"
        assert bits(x) == bits(y), f"{what}: {name}: values differ"
        checks += 1


def arrays(tensors):
    return {name: tensor.detach().numpy() for name, tensor in tensors.items() if tensor.dtype != torch.bfloat16}


def tensors_of(archive):
    return {name: torch.from_numpy(np.ascontiguousarray(archive[name]).reshape(archive[name].shape)) for name in archive.files}


def samples():
    generator = torch.Generator().manual_seed(0)
    result = collections.OrderedDict()
    for dtype in DTYPES:
        for shape in SHAPES:
            x = torch.randint(-100, 100, shape, generator=generator)
            result[f"{dtype}.{'x'.join(map(str, shape))}"] = x.to(dtype)
    special = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-45])
    result["special"] = special
    return result


def main(folder):
    os.chdir(folder)
    every = samples()
    plain = {name: tensor for name, tensor in every.items() if tensor.dtype != torch.bfloat16}

    # Files of the clients, read by Apus and handed back in another format.
    save_file(every, "a.safetensors", metadata={"format": "pt"})
    apus("convert", "a.safetensors", "a.pth")
    same(every, torch.load("a.pth", weights_only=True), "safetensors -> pth")
    same(every, torch.load("a.pth", weights_only=True, mmap=True), "safetensors -> pth, mapped")
    assert zipfile.ZipFile("a.pth").testzip() is None
    for protocol in (2, 3, 4, 5):
        torch.save(every, "b.pth", pickle_protocol=protocol)
        apus("convert", "b.pth", "b.safetensors")
        same(every, load_file("b.safetensors"), f"pth of protocol {protocol} -> safetensors")
    with safe_open("b.safetensors", "pt") as file:
        assert sorted(file.keys()) == sorted(every)
    for save in (np.savez, np.savez_compressed):
        save("c.npz", **arrays(plain))
        apus("convert", "c.npz", "c.pth")
        same(plain, torch.load("c.pth", weights_only=True), f"{save.__name__} -> pth")
        assert list(torch.load("c.pth", weights_only=True)) == list(plain), "order"
    for options in ((), ("--compress",)):
        torch.save(plain, "d.pth")
        apus("convert", "d.pth", "d.npz", *options)
        same(plain, tensors_of(np.load("d.npz", allow_pickle=False)), f"pth -> npz {options}")
        assert zipfile.ZipFile("d.npz").testzip() is None
        assert np.load("d.npz").files == list(plain), "order"

    # One array at a time: byte orders, columns first, versions of the header; the bytes of numpy.save.
    for name, array in arrays(plain).items():
        for variant in (array, np.asfortranarray(array), array.astype(array.dtype.newbyteorder(">"))):
            np.save("e.npy", variant)
            apus("convert", "e.npy", "f.npy")
            np.save("g.npy", np.array(variant, dtype=array.dtype, order="C"))
            assert open("f.npy", "rb").read() == open("g.npy", "rb").read(), f"npy: {name}"
    with open("e.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(3), version=(3, 0))
    apus("convert", "e.npy", "f.npy")
    assert np.array_equal(np.load("f.npy", mmap_mode="r"), np.arange(3))

    # Views and shared storages, in files of PyTorch and of Apus.
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    views = {"base": base, "t": base.permute(2, 0, 1), "row": base[1, 2], "step": base[:, ::2, 1::2], "wide": torch.ones(1).expand(3, 2)}
    torch.save(views, "h.pth")
    apus("convert", "h.pth", "i.pth")
    again = torch.load("i.pth", weights_only=True)
    same(views, again, "views")
    assert again["base"].data_ptr() == again["t"].data_ptr() and again["row"].untyped_storage().data_ptr() == again["base"].data_ptr()
    assert again["t"].stride() == views["t"].stride()
    apus("convert", "i.pth", "j.npz")
    same(views, tensors_of(np.load("j.npz")), "views -> npz")

    # A model and its checkpoint.
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    torch.save(model.state_dict(), "k.pth")
    apus("convert", "k.pth", "k.safetensors")
    apus("convert", "k.safetensors", "l.pth")
    model.load_state_dict(torch.load("l.pth", weights_only=True), strict=True)
    same(model.state_dict(), torch.load("l.pth", weights_only=True), "state dictionary")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "seed": 2**64}, "m.ckpt")
    apus("convert", "m.ckpt", "m.safetensors")
    found = load_file("m.safetensors")
    assert found["optimizer.state.0.exp_avg"].shape == model[0].weight.shape
    with safe_open("m.safetensors", "pt") as file:
        assert file.metadata()["epoch"] == "3" and file.metadata()["optimizer.param_groups.0.betas.1"] == "0.999"

    # What must not be read isn't.
    class Trap:
        def __reduce__(self):
            return os.mkdir, (os.path.join(folder, "trap"),)

    torch.save({"w": torch.ones(1), "x": Trap()}, "n.pth")
    refused = apus("convert", "n.pth", "n.npz", code=1)
    assert "posix.mkdir" in refused.stderr and not os.path.exists("trap") and not os.path.exists("n.npz"), refused.stderr
    apus("convert", "a.safetensors", "o.npz", code=1)  # bfloat16


with tempfile.TemporaryDirectory() as folder:
    main(folder)
print(f"numpy {np.__version__}, torch {torch.__version__}: {checks} tensors agree")
