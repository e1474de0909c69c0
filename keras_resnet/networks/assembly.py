"""What every network is made of: the classes of its layers, its ends, and pieces of several."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import layers

from keras_resnet.graph import channel_axis, deep_graph
from keras_resnet.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    ReLU,
)
from keras_resnet.network import Network


@dataclass(frozen=True)
class Kit:
    """The classes that a network is built with."""

    Conv2D: Any
    BatchNormalization: Any
    MaxPooling2D: Any
    AveragePooling2D: Any
    ReLU: Any
    Model: Any


# By the value of the option `layers`.
KITS = {
    "fast": Kit(Conv2D, BatchNormalization, MaxPooling2D, AveragePooling2D, ReLU, Network),
    "keras": Kit(
        keras.layers.Conv2D,
        keras.layers.BatchNormalization,
        keras.layers.MaxPooling2D,
        keras.layers.AveragePooling2D,
        keras.layers.ReLU,
        keras.Model,
    ),
}


@dataclass(frozen=True)
class Top:
    """The classifier that a network ends in: its units and their activation."""

    classes: int
    activation: Any


def model_of(image, x, options, name: str):
    """The model that makes x of what the image is made of."""
    with deep_graph():
        inputs = keras.utils.get_source_inputs(image)
        return KITS[options.layers].Model(inputs[0] if len(inputs) == 1 else inputs, x, name=name)


def normalized(image, options):
    """The image; with `include_preprocessing`, normalized as the weights expect."""
    if not options.include_preprocessing:
        return image
    variance = [std**2 for std in options.std]
    return layers.Normalization(
        channel_axis(), options.mean, variance, dtype=float32_at_least(), name="preprocessing"
    )(image)


def float32_at_least():
    """The dtype of a layer that half precision is too coarse for; None for the policy's own."""
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    return "float32" if half else None


def classifier(x, top: Top, *, initializer=keras.initializers.GlorotUniform, name="fc"):
    """The last fully connected layer, in float32 at least."""
    return layers.Dense(
        top.classes,
        top.activation,
        kernel_initializer=initializer(),
        dtype=float32_at_least(),
        name=name,
    )(x)


def pooled_classifier(x, top: Top, *, dropout=0.0, initializer=keras.initializers.GlorotUniform):
    """Global average pooling, dropout where there is any, and the classifier."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="pool_drop")(x)
    return classifier(x, top, initializer=initializer)


# A function instead of a constant: an initializer of Keras draws the same numbers each time.
def xavier():
    """Glorot and Bengio's scheme as Caffe has it: uniform, of variance 1 / fan-in."""
    return keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")


def norm(x, kit, *, relu=True, gamma="ones", name):
    """Batch normalization and ReLU."""
    x = kit.BatchNormalization(
        channel_axis(), momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=f"{name}_bn"
    )(x)
    return rectified(x, kit=kit, name=name) if relu else x


def rectified(x, *, kit, name):
    return kit.ReLU(name=f"{name}_relu")(x)


def conv(x, filters, kernel, stride=1, *, kit, initializer, bias="zeros", activate=None, name):
    """A convolution that keeps the side, or divides it by the stride, and what activates it.

    Args:
        initializer: makes the kernel's: a new one for each layer.
        bias: the initializer of its biases; None for none.
        activate: a function of the map and the layer's name; ReLU by default.
    """
    if stride > 1 and kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = kit.Conv2D(
        filters,
        kernel,
        stride,
        "valid" if stride > 1 else "same",
        use_bias=bias is not None,
        kernel_initializer=initializer(),
        bias_initializer=bias or "zeros",
        name=name,
    )(x)
    activate = activate or partial(rectified, kit=kit)
    return activate(x, name=name)


def first_conv(x, width, kind, convolve):
    """conv1, 7x7 of stride 2; "separable" into 8 filters a channel and a 1x1 convolution."""
    if kind == "dense":
        return convolve(x, width, 7, 2, name="conv1")
    x = layers.ZeroPadding2D(3, name="conv1_depthwise_pad")(x)
    x = layers.DepthwiseConv2D(
        7,
        2,
        depth_multiplier=8,
        use_bias=False,
        depthwise_initializer=xavier(),
        name="conv1_depthwise",
    )(x)
    return convolve(x, width, 1, name="conv1")


def ceil_pool(x, kit, *, name):
    """Caffe's 3x3 max pool of stride 2: the last window may hang over the edge.

    Zeros are neutral beside values that have been through a ReLU.
    """
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
    return kit.MaxPooling2D(3, 2, name=name)(x)


def hidden(x, units, *, initializer, activate, dropout, name):
    """A fully connected layer, what activates it, and dropout."""
    x = layers.Dense(units, kernel_initializer=initializer(), name=name)(x)
    return layers.Dropout(dropout, name=f"{name}_drop")(activate(x, name=name))
