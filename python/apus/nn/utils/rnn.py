"""Sequences of different lengths in one tensor."""

import collections

from ... import _C
from ..._api import functions as _f


class PackedSequence(collections.namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])):
    """Sequences step after step: `data` has the rows of all steps, `batch_sizes` says how many belong to each."""

    __slots__ = ()

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None and sorted_indices is not None:
            unsorted_indices = sorted_indices.argsort()
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **options):
        """The data as another dtype."""
        return PackedSequence(self.data.to(*args, **options), *self[1:])


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Packs sequences that were padded to one length.

    Args:
        input: [T, N, ...], or [N, T, ...] with batch_first.
        lengths: the sequences' own lengths.
        enforce_sorted: the longest comes first already, and the shortest last.
    """
    lengths = lengths.tolist() if isinstance(lengths, _C.Tensor) else [int(length) for length in lengths]
    if batch_first:
        input = input.transpose(0, 1)
    if len(lengths) != input.shape[1] or min(lengths, default=0) <= 0 or max(lengths) > input.shape[0]:
        raise ValueError(f"pack_padded_sequence: lengths {lengths} for {input.shape[1]} sequences of at most {input.shape[0]} steps")
    order = None
    if not enforce_sorted:
        indices = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        lengths = [lengths[i] for i in indices]
        order = _C.tensor(indices)
        input = input.index_select(1, order)
    elif any(a < b for a, b in zip(lengths, lengths[1:])):
        raise RuntimeError("pack_padded_sequence: lengths must not grow; pass enforce_sorted=False")
    sizes = [sum(length > step for length in lengths) for step in range(lengths[0])]
    data = _f["cat"]([input[step, :size] for step, size in enumerate(sizes)], dim=0)
    return PackedSequence(data, _C.tensor(sizes), order)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """Unpacks to one padded tensor and the lengths."""
    sizes = sequence.batch_sizes.tolist()
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ValueError(f"pad_packed_sequence: total_length {total_length} is less than the {len(sizes)} steps")
    rows, place = [], 0
    tail = tuple(sequence.data.shape[1:])
    for size in sizes:
        step = sequence.data[place : place + size]
        place += size
        if size < sizes[0]:
            step = _f["cat"]([step, _f["full"]((sizes[0] - size, *tail), padding_value, dtype=step.dtype)], dim=0)
        rows.append(step)
    rows += [_f["full"]((sizes[0], *tail), padding_value, dtype=sequence.data.dtype)] * (steps - len(sizes))
    output = _f["stack"](rows, 0)
    lengths = _C.tensor([sum(size > i for size in sizes) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        output, lengths = output.index_select(1, sequence.unsorted_indices), lengths[sequence.unsorted_indices]
    return output.transpose(0, 1) if batch_first else output, lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Stacks sequences, shorter ones padded."""
    if padding_side not in ("left", "right"):
        raise ValueError(f"pad_sequence: padding_side {padding_side!r} is neither 'left' nor 'right'")
    sequences = list(sequences)
    if not sequences:
        raise RuntimeError("pad_sequence: there are no sequences")
    longest = max(len(sequence) for sequence in sequences)

    def padded(sequence):
        missing = _f["full"]((longest - len(sequence), *sequence.shape[1:]), padding_value, dtype=sequence.dtype)
        return _f["cat"]([missing, sequence] if padding_side == "left" else [sequence, missing], dim=0)

    return _f["stack"]([padded(sequence) for sequence in sequences], 0 if batch_first else 1)


def pack_sequence(sequences, enforce_sorted=True):
    """Packs sequences of different lengths."""
    return pack_padded_sequence(pad_sequence(sequences), [len(sequence) for sequence in sequences], enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences that were padded."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[: int(length)] for sequence, length in zip(padded_sequences, lengths)]


def unpack_sequence(packed_sequences):
    """The sequences that were packed."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
