"""Training as the papers describe it: optimizers, schedules, averages of weights, losses."""

from keras_resnet.training.averages import WeightAverages
from keras_resnet.training.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from keras_resnet.training.optimizers import LAMB, LARS, SGD
from keras_resnet.training.statistics import recompute_batch_norm

__all__ = [
    "LAMB",
    "LARS",
    "SGD",
    "BinaryCrossentropy",
    "SparseCategoricalCrossentropy",
    "WeightAverages",
    "recompute_batch_norm",
]
