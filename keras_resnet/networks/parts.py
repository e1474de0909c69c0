"""Pieces that several of the systems are made of."""

import keras
from keras import layers


# A function instead of a constant: an initializer of Keras draws the same numbers each time.
def xavier():
    """Glorot and Bengio's scheme as Caffe has it: uniform, of variance 1 / fan-in."""
    return keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")


def relu(x, *, name):
    return layers.ReLU(name=f"{name}_relu")(x)


def conv(
    kit,
    x,
    filters,
    kernel,
    stride=1,
    *,
    initializer,
    use_bias=True,
    bias="zeros",
    activate=relu,
    name,
):
    """A convolution that keeps the side, or divides it by the stride, and what activates it.

    `initializer` makes the kernel's: a new one for each layer.
    """
    if stride > 1 and kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = kit.Conv2D(
        filters,
        kernel,
        stride,
        "valid" if stride > 1 else "same",
        use_bias=use_bias,
        kernel_initializer=initializer(),
        bias_initializer=bias,
        name=name,
    )(x)
    return activate(x, name=name)


def conv1(kit, x, width, kind, convolve):
    """7x7 of stride 2; "separable" into 8 filters a channel and a 1x1 convolution."""
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


def ceil_pool(kit, x, *, name):
    """Caffe's 3x3 max pool of stride 2: the last window may hang over the edge.

    Zeros are neutral beside values that have been through a ReLU.
    """
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
    return kit.MaxPooling2D(3, 2, name=name)(x)


def hidden(x, units, *, initializer, activate=relu, dropout, name):
    """A fully connected layer, what activates it, and dropout."""
    x = layers.Dense(units, kernel_initializer=initializer(), name=name)(x)
    return layers.Dropout(dropout, name=f"{name}_drop")(activate(x, name=name))
