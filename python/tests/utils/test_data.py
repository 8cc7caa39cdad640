"""Data sets, samplers and the loader."""

import collections
import random
import threading

import numpy as np
import pytest

import apus
from apus.utils.data import (
    BatchSampler, ChainDataset, ConcatDataset, DataLoader, Dataset, DistributedSampler, IterableDataset, RandomSampler, StackDataset, Subset,
    SubsetRandomSampler, TensorDataset, WeightedRandomSampler, default_collate, get_worker_info, random_split,
)


class Squares(Dataset):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return index, float(index) ** 2


class Counting(IterableDataset):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.count, step))


def test_data_sets():
    data = TensorDataset(apus.arange(6), apus.arange(12).view(6, 2))
    assert len(data) == 6 and data[2][1].tolist() == [4, 5]
    assert len(data + data) == 12 and (data + data)[7][0].item() == 1
    assert Subset(Squares(9), [8, 1])[0] == (8, 64.0)
    assert ConcatDataset([Squares(2), Squares(3)])[-1] == (2, 4.0)
    assert StackDataset(a=Squares(2), b=Squares(2))[1] == {"a": (1, 1.0), "b": (1, 1.0)}
    assert list(ChainDataset([Counting(2), Counting(3)])) == [0, 1, 0, 1, 2]
    with pytest.raises(ValueError):
        TensorDataset(apus.ones(2), apus.ones(3))
    with pytest.raises(IndexError):
        ConcatDataset([Squares(2)])[2]


def test_random_split():
    parts = random_split(Squares(10), [0.75, 0.25], generator=3)
    assert [len(part) for part in parts] == [8, 2] or [len(part) for part in parts] == [7, 3]
    assert sorted(index for part in parts for index, _ in part) == list(range(10))
    assert list(random_split(Squares(10), [5, 5], 3)[0]) == list(random_split(Squares(10), [5, 5], 3)[0])
    with pytest.raises(ValueError):
        random_split(Squares(10), [5, 6])


def test_samplers():
    assert sorted(RandomSampler(Squares(5))) == list(range(5))
    assert len(list(RandomSampler(Squares(5), replacement=True, num_samples=9))) == 9
    assert len(list(RandomSampler(Squares(5), num_samples=12))) == 12
    assert list(RandomSampler(Squares(9), generator=1)) == list(RandomSampler(Squares(9), generator=1))
    assert sorted(SubsetRandomSampler([3, 7])) == [3, 7]
    counts = collections.Counter(WeightedRandomSampler([0, 1, 3], 4000, generator=0))
    assert counts[0] == 0 and 2.5 < counts[2] / counts[1] < 3.6
    assert sorted(WeightedRandomSampler([1, 1, 0, 1], 3, replacement=False)) == [0, 1, 3]
    assert list(BatchSampler(range(5), 2)) == [[0, 1], [2, 3], [4]] and list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    shares = [list(DistributedSampler(Squares(10), 3, rank)) for rank in range(3)]
    assert {index for share in shares for index in share} == set(range(10)) and all(len(share) == 4 for share in shares)
    sampler = DistributedSampler(Squares(10), 2, 0)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    for call in (lambda: WeightedRandomSampler([0, 0], 1), lambda: BatchSampler([], 0), lambda: DistributedSampler(Squares(2), 2, 2)):
        with pytest.raises(ValueError):
            call()


def test_collating():
    Point = collections.namedtuple("Point", "x y")
    batch = default_collate([{"a": Point(1, [2.0, 3.0]), "b": "x", "c": np.ones(2)}, {"a": Point(4, [5.0, 6.0]), "b": "y", "c": np.zeros(2)}])
    assert batch["a"].x.tolist() == [1, 4] and batch["a"].y[1].tolist() == [3, 6] and batch["b"] == ["x", "y"]
    assert batch["c"].shape == (2, 2) and batch["a"].y[0].dtype is apus.float64
    with pytest.raises(TypeError, match="object"):
        default_collate([object()])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_loader(workers):
    loader = DataLoader(Squares(10), 4, num_workers=workers)
    batches = list(loader)
    assert len(loader) == 3 and [batch[0].tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(list(DataLoader(Squares(10), 4, drop_last=True, num_workers=workers))) == 2
    assert [sample for sample in DataLoader(Squares(3), None, num_workers=workers)] == [(0, 0.0), (1, 1.0), (2, 4.0)]
    total = sum(batch.sum().item() for batch in DataLoader(Counting(10), 3, num_workers=workers))
    assert total == 45


@pytest.mark.parametrize("workers", [0, 2])
def test_orders(workers):
    def order(loader):
        return [index for batch in loader for index in batch[0].tolist()]

    loader = DataLoader(Squares(20), 3, shuffle=True, generator=5, num_workers=workers)
    first, second = order(loader), order(loader)
    assert sorted(first) == sorted(second) == list(range(20)) and first != second
    again = DataLoader(Squares(20), 3, shuffle=True, generator=5)
    assert order(again) == first and order(again) == second
    apus.manual_seed(7)
    a = order(DataLoader(Squares(20), 3, shuffle=True, num_workers=workers))
    apus.manual_seed(7)
    assert order(DataLoader(Squares(20), 3, shuffle=True)) == a


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("data", [Squares(20), Counting(20)], ids=["indexed", "iterable"])
def test_a_place_in_an_epoch_can_be_saved(workers, data):
    def texts(batches):
        return [repr(batch) for batch in batches]

    shuffle = True if isinstance(data, Squares) else None
    loader = DataLoader(data, 3, shuffle=shuffle, generator=random.Random(1), num_workers=workers)
    running = iter(loader)
    for _ in range(2):
        next(running)
    state = loader.state_dict()
    assert state["batches"] == 2
    rest = texts(running)
    other = DataLoader(data, 3, shuffle=shuffle, num_workers=workers)
    other.load_state_dict(state)
    count = len(list(other)) if texts(other) == rest else None
    assert count == len(rest) + 2
    assert loader.state_dict()["batches"] == 0


def test_workers_report_errors_and_end():
    class Broken(Squares):
        def __getitem__(self, index):
            if index == 5:
                raise RuntimeError("sample 5 is broken")
            return super().__getitem__(index)

    with pytest.raises(RuntimeError, match="sample 5"):
        list(DataLoader(Broken(10), 2, num_workers=2))
    before = threading.active_count()
    for batch in DataLoader(Squares(1000), 2, num_workers=2):
        break
    del batch
    seen = []
    list(DataLoader(Squares(10), 2, num_workers=2, worker_init_fn=seen.append))
    assert sorted(seen) == [0, 1] and threading.active_count() <= before + 4


def test_what_does_not_go_together():
    for options in (
        {"num_workers": -1}, {"shuffle": True, "sampler": [0]}, {"batch_sampler": [[0]], "batch_size": 2}, {"batch_size": 0},
        {"batch_size": None, "drop_last": True}, {"prefetch_factor": 2}, {"multiprocessing_context": "fork"}, {"timeout": -1},
    ):
        with pytest.raises(ValueError):
            DataLoader(Squares(3), **options)
    with pytest.raises(ValueError):
        DataLoader(Counting(3), shuffle=True)
