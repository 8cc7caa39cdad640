"""Attention and transformers."""

import copy
import math

from .. import _C
from .._api import functions as _f
from . import functional as F
from . import init
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear, _empty
from .module import Module
from .normalization import LayerNorm
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention with several heads. Vaswani and others 2017.

    Args:
        embed_dim: the size of inputs and outputs, which num_heads divides.
        num_heads: heads.
        dropout: of the weights.
        bias: whether the maps have biases.
        add_bias_kv: whether a trained key and value are added.
        add_zero_attn: whether a key and a value of zeros are added.
        kdim, vdim: the sizes of keys and values; embed_dim by default.
        batch_first: whether the batch comes before the time: [N, T, E] instead of [T, N, E].

    A mask of bool is True where looking is forbidden; one of floating point is added to the scores.
    """

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None, batch_first=False,
        device=None, dtype=None,
    ):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: {num_heads} heads do not divide {embed_dim}")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim, self.head_dim = kdim or embed_dim, vdim or embed_dim, embed_dim // num_heads
        self.add_zero_attn = add_zero_attn
        self._is_same = self.kdim == self.vdim == embed_dim
        if self._is_same:
            self.in_proj_weight = Parameter(_empty(dtype, 3 * embed_dim, embed_dim))
            self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        else:
            self.register_parameter("in_proj_weight", None)
            self.q_proj_weight = Parameter(_empty(dtype, embed_dim, embed_dim))
            self.k_proj_weight = Parameter(_empty(dtype, embed_dim, self.kdim))
            self.v_proj_weight = Parameter(_empty(dtype, embed_dim, self.vdim))
        self.register_parameter("in_proj_bias", Parameter(_empty(dtype, 3 * embed_dim)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        self.register_parameter("bias_k", Parameter(_empty(dtype, 1, 1, embed_dim)) if add_bias_kv else None)
        self.register_parameter("bias_v", Parameter(_empty(dtype, 1, 1, embed_dim)) if add_bias_kv else None)
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True, is_causal=False
    ):
        """Returns what was attended to and, with need_weights, the weights (the mean over heads, or those of each)."""
        is_batch = query.dim() == 3
        if not is_batch:
            query, key, value = query.unsqueeze(0), key.unsqueeze(0), value.unsqueeze(0)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
        q, k, v = self._projected(query, key, value)
        k, v, extra = self._extended(k, v)
        q, k, v = self._heads(q), self._heads(k), self._heads(v)
        mask = self._mask(q, k, extra, attn_mask, key_padding_mask, is_causal)
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(self.head_dim))
            weights = F.softmax(scores if mask is None else scores + mask, -1)
            weights = F.dropout(weights, p, True) if p > 0 else weights
            y = weights @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, p)
        y = self.out_proj(y.transpose(1, 2).reshape(query.shape[0], query.shape[1], self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(dim=1)
        if not is_batch:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _projected(self, query, key, value):
        if self._is_same:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if self._is_same and query is key and key is value:
            return F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        return [F.linear(x, weight, bias) for x, weight, bias in zip((query, key, value), weights, biases)]

    def _extended(self, k, v):
        """Trained and zero keys and values at the end; how many."""
        extra = 0
        if self.bias_k is not None:
            k = _f["cat"]([k, self.bias_k.expand(k.shape[0], 1, self.embed_dim)], dim=1)
            v = _f["cat"]([v, self.bias_v.expand(v.shape[0], 1, self.embed_dim)], dim=1)
            extra += 1
        if self.add_zero_attn:
            zeros = _f["zeros"](k.shape[0], 1, self.embed_dim, dtype=k.dtype)
            k, v = _f["cat"]([k, zeros], dim=1), _f["cat"]([v, zeros], dim=1)
            extra += 1
        return k, v, extra

    def _heads(self, x):
        return x.reshape(x.shape[0], x.shape[1], self.num_heads, self.head_dim).transpose(1, 2)

    def _mask(self, q, k, extra, attn_mask, padding, is_causal):
        """What is added to the scores, [1 or N, 1 or heads, L, S]; None for nothing."""
        batch, queries, keys = q.shape[0], q.shape[2], k.shape[2] - extra
        if is_causal and attn_mask is None:
            attn_mask = _f["ones"](queries, keys, dtype=_C.bool).triu(1)
        total = None
        if attn_mask is not None:
            total = _added(attn_mask, q.dtype)
            if total.dim() == 3:
                if total.shape[0] != batch * self.num_heads:
                    raise RuntimeError(f"attn_mask of shape {list(attn_mask.shape)}: [{batch * self.num_heads}, {queries}, {keys}] expected")
                total = total.reshape(batch, self.num_heads, queries, keys)
            elif tuple(total.shape) == (queries, keys):
                total = total.reshape(1, 1, queries, keys)
            else:
                raise RuntimeError(f"attn_mask of shape {list(attn_mask.shape)}: [{queries}, {keys}] expected")
        if padding is not None:
            if tuple(padding.shape) != (batch, keys):
                raise RuntimeError(f"key_padding_mask of shape {list(padding.shape)}: [{batch}, {keys}] expected")
            padding = _added(padding, q.dtype).reshape(batch, 1, 1, keys)
            total = padding if total is None else total + padding
        return total if total is None or extra == 0 else F.pad(total, (0, extra))


def _added(mask, dtype):
    if mask.dtype is not _C.bool:
        return mask.to(dtype)
    return _f["zeros"](mask.shape, dtype=dtype).masked_fill(mask, float("-inf"))


class _Layer(Module):
    """What encoder and decoder layers have in common."""

    def _set_up(self, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, norms):
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        if norms == 3:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        for i in range(1, norms + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in range(1, norms + 1):
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _function(activation)

    def _feed_forward(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _added(self, x, number, part):
        """x and a part of the layer, with its norm before or behind."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        return x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))


