"""Data sets."""

import pathlib

import pytest

import apus
from apus import datasets
from apus.utils.data import DataLoader

DATA = [pathlib.Path(folder) for folder in __import__("os").environ.get("APUS_DATA", "").split(":") if folder]


def test_drawn_digits():
    data = datasets.SyntheticDigits(30)
    picture, label = data[3]
    assert picture.shape == (1, 28, 28) and picture.dtype is apus.float32 and 0 <= picture.min().item() and picture.max().item() <= 1
    assert isinstance(label, int) and data.data.shape == (30, 1, 28, 28) and data.targets.dtype is apus.int64
    assert apus.equal(datasets.SyntheticDigits(30).data, data.data)
    assert not apus.equal(datasets.SyntheticDigits(30, train=False).data, data.data)
    assert not apus.equal(datasets.SyntheticDigits(30, seed=1).data, data.data)
    pictures, labels = next(iter(DataLoader(data, 8, num_workers=2)))
    assert pictures.shape == (8, 1, 28, 28) and labels.tolist() == data.targets[:8].tolist()
    assert repr(data) == "SyntheticDigits(30 pictures of 1×28×28)"


def test_transforms():
    data = datasets.SyntheticCIFAR(4, transform=lambda picture: picture * 2 - 1, target_transform=str)
    picture, label = data[0]
    assert picture.shape == (3, 32, 32) and picture.min().item() < 0 and isinstance(label, str)


def test_what_is_not_there_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("APUS_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(OSError, match="MNIST"):
        datasets.MNIST(tmp_path / "nothing")
    with pytest.raises(ValueError):
        datasets.SyntheticDigits(-1)


@pytest.mark.skipif(not any((folder / "mnist").exists() for folder in DATA), reason="APUS_DATA has no mnist")
def test_real_digits():
    data = datasets.MNIST(train=False)
    assert len(data) == 10_000 and data[0][1] == 7


def test_python_downloads(monkeypatch, tmp_path):
    import io
    import urllib.error

    monkeypatch.delenv("APUS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked = []

    def answer(make):
        def open(address):
            asked.append(address)
            return make()

        monkeypatch.setattr(apus.datasets, "_open", open)

    def load():
        return apus.datasets.MNIST(tmp_path / "data", download=True)

    answer(lambda: io.BytesIO(b"not what was published"))
    with pytest.raises(apus.FormatError, match="SHA-256|MD5"):
        load()
    assert len(asked) > 1 and all(address.startswith("http") for address in asked), "each mirror is tried"

    def refuse():
        raise urllib.error.URLError("no route")

    answer(refuse)
    with pytest.raises(OSError, match="no route"):
        load()

    class Broken(io.BytesIO):
        def readinto(self, buffer):
            raise ConnectionResetError("torn")

    answer(Broken)
    with pytest.raises(OSError, match="torn"):
        load()

    def stop():
        raise KeyboardInterrupt

    asked.clear()
    answer(stop)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert len(asked) == 1, "Ctrl-C is no reason to try the next mirror"
    assert not list(tmp_path.rglob("*.gz")) and not list(tmp_path.rglob("*.tmp"))
