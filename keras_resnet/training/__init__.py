"""Training as the papers describe it: optimizers, schedules, averages of weights, losses."""

from keras_resnet.training.averages import WeightAverages
from keras_resnet.training.optimizers import LAMB, LARS, SGD

__all__ = ["LAMB", "LARS", "SGD", "WeightAverages"]
