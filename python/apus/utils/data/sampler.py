"""In which order samples are taken."""

import itertools
import math

from .randomness import permutation, stream


class Sampler:
    """An order of indices. A subclass defines `__iter__`, and `__len__` where the number is known."""

    def __init__(self, data_source=None):
        pass

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler):
    """One sample after the other."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """Samples at random.

    Args:
        data_source: the data set.
        replacement: draw each sample anew, so that some come twice and some not at all.
        num_samples: how many to draw; the data set's length by default.
        generator: an `apus.Generator`, an integer seed (the same order each time), a `random.Random`, or None for `apus.manual_seed`'s
            stream.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        if num_samples is not None and num_samples < 0:
            raise ValueError(f"RandomSampler: num_samples {num_samples} is negative")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples

    @property
    def num_samples(self):
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        return self.order(stream(self.generator))

    def order(self, source):
        """The indices that a `random.Random` leads to."""
        count = len(self.data_source)
        if count == 0 and self.num_samples > 0:
            raise ValueError("RandomSampler: the data set is empty")
        if self.replacement:
            return (source.randrange(count) for _ in range(self.num_samples))
        rounds = math.ceil(self.num_samples / max(count, 1))
        orders = (permutation(count, source) for _ in range(rounds))
        return itertools.islice(itertools.chain.from_iterable(orders), self.num_samples)

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Given indices in random order."""

    def __init__(self, indices, generator=None):
        self.indices, self.generator = indices, generator

    def __iter__(self):
        return (self.indices[i] for i in permutation(len(self.indices), self.generator))

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices in proportion to weights.

    Args:
        weights: a number for each sample; they need not add up to 1.
        num_samples: how many to draw.
        replacement: without it no index comes twice.
        generator: as in `RandomSampler`.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        self.weights = [float(weight) for weight in weights]
        if any(not weight >= 0 or math.isinf(weight) for weight in self.weights) or not sum(self.weights) > 0:
            raise ValueError("WeightedRandomSampler: weights are finite numbers from 0 on, and not all 0")
        available = sum(weight > 0 for weight in self.weights)
        if num_samples <= 0 or (not replacement and num_samples > available):
            raise ValueError(f"WeightedRandomSampler: cannot draw {num_samples} of {available} samples")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self):
        source = stream(self.generator)
        if self.replacement:
            return iter(source.choices(range(len(self.weights)), self.weights, k=self.num_samples))
        # The smallest of exponential waiting times with these rates (Efraimidis and Spirakis 2006).
        times = [(source.expovariate(weight), i) for i, weight in enumerate(self.weights) if weight > 0]
        return iter([i for _, i in sorted(times)[: self.num_samples]])

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of indices of another sampler."""

    def __init__(self, sampler, batch_size, drop_last=False):
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size <= 0:
            raise ValueError(f"BatchSampler: batch_size is an integer from 1 on, not {batch_size!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, bool(drop_last)

    def __iter__(self):
        return batches(self.sampler, self.batch_size, self.drop_last)

    def __len__(self):
        count = len(self.sampler)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def batches(items, size, drop_last):
    """Lists of so many items; the last may be shorter."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        if len(batch) == size or not drop_last:
            yield batch


class DistributedSampler(Sampler):
    """This process's share of the samples: every `num_replicas`-th, in an order that all processes agree on.

    Call `set_epoch` before each epoch, so that the order changes.

    Args:
        dataset: the data set.
        num_replicas: how many processes share it; `WORLD_SIZE` of the environment, or 1, by default.
        rank: which one this is; `RANK` of the environment, or 0, by default.
        shuffle: whether the order is random.
        seed: the same in all processes.
        drop_last: leave the rest out instead of giving some samples twice.
    """

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False):
        import os

        self.num_replicas = int(os.environ.get("WORLD_SIZE", 1)) if num_replicas is None else num_replicas
        self.rank = int(os.environ.get("RANK", 0)) if rank is None else rank
        if self.num_replicas < 1 or not 0 <= self.rank < self.num_replicas:
            raise ValueError(f"DistributedSampler: rank {self.rank} of {self.num_replicas} processes")
        self.dataset, self.shuffle, self.seed, self.drop_last, self.epoch = dataset, shuffle, seed, drop_last, 0

    def set_epoch(self, epoch):
        """Chooses the order of an epoch."""
        self.epoch = epoch

    def __iter__(self):
        count = len(self.dataset)
        order = permutation(count, self.seed * 1_000_003 + self.epoch) if self.shuffle else list(range(count))
        total = len(self) * self.num_replicas
        while 0 < len(order) < total:
            order += order[: total - len(order)]
        return iter(order[self.rank : total : self.num_replicas])

    def __len__(self):
        count = len(self.dataset)
        return count // self.num_replicas if self.drop_last else -(-count // self.num_replicas)
