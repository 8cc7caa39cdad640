"""Layers, losses and optimizers at the top level, as teaching frameworks have them: `apus.Conv2d`, `apus.Adam`, `apus.Variable`."""

from . import _C
from .autograd import Variable
from .nn import (
    BatchNorm1d, BatchNorm2d, BatchNorm3d, BCELoss, BCEWithLogitsLoss, Conv1d, Conv2d, Conv3d, ConvTranspose2d, CrossEntropyLoss, Dropout, ELU,
    Embedding, Flatten, GELU, GRU, GroupNorm, L1Loss, LayerNorm, LeakyReLU, Linear, LogSoftmax, LSTM, MaxPool1d, MaxPool2d, Module, MSELoss,
    AvgPool2d, NLLLoss, Parameter, ReLU, RNN, Sequential, Sigmoid, SiLU, Softmax, Tanh,
)
from .optim import Adagrad, Adam, AdamW, RMSprop, SGD


def _legacy(name, dtype):
    def make(*data):
        return _C.Tensor(*data, dtype=dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A tensor of {dtype}: of the data, or, given integers, of that shape. `apus.tensor` says the same more clearly."
    return make


for _name, _dtype in (
    ("FloatTensor", _C.float32), ("DoubleTensor", _C.float64), ("HalfTensor", _C.float16), ("BFloat16Tensor", _C.bfloat16),
    ("LongTensor", _C.int64), ("IntTensor", _C.int32), ("ShortTensor", _C.int16), ("CharTensor", _C.int8), ("ByteTensor", _C.uint8),
    ("BoolTensor", _C.bool),
):
    globals()[_name] = _legacy(_name, _dtype)
