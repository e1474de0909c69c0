"""Layers that are as Keras and this package made them: what they do is known."""

from typing import Any

import keras

from keras_resnet.graph import channel_axis
from keras_resnet.layers import activation, normalization
from keras_resnet.layers.backend import backend_part
from keras_resnet.layers.convolution import Conv2D
from keras_resnet.layers.drop_path import DropPath
from keras_resnet.layers.pooling import AveragePooling2D, MaxPooling2D

# The part each class has in a unit. Subclasses may do anything; only these are known.
KNOWN: dict[Any, str] = {
    Conv2D: "conv",
    normalization.BatchNormalization: "norm",
    MaxPooling2D: "pool",
    AveragePooling2D: "pool",
    DropPath: "drop",
    activation.ReLU: "relu",
    keras.layers.ReLU: "relu",
    keras.layers.Add: "add",
    keras.layers.ZeroPadding2D: "pad",
}
# What a layer runs when it is called, as it was when this package was imported.
CALLED = [(cls, name) for cls in KNOWN for name in ("__call__", "call")]
CALLED += [(Conv2D, "convolution_op"), (keras.layers.Add, "_merge_function")]
AS_IMPORTED = [getattr(cls, name) for cls, name in CALLED]
# What can be replaced in a layer. Two of these Keras itself wraps in each layer.
METHODS = {
    cls: {name for name in dir(cls) if callable(getattr(cls, name))} - {"build", "quantize"}
    for cls in KNOWN
}


class Watched:
    """What layers are like: their attributes, the model's precision, who listens to them.

    Args:
        model: the functional model.
        layers: those among its layers that may be run together.
    """

    def __init__(self, model, layers):
        self.attributes = [vars(layer) for layer in layers]
        self.hooks = backend_part("layers", "internals").hooks_of(layers)
        self.state = self.read(model)

    def read(self, model) -> list[Any]:
        """Every attribute of every layer: Keras keeps none elsewhere."""
        state = [getattr(cls, name) for cls, name in CALLED]
        state.append(model.dtype_policy)
        for attributes in self.attributes:
            state += attributes.values()
        return state

    def changed(self, model) -> bool:
        """Whether any of it is another object than it was, and not equal to it."""
        try:
            return self.read(model) != self.state
        except (RuntimeError, TypeError, ValueError):  # tensors do not compare as a whole
            return True

    @property
    def listened(self) -> bool:
        """Whether a hook of a framework is on one of the layers."""
        return any(self.hooks)


def is_a(node, part: str) -> bool:
    """Whether a node of the graph calls a layer of a known class."""
    return node is not None and KNOWN.get(type(node.operation)) == part


def does_nothing_else(layers, model) -> bool:
    """Whether nothing but what these layers compute would happen between them.

    Keras casts where precisions differ, adds a loss on outputs, and refuses what the layer does
    not expect; and a method may have been replaced, in the layer or in its class.
    """
    return all(
        getattr(cls, name) is before
        for (cls, name), before in zip(CALLED, AS_IMPORTED, strict=True)
    ) and all(
        layer.dtype_policy == model.dtype_policy
        and (layer.autocast or type(layer) is DropPath)
        and layer.activity_regularizer is None
        and expects_maps(layer.input_spec)
        and not METHODS[type(layer)] & vars(layer).keys()
        for layer in layers
    )


def expects_maps(spec) -> bool:
    """Whether a layer takes every 4-D map; how many channels it has, the graph knows."""
    if spec is None:
        return True
    return (
        spec.ndim in (None, 4)
        and (spec.min_ndim or 0) <= 4 <= (spec.max_ndim or 4)
        and spec.dtype is spec.shape is None
    )


def plain_convolution(conv) -> bool:
    return (
        conv.activation in (None, keras.activations.linear)
        and not conv.lora_enabled
        and conv.rank == 2
        and conv.use_bias == (conv.bias is not None)
        and conv.filters == conv.kernel.shape[-1]
    )


def plain_relu(relu) -> bool:
    return activation.is_plain(relu)


def normalizes_channels(norm, conv) -> bool:
    return norm.axis % 4 == channel_axis(conv.data_format) and normalization.is_plain(norm)
