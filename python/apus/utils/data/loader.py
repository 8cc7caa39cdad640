"""The loader: batches of a data set, prepared ahead by threads if wanted, with a place that can be saved."""

import collections
import itertools
import queue
import random
import threading
from dataclasses import dataclass

from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .randomness import stream
from .sampler import BatchSampler, RandomSampler, SequentialSampler, batches

_thread = threading.local()


@dataclass
class WorkerInfo:
    """Which of a loader's workers asks: `id` of `num_workers`, with a seed of its own."""

    id: int
    num_workers: int
    seed: int
    dataset: object


def get_worker_info():
    """The worker that runs this code; None outside of workers."""
    return getattr(_thread, "info", None)


class DataLoader:
    """Batches of a data set.

    Args:
        dataset: a `Dataset` or an `IterableDataset` (or anything with `__getitem__` and `__len__`).
        batch_size: samples per batch; None gives samples instead of batches.
        shuffle: take the samples in another random order in each epoch.
        sampler: the order of samples, instead of `shuffle`.
        batch_sampler: lists of indices, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: threads that prepare batches ahead. They share the interpreter; what reads files or computes on tensors runs beside the
            training, pure Python code takes turns with it. Batches come in the same order, with the same content, for any number.
        collate_fn: makes a batch of a list of samples; `default_collate` by default.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch of the workers before an error; 0 waits as long as it takes.
        worker_init_fn: called in each worker with its number before it begins.
        generator: an `apus.Generator`, an integer seed, a `random.Random`, or None for the stream that `apus.manual_seed` starts.
        prefetch_factor: batches that each worker prepares ahead; 2 by default.

    `state_dict()` says how far the current epoch is; a loader of the same arguments that was given it by `load_state_dict` goes on there, with
    the same order. `pin_memory`, `persistent_workers` and `multiprocessing_context="thread"` are accepted and of no account; processes are
    refused, since there are none.
    """

    def __init__(
        self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None, pin_memory=False,
        drop_last=False, timeout=0, worker_init_fn=None, multiprocessing_context=None, generator=None, *, prefetch_factor=None,
        persistent_workers=False, pin_memory_device="", in_order=True,
    ):
        if isinstance(num_workers, bool) or not isinstance(num_workers, int) or num_workers < 0:
            raise ValueError(f"DataLoader: num_workers is an integer from 0 on, not {num_workers!r}")
        if timeout < 0:
            raise ValueError(f"DataLoader: timeout {timeout} is negative")
        if multiprocessing_context not in (None, "thread"):
            raise ValueError("DataLoader: workers are threads; multiprocessing_context is None or 'thread'")
        if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 1):
            raise ValueError("DataLoader: prefetch_factor is an integer from 1 on, and goes with num_workers from 1 on")
        self._is_iterable = isinstance(dataset, IterableDataset)
        if self._is_iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: an IterableDataset has an order of its own; shuffle and samplers don't go with it")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler excludes shuffle")
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: without batches there is none to drop")
        self.dataset, self.num_workers, self.timeout, self.worker_init_fn = dataset, num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.generator, self.drop_last, self.pin_memory = generator, drop_last, pin_memory
        if self._is_iterable:
            sampler = None
        elif sampler is None and batch_sampler is None:
            sampler = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
            self._shuffles = bool(shuffle)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            if self._is_iterable:
                BatchSampler((), batch_size)  # checks the size
            else:
                batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        self._gives_batches = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if self._gives_batches else default_convert)
        self._source = stream(generator) if isinstance(generator, int) else generator
        self._resume = None
        self._seed, self._taken = None, 0

    _shuffles = False

    def __len__(self):
        if self._is_iterable:
            count = len(self.dataset)
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.batch_sampler if self.batch_sampler is not None else self.sampler)

    def __iter__(self):
        if self._resume is not None:
            (self._seed, skipped), self._resume = self._resume, None
        else:
            self._seed, skipped = stream(self._source).getrandbits(62), 0
        self._taken = skipped
        return self._counted(self._epoch(skipped), self._seed)

    def _counted(self, items, seed):
        try:
            for item in items:
                if self._seed == seed:
                    self._taken += 1
                yield item
        finally:
            # Whoever leaves early ends the workers.
            if hasattr(items, "close"):
                items.close()
        if self._seed == seed:
            self._seed, self._taken = None, 0

    def _epoch(self, skipped):
        if self._is_iterable:
            return self._iterate(skipped)
        plan = itertools.islice(self._plan(), skipped, None)
        if self.num_workers == 0:
            return map(self._fetch, plan)
        return self._ahead(plan)

    # State

    def state_dict(self):
        """The place in the current epoch: its seed and how many batches were taken. Between epochs: nothing."""
        return {"seed": self._seed, "batches": self._taken}

    def load_state_dict(self, state):
        """The next `for` goes on where another loader was."""
        seed, taken = state["seed"], state["batches"]
        if isinstance(taken, bool) or not isinstance(taken, int) or taken < 0 or not (seed is None or isinstance(seed, int)):
            raise ValueError(f"DataLoader: {state!r} is no state of a loader")
        self._resume = None if seed is None else (seed, taken)
        self._seed, self._taken = seed, taken

    # Samples by index

    def _plan(self):
        """Indices, or lists of them, in this epoch's order."""
        if not self._shuffles:
            return iter(self.batch_sampler if self.batch_sampler is not None else self.sampler)
        order = self.sampler.order(random.Random(self._seed))
        return order if self.batch_size is None else batches(order, self.batch_size, self.drop_last)

    def _fetch(self, indices):
        if not self._gives_batches:
            return self.collate_fn(self.dataset[indices])
        if hasattr(self.dataset, "__getitems__"):
            return self.collate_fn(self.dataset.__getitems__(indices))
        return self.collate_fn([self.dataset[i] for i in indices])

    def _ahead(self, plan):
        # Late, since it takes a tenth of `import apus`.
        from concurrent.futures import ThreadPoolExecutor
        from concurrent.futures import TimeoutError as FutureTimeout

        numbers = itertools.count()

        def begin():
            self._become_worker(next(numbers), self.num_workers)

        waiting = collections.deque()
        pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="apus-loader", initializer=begin)
        try:
            for indices in itertools.islice(plan, self.num_workers * self.prefetch_factor):
                waiting.append(pool.submit(self._fetch, indices))
            while waiting:
                future = waiting.popleft()
                try:
                    item = future.result(self.timeout or None)
                except FutureTimeout:
                    raise RuntimeError(f"DataLoader: no batch came within {self.timeout} s") from None
                for indices in itertools.islice(plan, 1):
                    waiting.append(pool.submit(self._fetch, indices))
                yield item
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _become_worker(self, number, count):
        _thread.info = WorkerInfo(number, count, (self._seed + number) % 2**62, self.dataset)
        if self.worker_init_fn is not None:
            self.worker_init_fn(number)

    # Samples one after the other

    def _iterate(self, skipped):
        if self.num_workers == 0:
            return itertools.islice(self._collated(), skipped, None)
        return self._merged(skipped)

    def _collated(self):
        samples = iter(self.dataset)
        if self.batch_size is None:
            return map(self.collate_fn, samples)
        return map(self.collate_fn, batches(samples, self.batch_size, self.drop_last))

    def _merged(self, skipped):
        """The workers' batches in turns. Each worker goes through the data set; `get_worker_info` tells it which part is its own."""
        stop = threading.Event()
        lanes = [queue.Queue(self.prefetch_factor) for _ in range(self.num_workers)]

        def work(number):
            def put(item):
                while not stop.is_set():
                    try:
                        return lanes[number].put(item, timeout=0.1)
                    except queue.Full:
                        pass

            try:
                self._become_worker(number, self.num_workers)
                for item in self._collated():
                    put((item, None))
                    if stop.is_set():
                        return
                put((None, StopIteration()))
            except BaseException as error:
                put((None, error))

        for number in range(self.num_workers):
            threading.Thread(target=work, args=(number,), daemon=True, name=f"apus-loader-{number}").start()
        try:
            open_lanes = list(lanes)
            while open_lanes:
                for lane in list(open_lanes):
                    try:
                        item, error = lane.get(timeout=self.timeout or None)
                    except queue.Empty:
                        raise RuntimeError(f"DataLoader: no batch came within {self.timeout} s") from None
                    if isinstance(error, StopIteration):
                        open_lanes.remove(lane)
                    elif error is not None:
                        raise error
                    elif skipped > 0:
                        skipped -= 1
                    else:
                        yield item
        finally:
            stop.set()
