"""How samples become a batch."""

import collections.abc

from ... import _C
from ..._api import functions
from ..._creation import as_tensor


def default_collate(batch):
    """Samples as one batch: tensors are stacked along a new first axis, numbers and arrays become tensors; tuples, lists, named tuples and
    dictionaries are taken apart and put together again; texts stay in a list."""
    batch = list(batch)
    if not batch:
        raise ValueError("default_collate: there are no samples")
    first = batch[0]
    if isinstance(first, _C.Tensor):
        return functions["stack"](batch, 0)
    if hasattr(first, "__array_interface__") or type(first).__module__ == "numpy":
        return functions["stack"]([as_tensor(sample) for sample in batch], 0)
    if isinstance(first, bool) or isinstance(first, int):
        return _C.tensor(batch)
    if isinstance(first, float):
        return _C.tensor(batch, dtype=_C.float64)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, collections.abc.Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, collections.abc.Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("default_collate: the samples have different numbers of parts")
        parts = [default_collate(part) for part in zip(*batch)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts) if isinstance(first, tuple) else parts
    raise TypeError(f"default_collate: a sample holds a {type(first).__name__}; give the loader a collate_fn")


def default_convert(data):
    """Arrays inside a sample as tensors; everything else as it is. What a loader without batches does."""
    if hasattr(data, "__array_interface__") and not isinstance(data, _C.Tensor):
        return as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple):
        parts = [default_convert(value) for value in data]
        return type(data)(*parts) if hasattr(data, "_fields") else tuple(parts)
    if isinstance(data, list):
        return [default_convert(value) for value in data]
    return data
