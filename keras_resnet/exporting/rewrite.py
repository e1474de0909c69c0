"""Copies of functional models, layer by layer, with some layers exchanged."""

from collections.abc import Callable
from typing import Any

import keras

from keras_resnet import layers as ours
from keras_resnet.graph import deep_graph, is_functional, nodes_of
from keras_resnet.network import Network

# What a file has instead of our layers: Keras' own, and the operations others are written in.
STOCK = {
    ours.Conv2D: keras.layers.Conv2D,
    ours.BatchNormalization: keras.layers.BatchNormalization,
    ours.MaxPooling2D: keras.layers.MaxPooling2D,
}
WRITTEN_OUT = (ours.LocalResponseNormalization, ours.SpatialPyramidPooling)


def functional(model: Any) -> keras.Model:
    """The model as an uncompiled functional one that shares its layers.

    Raises:
        ValueError: it is of another kind, or a Sequential model that has not been built.
    """
    wanted = "`model` must be a functional or Sequential Keras model"
    if isinstance(model, keras.Sequential):
        if not model.built:
            raise ValueError(f"{wanted} that has been built. Received: {model.name!r}, not built")
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not is_functional(model):
        raise ValueError(f"{wanted}. Received: {type(model).__name__}")
    model_class = type(model) if isinstance(model, Network) else keras.Model
    with deep_graph():
        return model_class(model.input, model.output, name=model.name)


def is_channels_first(model: keras.Model) -> bool:
    """Whether the first layer that cares has channels first; the configured format if none."""
    for layer in model.layers:
        if is_functional(layer):
            return is_channels_first(layer)
        if isinstance(layer, keras.layers.Conv2D):
            return layer.data_format == "channels_first"
    return keras.config.image_data_format() == "channels_first"


def copied(
    model: keras.Model,
    make: Callable[[keras.layers.Layer], keras.layers.Layer | None],
    fill: Callable[[keras.layers.Layer, keras.layers.Layer], None],
    image: keras.KerasTensor | None = None,
    write_out: Callable[..., bool] = lambda layer, *inputs: False,
) -> keras.Model:
    """A copy of a functional model.

    Args:
        model: what `functional` returned.
        make: from a layer to the one that stands in its place, or None to leave it out.
        fill: sets the values of a layer that `make` made from those of the old one.
        image: a new input, where it is not to be like the old one.
        write_out: whether the operations of a layer, a new one, come in its place.
    """
    pairs: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []
    left_out: set[int] = set()

    def clone(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer  # an operation of keras.ops has no state
        new = make(layer)
        if new is None:
            new = keras.layers.Identity()
            left_out.add(id(new))
        pairs.append((layer, new))
        return new

    def call(layer, *args, **kwargs):
        if id(layer) in left_out:
            return args[0]
        if kwargs.get("mask", layer) is None:
            del kwargs["mask"]  # which a layer in another's place may not know
        return layer.call(*args) if write_out(layer, *args) else layer(*args, **kwargs)

    with deep_graph():
        copy = keras.models.clone_model(model, image, clone_function=clone, call_function=call)
    for old, new in pairs:
        if id(new) not in left_out and new.built:
            fill(old, new)
    return copy


def same(layer: keras.layers.Layer, **changes: Any) -> keras.layers.Layer:
    """A new layer of the same class and config, but for the changes."""
    return type(layer).from_config({**layer.get_config(), **changes})


def keep_values(old: keras.layers.Layer, new: keras.layers.Layer) -> None:
    """Every weight as it was, in memory of its own: JAX gives up that of a model it runs."""
    for before, after in zip(old.weights, new.weights, strict=True):
        after.assign(keras.ops.copy(before))


def resized(model: keras.Model, image: keras.KerasTensor) -> keras.Model:
    """The model on images of another size."""

    def make(layer):
        nested = is_functional(layer) or isinstance(layer, keras.Sequential)
        return keras.models.clone_model(layer) if nested else same(layer)

    return copied(functional(model), make, keep_values, image)


def stock(model: keras.Model, policy: str | None = None) -> keras.Model:
    """The model made of Keras' own layers, which any Keras loads without this package.

    Only a spatial pyramid over maps of any size stays what it is: how its bins are cut depends
    on the size.

    Args:
        model: a functional or Sequential model.
        policy: name of a dtype policy for all layers but those that make an output, which are
            float32 then; None keeps each layer's own.
    """
    graph = functional(model)
    last = {id(x) for x in graph.outputs}
    ends = {node.operation for node in nodes_of(graph) if last & set(map(id, node.output_tensors))}

    def make(layer):
        if is_functional(layer) or isinstance(layer, keras.Sequential):
            return stock(layer, policy)
        changes = {} if policy is None else {"dtype": "float32" if layer in ends else policy}
        layer_class = STOCK.get(type(layer), type(layer))
        return layer_class.from_config({**layer.get_config(), **changes})

    def fill(old, new):
        if not is_functional(new):
            keep_values(old, new)

    def write_out(layer, *inputs):
        return type(layer) in WRITTEN_OUT and None not in inputs[0].shape[1:]

    plain = copied(graph, make, fill, write_out=write_out)
    with deep_graph():
        return keras.Model(plain.input, plain.output, name=model.name)
