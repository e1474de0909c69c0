"""JAX: see `keras_resnet.training.stock_optimizers`."""

from keras_resnet.training.stock_optimizers import LAMB, LARS, SGD

__all__ = ["LAMB", "LARS", "SGD"]
