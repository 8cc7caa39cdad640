"""Building blocks of networks."""

from . import functional, init, utils
from .activations import *
from .attention import *
from .containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .conv import *
from .dropout import *
from .embedding import *
from .linear import *
from .losses import *
from .module import Module
from .normalization import *
from .padding import *
from .parameter import Buffer, Parameter
from .pooling import *
from .positions import *
from .recurrent import *
