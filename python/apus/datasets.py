"""Data sets that come with the library, or are found or downloaded.

Files are looked for in `root`, in the folders of `APUS_DATA` and in the user's cache; torchvision's layout is understood. A sample is a picture,
float32 [channels, height, width] from 0 to 1, and its class as an integer.
"""

import os

from ._api import hidden as _hidden
from .utils.data import Dataset


def _open(address):
    """What is at an address, to be read: the library calls this."""
    import urllib.request

    # The file is wanted as it is: some servers offer to unpack a `.gz` on the way.
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Accept-Encoding": "identity"}), timeout=20)


class _Pictures(Dataset):
    """Pictures with classes.

    Attributes:
        data: the pixels, uint8 [count, channels, height, width].
        targets: the classes, int64 [count].
    """

    def _load(self, is_train, root, download, count=0, seed=0):
        root = None if root is None else os.fspath(root)
        self.data, self.targets = _hidden["_dataset"](type(self).__name__, bool(is_train), root, bool(download), count, seed)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        picture, label = self.data[index].float() / 255, int(self.targets[index])
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, label if self.target_transform is None else self.target_transform(label)

    def __repr__(self):
        shape = "×".join(str(size) for size in self.data.shape[1:])
        return f"{type(self).__name__}({len(self)} pictures of {shape})"


class _Published(_Pictures):
    def __init__(self, root=None, train=True, transform=None, target_transform=None, download=False):
        self.train, self.transform, self.target_transform = train, transform, target_transform
        self._load(train, root, download)


class _Drawn(_Pictures):
    def __init__(self, count, train=True, transform=None, target_transform=None, seed=0):
        if count < 0:
            raise ValueError(f"{type(self).__name__}: count {count} is negative")
        self.train, self.transform, self.target_transform = train, transform, target_transform
        self._load(train, None, False, count, seed)


_PUBLISHED = """{}

    Args:
        root: the folder to look in first, and to download to.
        train: the training or the test pictures.
        transform: a function of a picture.
        target_transform: a function of a class.
        download: whether what is not found is downloaded; its check sum is compared.
    """
_DRAWN = """{}

    Args:
        count: how many to draw.
        train: the training or the test pictures, which differ.
        transform: a function of a picture.
        target_transform: a function of a class.
        seed: other seeds give other pictures.
    """

__all__ = ["tiny_shakespeare"]
for _name, _base, _doc in (
    ("MNIST", _Published, _PUBLISHED.format("Handwritten digits: 60,000 and 10,000 pictures of 28×28. LeCun and others 1998.")),
    ("FashionMNIST", _Published, _PUBLISHED.format("Clothes, in MNIST's form. Xiao and others 2017.")),
    ("KMNIST", _Published, _PUBLISHED.format("Ten hiragana, in MNIST's form. Clanuwat and others 2018.")),
    ("CIFAR10", _Published, _PUBLISHED.format("Colour pictures of ten kinds: 50,000 and 10,000 of 32×32. Krizhevsky 2009.")),
    ("CIFAR100", _Published, _PUBLISHED.format("Colour pictures of a hundred kinds, in CIFAR-10's form. Krizhevsky 2009.")),
    ("SyntheticDigits", _Drawn, _DRAWN.format("Digits that a program draws, in MNIST's form: no files, no network.")),
    ("SyntheticCIFAR", _Drawn, _DRAWN.format("Colour pictures that a program draws, in CIFAR-10's form: no files, no network.")),
):
    globals()[_name] = type(_name, (_base,), {"__doc__": _doc, "__module__": __name__})
    __all__.append(_name)


def tiny_shakespeare(root=None, download=False):
    """The text of tiny Shakespeare: 1.1 million characters of plays."""
    codes = _hidden["_text"](None if root is None else os.fspath(root), bool(download))
    return bytes(memoryview(codes)).decode()
