"""Networks as they are evaluated: fully convolutional, and without their softmax."""

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from keras_resnet.files.arguments import checked
from keras_resnet.graph import Graph, channel_axis, deep_graph, height_and_width, is_functional
from keras_resnet.layers import SpatialPyramidPooling

Ending = Literal["softmax", "linear", "unknown"]
# Layers between a flattened map and the classifier that do the same to every position.
POINTWISE = (
    layers.Activation,
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Softmax,
    layers.Dropout,
    layers.Identity,
    layers.BatchNormalization,
)
GLOBAL_POOLING = {
    layers.GlobalAveragePooling2D: layers.AveragePooling2D,
    layers.GlobalMaxPooling2D: layers.MaxPooling2D,
}


@checked()
def fully_convolutional(
    model: keras.Model, input_shape: tuple[int, int, int] | None = None
) -> keras.Model:
    """The same weights as a network for images of any size, which slides over a larger one.

    Global pooling becomes pooling of the same window with stride 1, and fully connected layers
    become convolutions (Sec. 3.4; arXiv:1409.1556, Sec. 3.2). A map of the crop's size then
    has one position and the scores of `model`; a larger one has a position for each window of
    the last map, and all of them cost one pass.

    Args:
        model: a functional classifier of one image and one vector of scores: networks of this
            package, and others that end in global pooling or Flatten, then Dense layers. Its
            weights are copied.
        input_shape: of the crop the network was made for, where its sides are None.

    Returns:
        A model from images (batch, height, width, channels), in the configured data format, to
        scores (batch, rows, columns, classes), channels last in either format. Where `model`
        ends in a softmax, every position does.

    Raises:
        ValueError: the model's sides are unknown, or it has a layer that cannot slide.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", classes=7)
    >>> dense = fully_convolutional(model)
    >>> tuple(dense(np.zeros((1, 64, 48, 3), "float32")).shape)
    (1, 9, 5, 7)
    """
    check(model)
    channels_first = channel_axis() == 1
    with deep_graph():
        fixed = model
        if input_shape is not None:
            fixed = keras.models.clone_model(model, input_tensors=keras.Input(input_shape))
        shape = list(fixed.input.shape[1:])
        if None in shape:
            raise ValueError(
                "The sides of the crop that the network was made for must be known: pass "
                f"input_shape, for example (224, 224, 3). Received: {tuple(shape)}"
            )
        sides = slice(1, 3) if channels_first else slice(0, 2)
        shape[sides] = [None, None]
        image = keras.Input(shape, name="image")
        graph = Graph(fixed)
        last = graph.maker[id(fixed.outputs[0])].operation
        dense = keras.models.clone_model(
            fixed, image, clone_function=lambda layer: sliding(graph, layer, layer is last)
        )
        for layer in model.layers:
            if layer.weights:
                copy_weights(layer, dense.get_layer(layer.name))
        scores = dense.output
        if channels_first:
            scores = layers.Permute((2, 3, 1), name="positions")(scores)
        if isinstance(last, layers.Dense):
            scores = layers.Activation(last.activation, dtype=last.dtype_policy, name="scores")(
                scores
            )
        return type(dense)(image, scores, name=f"{model.name}_dense")


def check(model) -> None:
    if not is_functional(model):
        raise ValueError(
            f"`model` must be a functional Keras model. Received: {type(model).__name__}"
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) != 4:
        raise ValueError(
            "`model` must take one image and give one vector of scores. Received: "
            f"{len(model.inputs)} inputs, {len(model.outputs)} outputs, input of shape "
            f"{model.inputs[0].shape}"
        )


