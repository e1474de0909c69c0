"""Keras' layers, as fast as each framework's own.

A class with a namesake in `keras.layers` is a drop-in for it: the same arguments, variables,
shapes, names, config and, to float rounding, results. What a class cannot do faster it leaves
to the class it extends, so no argument of Keras' is lost. Local response normalization,
spatial pyramid pooling and stochastic depth, which Keras has no layers for, are written on
`keras.ops`.
"""

from keras_resnet.layers.activation import ReLU
from keras_resnet.layers.convolution import Conv2D
from keras_resnet.layers.drop_path import DropPath, PathDraws
from keras_resnet.layers.normalization import BatchNormalization
from keras_resnet.layers.pooling import AveragePooling2D, MaxPooling2D
from keras_resnet.layers.pyramid import SpatialPyramidPooling
from keras_resnet.layers.response import LocalResponseNormalization

__all__ = [
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "DropPath",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "PathDraws",
    "ReLU",
    "SpatialPyramidPooling",
]
