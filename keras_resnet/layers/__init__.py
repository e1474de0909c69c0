"""Keras' layers, as fast as each framework's own.

A class with a namesake in `keras.layers` is a drop-in for it: the same arguments, variables,
shapes, names, config and, to float rounding, results. What a class cannot do faster it leaves
to the class it extends, so no argument of Keras' is lost. Local response normalization and
spatial pyramid pooling, which Keras has no layer for, are written on `keras.ops`.
"""

from dataclasses import dataclass
from typing import Any

import keras

from keras_resnet.layers.convolution import Conv2D
from keras_resnet.layers.fusion import FusedNetwork
from keras_resnet.layers.normalization import BatchNormalization
from keras_resnet.layers.pooling import MaxPooling2D
from keras_resnet.layers.pyramid import SpatialPyramidPooling
from keras_resnet.layers.response import LocalResponseNormalization

__all__ = [
    "KITS",
    "BatchNormalization",
    "Conv2D",
    "FusedNetwork",
    "Kit",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "SpatialPyramidPooling",
]


@dataclass(frozen=True)
class Kit:
    """The classes a builder builds with."""

    Conv2D: Any
    BatchNormalization: Any
    MaxPooling2D: Any
    Model: Any


# By the name a builder's argument `layers` gives them.
KITS = {
    "fast": Kit(Conv2D, BatchNormalization, MaxPooling2D, FusedNetwork),
    "keras": Kit(
        keras.layers.Conv2D,
        keras.layers.BatchNormalization,
        keras.layers.MaxPooling2D,
        keras.Model,
    ),
}
