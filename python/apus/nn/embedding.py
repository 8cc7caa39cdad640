"""Embeddings."""

from .._modes import no_grad
from . import functional as F
from . import init
from .linear import _empty
from .module import Module
from .parameter import Parameter


class _Table(Module):
    def _set_up(self, num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight, dtype):
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"{type(self).__name__}: padding_idx {padding_idx} is no row of {num_embeddings}")
            padding_idx %= num_embeddings
        if sparse:
            raise ValueError(f"{type(self).__name__}: there are no sparse gradients")
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _weight is None:
            self.weight = Parameter(_empty(dtype, num_embeddings, embedding_dim))
            self.reset_parameters()
        elif tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise ValueError(f"{type(self).__name__}: a table of shape {list(_weight.shape)} is not [{num_embeddings}, {embedding_dim}]")
        else:
            self.weight = Parameter(_weight)

    def reset_parameters(self):
        """Draws the first values again; the row of padding_idx is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def _renormalize(self, input):
        """Shortens the rows that are looked up and longer than max_norm."""
        if self.max_norm is None:
            return
        with no_grad():
            rows = input.flatten().unique()
            vectors = self.weight.detach()[rows]
            norms = vectors.norm(self.norm_type, dim=1, keepdim=True)
            scale = (self.max_norm / (norms + 1e-7)).clamp(max=1.0)
            scale = scale.where(norms > self.max_norm, scale * 0 + 1)
            self.weight[rows] = vectors * scale

    @classmethod
    def _from(cls, embeddings, freeze, options):
        if embeddings.dim() != 2:
            raise ValueError(f"{cls.__name__}.from_pretrained: a table has two axes, not {embeddings.dim()}")
        made = cls(*embeddings.shape, _weight=embeddings, **options)
        made.weight.requires_grad_(not freeze)
        return made


class Embedding(_Table):
    """A table of vectors: looks up a row for each number.

    Args:
        num_embeddings, embedding_dim: rows and their length.
        padding_idx: a row that stays as it is, 0 at first.
        max_norm, norm_type: rows that are looked up and longer than this are shortened to it.
        scale_grad_by_freq: divide gradients by how often a row was looked up.

    Shape: (...) of integers to (..., embedding_dim). The table is drawn from N(0, 1).
    """

    def __init__(
        self, num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False,
        _weight=None, _freeze=False, device=None, dtype=None,
    ):
        super().__init__()
        self._set_up(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight, dtype)
        if _freeze:
            self.weight.requires_grad_(False)

    def forward(self, input):
        self._renormalize(input)
        return F.embedding(input, self.weight, self.padding_idx, None, self.norm_type, self.scale_grad_by_freq)

    @classmethod
    def from_pretrained(
        cls, embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
    ):
        """A table that is there already."""
        options = dict(
            padding_idx=padding_idx, max_norm=max_norm, norm_type=norm_type, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
        return cls._from(embeddings, freeze, options)

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text + (f", scale_grad_by_freq={self.scale_grad_by_freq}" if self.scale_grad_by_freq else "")


class EmbeddingBag(_Table):
    """Sums, means or greatest elements of bags of rows of a table.

    Args:
        num_embeddings, embedding_dim: rows and their length.
        mode: sum, mean or max.
        include_last_offset: whether offsets end with the number of all numbers.
        padding_idx: a row that does not count.
        (the others as in `Embedding`)
    """

    def __init__(
        self, num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode="mean", sparse=False, _weight=None,
        include_last_offset=False, padding_idx=None, device=None, dtype=None,
    ):
        super().__init__()
        self.mode, self.include_last_offset = mode, include_last_offset
        self._set_up(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight, dtype)

    def forward(self, input, offsets=None, per_sample_weights=None):
        self._renormalize(input)
        return F.embedding_bag(
            input, self.weight, offsets, None, self.norm_type, self.scale_grad_by_freq, self.mode, False, per_sample_weights,
            self.include_last_offset, self.padding_idx)

    @classmethod
    def from_pretrained(
        cls, embeddings, freeze=True, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode="mean", sparse=False,
        include_last_offset=False, padding_idx=None,
    ):
        """A table that is there already."""
        options = dict(
            max_norm=max_norm, norm_type=norm_type, scale_grad_by_freq=scale_grad_by_freq, mode=mode, sparse=sparse,
            include_last_offset=include_last_offset, padding_idx=padding_idx)
        return cls._from(embeddings, freeze, options)

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text + (f", padding_idx={self.padding_idx}" if self.padding_idx is not None else "")


__all__ = ["Embedding", "EmbeddingBag"]
