"""Training as the paper trains, and runs that survive being stopped."""

from keras_resnet.training.auxiliary import WithAuxiliaryLosses
from keras_resnet.training.averages import WeightAverages
from keras_resnet.training.checkpoints import Checkpoints, DamagedError
from keras_resnet.training.distribution import active, distributed
from keras_resnet.training.fitting import fit
from keras_resnet.training.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from keras_resnet.training.optimizers import LAMB, LARS, SGD
from keras_resnet.training.processes import Distribution
from keras_resnet.training.schedules import (
    EndWarmUp,
    WarmUp,
    WarmUpUntil,
    cosine,
    linear_scaling,
    step_drops,
)
from keras_resnet.training.statistics import recompute_batch_norm
from keras_resnet.training.validation import evaluate
from keras_resnet.training.watch import NonFiniteLossError, StoppedError

__all__ = [
    "LAMB",
    "LARS",
    "SGD",
    "BinaryCrossentropy",
    "Checkpoints",
    "DamagedError",
    "Distribution",
    "EndWarmUp",
    "NonFiniteLossError",
    "SparseCategoricalCrossentropy",
    "StoppedError",
    "WarmUp",
    "WarmUpUntil",
    "WeightAverages",
    "WithAuxiliaryLosses",
    "active",
    "cosine",
    "distributed",
    "evaluate",
    "fit",
    "linear_scaling",
    "recompute_batch_norm",
    "step_drops",
]