def sliding(graph: Graph, layer, is_last: bool):
    """What stands for a layer of a crop's network in the one that slides."""
    for pooling, sliding_pooling in GLOBAL_POOLING.items():
        if isinstance(layer, pooling):
            window = height_and_width(layer.input.shape, layer.data_format)
            return sliding_pooling(window, 1, data_format=layer.data_format, name=layer.name)
    if isinstance(layer, layers.Flatten):
        return layers.Identity(name=layer.name)
    if isinstance(layer, layers.Dense):
        return convolution(graph, layer, is_last)
    if isinstance(layer, layers.InputLayer):
        return layer
    config = layer.get_config()
    if isinstance(layer, SpatialPyramidPooling):
        return SpatialPyramidPooling.from_config({**config, "window": window_side(layer)})
    if isinstance(layer, layers.AveragePooling2D | layers.MaxPooling2D):
        if height_and_width(layer.output.shape, layer.data_format) == (1, 1):
            config["strides"] = (1, 1)  # one window in the crop: neighbours are a pixel apart
    elif len(layer.output.shape) != 4:
        if not isinstance(layer, POINTWISE):
            raise ValueError(
                f"The layer {layer.name!r} ({type(layer).__name__}) cannot slide over an image: "
                "behind the last map only Flatten, Dense and layers of single units may follow, "
                "and SpatialPyramidPooling where channels are last"
            )
        if getattr(layer, "activation", None) is keras.activations.softmax:
            return layers.Softmax(channel_axis(), dtype=layer.dtype_policy, name=layer.name)
        reshape_for_maps(layer, config)
    return type(layer).from_config(config)


def window_side(layer: SpatialPyramidPooling) -> int:
    """Side of the map that a pyramid pools in a crop (arXiv:1502.01852, Sec. 3: 14)."""
    height, width = height_and_width(layer.input.shape, layer.data_format)
    if height != width:
        raise ValueError(
            f"The pyramid {layer.name!r} slides over square windows. Received: a crop whose map "
            f"has {height} x {width} pixels"
        )
    return height


def reshape_for_maps(layer, config: dict[str, Any]) -> None:
    """A layer of vectors (batch, units) as one of maps: units are channels."""
    if "axis" in config:
        config["axis"] = channel_axis()
    if isinstance(layer, layers.PReLU):
        config["shared_axes"] = [axis for axis in (1, 2, 3) if axis != channel_axis()]


def convolution(graph: Graph, layer: layers.Dense, is_last: bool) -> layers.Conv2D:
    """A fully connected layer as a convolution of the map that it was given whole."""
    if layer.lora_enabled or getattr(layer, "quantization_mode", None):
        raise ValueError(
            f"The layer {layer.name!r} has LoRA or quantized weights: merge or undo them first"
        )
    return layers.Conv2D(
        layer.units,
        window_of(graph, layer),
        # The last one's activation comes after channels are last.
        activation=None if is_last else layer.activation,
        use_bias=layer.use_bias,
        kernel_initializer="zeros",
        dtype=layer.dtype_policy,
        name=layer.name,
    )


def window_of(graph: Graph, layer) -> tuple[int, int]:
    """Sides of the map that a Dense layer gets flattened; (1, 1) behind pooling or Dense."""
    before = graph.before(graph.calls[layer][0], POINTWISE).operation
    if isinstance(before, layers.Flatten) and len(before.input.shape) == 4:
        return height_and_width(before.input.shape, before.data_format)
    return (1, 1)


def copy_weights(old, new) -> None:
    """Values of a layer in the shapes of the one that slides: a kernel's rows are a window."""
    values = old.get_weights()
    new.set_weights(
        [
            value.reshape(tuple(variable.shape))
            for value, variable in zip(values, new.weights, strict=True)
        ]
    )


def logits_model(model: keras.Model) -> tuple[keras.Model, Ending]:
    """A network up to its logits, where its graph shows them.

    Returns:
        The model, its last softmax taken off (weights copied); and what it ended in:
        `"softmax"`, `"linear"`, or `"unknown"`, the model then being as it was.
    """
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    if isinstance(last, layers.Dense | layers.Conv2D):
        if activation in (None, keras.activations.linear):
            return model, "linear"
        if activation is keras.activations.softmax:
            linear = type(last).from_config({**last.get_config(), "activation": "linear"})
            with deep_graph():
                logits = type(model)(model.input, linear(last.input), name=model.name)
            linear.set_weights(last.get_weights())
            return logits, "softmax"
    elif isinstance(last, layers.Softmax) or activation is keras.activations.softmax:
        with deep_graph():
            return type(model)(model.input, last.input, name=model.name), "softmax"
    return model, "unknown"


def positions(scores: np.ndarray) -> np.ndarray:
    """Scores (batch, classes) or (batch, rows, columns, classes) as (batch, positions, classes)."""
    return scores.reshape(len(scores), math.prod(scores.shape[1:-1]), scores.shape[-1])