def _function(activation):
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation is 'relu', 'gelu' or a function, not {activation!r}")
    return getattr(F, activation)


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then a network of two layers at each place. Vaswani and others 2017.

    Args:
        d_model: the size of inputs and outputs.
        nhead: heads.
        dim_feedforward: units of the network.
        dropout: everywhere.
        activation: relu, gelu or a function.
        layer_norm_eps: of the norms.
        batch_first: [N, T, E] instead of [T, N, E].
        norm_first: norms before the parts instead of behind.
        bias: whether maps and norms have biases.
    """

    def __init__(
        self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5, batch_first=False, norm_first=False,
        bias=True, device=None, dtype=None,
    ):
        super().__init__()
        self._set_up(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, 2)

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        def attention(x):
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._added(self._added(src, 1, attention), 2, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself and to another, then a network of two layers at each place. Vaswani and others 2017.

    Args: as in `TransformerEncoderLayer`.
    """

    def __init__(
        self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5, batch_first=False, norm_first=False,
        bias=True, device=None, dtype=None,
    ):
        super().__init__()
        self._set_up(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, 3)

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None, tgt_is_causal=False,
        memory_is_causal=False,
    ):
        def own(x):
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def other(x):
            return self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal)[0]

        return self._added(self._added(self._added(tgt, 1, own), 2, other), 3, self._feed_forward)


class TransformerEncoder(Module):
    """Encoder layers on top of each other.

    Args:
        encoder_layer: the layer, which is copied.
        num_layers: how many.
        norm: a last norm.
    """

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Decoder layers on top of each other.

    Args:
        decoder_layer: the layer, which is copied.
        num_layers: how many.
        norm: a last norm.
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None, tgt_is_causal=None,
        memory_is_causal=False,
    ):
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder. Vaswani and others 2017.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: of the layers.
        num_encoder_layers, num_decoder_layers: how many.
        custom_encoder, custom_decoder: others instead.
    """

    def __init__(
        self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1, activation="relu",
        custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-5, batch_first=False, norm_first=False, bias=True, device=None, dtype=None,
    ):
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype)

        def norm():
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*options), num_encoder_layers, norm())
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*options), num_decoder_layers, norm())
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None, tgt_key_padding_mask=None,
        memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None, memory_is_causal=False,
    ):
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """−∞ above the diagonal, 0 elsewhere: each place sees itself and those before."""
        return _f["full"]((sz, sz), float("-inf"), dtype=dtype).triu(1)


__all__ = [
    "MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder", "TransformerDecoder", "Transformer",
]
