"""Training as the papers describe it, in runs that survive being stopped."""

from keras_resnet.training.checkpoints import Checkpoints, DamagedError
from keras_resnet.training.fit import fit
from keras_resnet.training.optimizers import LAMB, LARS, SGD
from keras_resnet.training.watch import NonFiniteLossError, StoppedError

__all__ = [
    "LAMB",
    "LARS",
    "SGD",
    "Checkpoints",
    "DamagedError",
    "NonFiniteLossError",
    "StoppedError",
    "fit",
]
