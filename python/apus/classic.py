"""Layers, losses and optimizers at the top level, as teaching frameworks have them: `apus.Conv2d`, `apus.Adam`, `apus.Variable`."""

from .autograd import Variable
from .nn import (
    BatchNorm1d, BatchNorm2d, BatchNorm3d, BCELoss, BCEWithLogitsLoss, Conv1d, Conv2d, Conv3d, ConvTranspose2d, CrossEntropyLoss, Dropout, ELU,
    Embedding, Flatten, GELU, GRU, GroupNorm, L1Loss, LayerNorm, LeakyReLU, Linear, LogSoftmax, LSTM, MaxPool1d, MaxPool2d, Module, MSELoss,
    AvgPool2d, NLLLoss, Parameter, ReLU, RNN, Sequential, Sigmoid, SiLU, Softmax, Tanh,
)
from .optim import Adagrad, Adam, AdamW, RMSprop, SGD
