"""Checkpoints and tensor files, by ourselves and with PyTorch's and safetensors' programs."""

import collections
import io

import pytest

import apus
from apus import safetensors

try:
    import torch
except ImportError:
    torch = None
try:
    import safetensors.torch as reference
except ImportError:
    reference = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")


def _checkpoint():
    weights = collections.OrderedDict([("0.weight", apus.arange(6, dtype=apus.float32).view(2, 3)), ("0.bias", apus.ones(2, dtype=apus.float64))])
    return {
        "model": weights, "epoch": 3, "loss": 0.25, "name": "café", "done": False, "nothing": None, "sizes": [1, 2], "pair": (1, "a"),
        "ids": apus.tensor([1, 2]), "mask": apus.tensor([True]), "half": apus.ones(2, dtype=apus.bfloat16), 7: "seven",
    }


def _assert_same(ours, other):
    assert other["epoch"] == 3 and other["loss"] == 0.25 and other["name"] == "café" and other["done"] is False and other["nothing"] is None
    assert other["sizes"] == [1, 2] and other["pair"] == (1, "a") and other[7] == "seven"
    assert list(other["model"]) == ["0.weight", "0.bias"] and isinstance(other["model"], collections.OrderedDict)
    for name, tensor in ours["model"].items():
        assert other["model"][name].tolist() == tensor.tolist()
        assert str(other["model"][name].dtype).split(".")[1] == tensor.dtype.name
    assert other["ids"].tolist() == [1, 2] and other["mask"].tolist() == [True] and other["half"].tolist() == [1, 1]


def test_a_round_trip(tmp_path):
    path = tmp_path / "checkpoint.pth"
    apus.save(_checkpoint(), path)
    _assert_same(_checkpoint(), apus.load(path))
    buffer = io.BytesIO()
    apus.save(_checkpoint(), buffer)
    buffer.seek(0)
    _assert_same(_checkpoint(), apus.load(buffer))


@needs_torch
def test_pytorch_reads_what_we_write(tmp_path):
    apus.save(_checkpoint(), tmp_path / "ours.pth")
    _assert_same(_checkpoint(), torch.load(tmp_path / "ours.pth", weights_only=True))


@needs_torch
def test_we_read_what_pytorch_writes(tmp_path):
    checkpoint = _checkpoint()

    def theirs(value):
        if isinstance(value, apus.Tensor):
            return torch.tensor(value.tolist(), dtype=getattr(torch, value.dtype.name))
        return type(value)((k, theirs(v)) for k, v in value.items()) if isinstance(value, dict) else value

    torch.save(theirs(checkpoint), tmp_path / "theirs.pth")
    _assert_same(checkpoint, apus.load(tmp_path / "theirs.pth"))
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.pth")
    assert list(apus.load(tmp_path / "linear.pth")) == ["weight", "bias"]


def test_what_cannot_be_saved(tmp_path):
    for bad in (object(), lambda: 0, {"a": object()}, [[[object()]]], open):
        with pytest.raises(TypeError):
            apus.save(bad, tmp_path / "bad.pth")
    nested = []
    for _ in range(500):
        nested = [nested]
    with pytest.raises(ValueError):
        apus.save(nested, tmp_path / "bad.pth")
    assert not (tmp_path / "bad.pth").exists()
    with pytest.raises(OSError):
        apus.save([1], tmp_path / "no" / "such" / "folder.pth")


def test_files_that_are_not_sound(tmp_path):
    with pytest.raises(FileNotFoundError):
        apus.load(tmp_path / "missing.pth")
    path = tmp_path / "damaged.pth"
    apus.save(_checkpoint(), path)
    content = path.read_bytes()
    for damaged in (b"", b"not a file", content[: len(content) // 2], content[:200] + bytes([content[200] ^ 255]) + content[201:]):
        path.write_bytes(damaged)
        with pytest.raises((apus.FormatError, OSError)):
            apus.load(path)


def test_safetensors(tmp_path):
    tensors = {"a": apus.arange(4), "b.c": apus.ones(2, 3, dtype=apus.float16), "empty": apus.zeros(0, 2)}
    path = tmp_path / "model.safetensors"
    safetensors.save_file(tensors, path, {"format": "pt"})
    loaded = safetensors.load_file(path)
    assert set(loaded) == set(tensors) and safetensors.load_metadata(path) == {"format": "pt"}
    for name, tensor in tensors.items():
        assert apus.equal(loaded[name], tensor) and loaded[name].dtype is tensor.dtype
    assert apus.equal(safetensors.load(safetensors.save(tensors))["a"], tensors["a"])
    with pytest.raises(TypeError):
        safetensors.save_file({"a": 3}, path)
    path.write_bytes(b"\xff" * 20)
    with pytest.raises(apus.FormatError):
        safetensors.load_file(path)


@needs_torch
@pytest.mark.skipif(reference is None, reason="safetensors is not installed")
def test_the_reference_reads_our_safetensors_and_we_its(tmp_path):
    path = str(tmp_path / "model.safetensors")
    safetensors.save_file({"a": apus.arange(4, dtype=apus.float32)}, path)
    assert reference.load_file(path)["a"].tolist() == [0, 1, 2, 3]
    reference.save_file({"b": torch.ones(2, dtype=torch.bfloat16)}, path, {"x": "y"})
    assert safetensors.load_file(path)["b"].dtype is apus.bfloat16 and safetensors.load_metadata(path) == {"x": "y"}


def test_options_of_load_and_save(tmp_path):
    path = tmp_path / "a.pth"
    apus.save({"x": apus.ones(2)}, path, pickle_protocol=2)
    for option in ({"map_location": "cpu"}, {"map_location": apus.device("cpu")}, {"weights_only": False}, {"mmap": True}):
        assert apus.load(path, **option)["x"].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="cuda"):
        apus.load(path, map_location="cuda")
    with pytest.raises(TypeError):
        apus.load(path, map_place="cpu")
    with pytest.raises(ValueError):
        apus.save(1, path, _use_new_zipfile_serialization=False)
