"""Training as the paper trains, and runs that survive being stopped."""

from keras_resnet.training.checkpoints import Checkpoints, DamagedError
from keras_resnet.training.fit import fit
from keras_resnet.training.watch import NonFiniteLossError, StoppedError

__all__ = ["Checkpoints", "DamagedError", "NonFiniteLossError", "StoppedError", "fit"]
