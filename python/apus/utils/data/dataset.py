"""Where samples come from: by index (`Dataset`) or one after the other (`IterableDataset`)."""

import bisect
import itertools
import math

from .randomness import permutation


class Dataset:
    """Samples that have a number. A subclass defines `__getitem__(index)`, and `__len__` where the number of samples is known.

    One that defines `__getitems__(indices)` as well is asked for whole batches at once.
    """

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples that come one after the other. A subclass defines `__iter__`."""

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other):
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Tensors of one first axis: sample i is the tuple of their i-th slices.

    Args:
        *tensors: tensors whose first axes are equally long.
    """

    def __init__(self, *tensors):
        if not tensors:
            raise ValueError("TensorDataset: at least one tensor is needed")
        if any(tensor.dim() == 0 or len(tensor) != len(tensors[0]) for tensor in tensors):
            sizes = ", ".join(str(list(tensor.shape)) for tensor in tensors)
            raise ValueError(f"TensorDataset: the first axes differ: {sizes}")
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self):
        return len(self.tensors[0])


class StackDataset(Dataset):
    """Data sets side by side: sample i is the tuple (or, by keyword, the dictionary) of their i-th samples."""

    def __init__(self, *args, **kwargs):
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give data sets either by position or by keyword")
        self.datasets = args or kwargs
        lengths = {len(dataset) for dataset in (args or kwargs.values())}
        if len(lengths) != 1:
            raise ValueError(f"StackDataset: lengths differ: {sorted(lengths)}")
        self._length = lengths.pop()

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self):
        return self._length


class ConcatDataset(Dataset):
    """Data sets one after the other."""

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: at least one data set is needed")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no indices; use ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, index):
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"ConcatDataset: index {index} of {len(self)} samples")
        number = bisect.bisect_right(self.cumulative_sizes, place)
        return self.datasets[number][place - (self.cumulative_sizes[number - 1] if number else 0)]


class ChainDataset(IterableDataset):
    """Iterable data sets one after the other."""

    def __init__(self, datasets):
        self.datasets = list(datasets)

    def __iter__(self):
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self):
        return sum(len(dataset) for dataset in self.datasets)


class Subset(Dataset):
    """Some samples of another data set."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices):
        chosen = [self.indices[i] for i in indices]
        if hasattr(self.dataset, "__getitems__"):
            return self.dataset.__getitems__(chosen)
        return [self.dataset[i] for i in chosen]

    def __len__(self):
        return len(self.indices)


def random_split(dataset, lengths, generator=None):
    """Shares the samples out at random, to data sets of the given lengths.

    Args:
        dataset: what to split.
        lengths: numbers of samples that add up to all, or shares that add up to 1; what rounding leaves goes to the first ones.
        generator: an `apus.Generator`, an integer seed, a `random.Random`, or None for `apus.manual_seed`'s stream.
    """
    lengths, count = list(lengths), len(dataset)
    if any(isinstance(length, float) for length in lengths):
        if any(not 0 <= share <= 1 for share in lengths) or not math.isclose(sum(lengths), 1):
            raise ValueError(f"random_split: the shares {lengths} do not add up to 1")
        lengths = [math.floor(count * share) for share in lengths]
        for i in range(count - sum(lengths)):
            lengths[i % len(lengths)] += 1
    if any(length < 0 for length in lengths) or sum(lengths) != count:
        raise ValueError(f"random_split: the lengths {lengths} do not add up to the {count} samples that there are")
    order, ends = permutation(count, generator), list(itertools.accumulate(lengths))
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, lengths)]
