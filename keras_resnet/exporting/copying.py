"""Copies of functional models, layer by layer, with some layers exchanged."""

from collections.abc import Callable
from typing import Any

import keras
from keras.layers import Layer

from keras_resnet import layers as ours
from keras_resnet.graph import Graph, channel_axis, deep_graph, is_functional, is_graph, leaf_layers
from keras_resnet.network import Network

# Keras' own layers, which a file has in place of ours, and layers that are written out as the
# operations they consist of.
STOCK = {
    ours.Conv2D: keras.layers.Conv2D,
    ours.BatchNormalization: keras.layers.BatchNormalization,
    ours.AveragePooling2D: keras.layers.AveragePooling2D,
    ours.MaxPooling2D: keras.layers.MaxPooling2D,
    ours.ReLU: keras.layers.ReLU,
}
WRITTEN_OUT = (ours.LocalResponseNormalization, ours.SpatialPyramidPooling)


def first_of(args):
    return keras.tree.flatten(args)[0]


def functional(model: Any) -> keras.Model:
    """An uncompiled functional model that shares the layers of a functional or Sequential one.

    Raises:
        ValueError: the model is of another kind, or a Sequential model that has not been built.
    """
    Graph(model)
    if not is_functional(model):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    model_class = type(model) if isinstance(model, Network) else keras.Model
    with deep_graph():
        return model_class(model.input, model.output, name=model.name)


def is_channels_first(model: keras.Model) -> bool:
    """Whether the first convolution has channels first; the configured format if there is none."""
    for _, layer in leaf_layers(model):
        if isinstance(layer, keras.layers.Conv2D):
            return layer.data_format == "channels_first"
    return channel_axis() == 1


def same(layer: Layer, **changes: Any) -> Layer:
    """A new layer of the same class and config, except for the changes."""
    return type(layer).from_config({**layer.get_config(), **changes})


def copy_values(old: Layer, new: Layer) -> None:
    """Sets every weight of `new`, in memory of its own: JAX donates that of a model it runs."""
    for before, after in zip(old.weights, new.weights, strict=True):
        after.assign(keras.ops.copy(before))


def copied(
    model: keras.Model,
    make: Callable[[Layer], Layer | None] = same,
    nested: Callable[[keras.Model], keras.Model] | None = None,
    fill: Callable[[Layer, Layer], None] = copy_values,
    image: keras.KerasTensor | None = None,
    is_written_out: Callable[..., bool] = lambda layer, *inputs: False,
) -> keras.Model:
    """A copy of a model.

    Args:
        model: a functional or Sequential model.
        make: from a layer to the one that replaces it, or None to leave it out.
        nested: from a model among the layers to its copy, with values; as `copied` by default.
        fill: sets the values of a layer that `make` made from those of the old one.
        image: a new input, where it is not to be like the old one.
        is_written_out: whether a new layer, on these inputs, is replaced by its operations.
    """
    pairs: list[tuple[Layer, Layer]] = []
    left_out: set[int] = set()

    def clone(layer):
        if is_graph(layer):
            return (nested or copied)(layer)
        if not isinstance(layer, Layer):
            return layer  # an operation of keras.ops has no state
        new = make(layer)
        if new is None:
            new = keras.layers.Identity()
            left_out.add(id(new))
        else:
            pairs.append((layer, new))
        return new

    def call(layer, *args, **kwargs):
        if id(layer) in left_out:
            return first_of(args)
        if isinstance(layer, keras.layers.Dropout):  # ours reads what is drawn too
            args = (first_of(args),)
        if kwargs.get("mask", layer) is None:
            del kwargs["mask"]  # which a layer in another's place may not know
        return layer.call(*args) if is_written_out(layer, *args) else layer(*args, **kwargs)

    with deep_graph():
        copy = keras.models.clone_model(
            functional(model), image, clone_function=clone, call_function=call
        )
    for old, new in pairs:
        if new.built:
            fill(old, new)
    return copy


def stock(model: keras.Model, policy: str | None = None) -> keras.Model:
    """The model made of Keras' own layers, which any Keras loads without this package.

    Only a spatial pyramid over maps of any size remains: how its bins are cut depends on the size.

    Args:
        model: a functional or Sequential model.
        policy: name of a dtype policy for all layers but those that make an output, which are
            float32 then; None keeps each layer's own.
    """
    graph = Graph(model)
    ends = {graph.maker[output].operation for output in graph.outputs}

    def make(layer):
        changes = {} if policy is None else {"dtype": "float32" if layer in ends else policy}
        layer_class, config = STOCK.get(type(layer), type(layer)), layer.get_config()
        if isinstance(layer, ours.DropPath):
            layer_class, config["noise_shape"] = keras.layers.Dropout, (None, 1, 1, 1)
            del config["branch"]
        return layer_class.from_config({**config, **changes})

    def is_written_out(layer, *inputs):
        return type(layer) in WRITTEN_OUT and None not in inputs[0].shape[1:]

    plain = copied(model, make, lambda layer: stock(layer, policy), is_written_out=is_written_out)
    with deep_graph():
        return keras.Model(plain.input, plain.output, name=model.name)
