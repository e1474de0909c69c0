"""What is exported: Keras' own layers, folded, in one precision, from pixels if asked."""

from typing import Any

import keras
from keras import ops

from keras_resnet.exporting.fold import fold_batch_norm
from keras_resnet.exporting.rewrite import (
    functional,
    is_channels_first,
    resized,
    stock,
)
from keras_resnet.graph import deep_graph, is_functional
from keras_resnet.images.preprocessing import Preprocessing, known_resampling, whole_levels
from keras_resnet.weights.records import ImageRule

INPUT = "image"


def image_shape(model: keras.Model) -> tuple[int | None, ...]:
    """The shape of one input of a model with a single one.

    Raises:
        ValueError: it has several.
    """
    if len(model.inputs) != 1:
        names = ", ".join(x.name for x in model.inputs)
        raise ValueError(f"`model` must have one input. Received: {model.name!r} with {names}")
    return tuple(model.inputs[0].shape[1:])


def check_portable(model: keras.Model) -> None:
    """Raises ValueError where a layer is more than its class, config and weights."""
    for layer in model.layers:
        if is_functional(layer) or isinstance(layer, keras.Sequential):
            check_portable(layer)
            continue
        module = type(layer).__module__.split(".")[0]
        if isinstance(layer, keras.layers.Lambda):
            raise ValueError(
                f"The layer {layer.name!r} is a Lambda: its Python code cannot be written down "
                "safely. Use a layer of keras.layers or an operation of keras.ops instead"
            )
        if module not in ("keras", "keras_resnet"):
            raise ValueError(
                f"The layer {layer.name!r} is of a class of your own, "
                f"{type(layer).__module__}.{type(layer).__name__}, which whoever loads the file "
                "does not have. Build the model of layers of keras.layers and operations of "
                "keras.ops"
            )


def sized(shape: tuple, image_size: Any, channels_first: bool) -> tuple[int | None, ...]:
    """The shape of an image with other sides: an integer, (height, width), or None to keep."""
    if image_size is None:
        return shape
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    try:
        height, width = sides
        good = all(isinstance(side, int) and side > 0 for side in (height, width))
    except (TypeError, ValueError):
        good = False
    if not good or len(shape) != 3:
        raise ValueError(
            "`image_size` must be a side or (height, width) in pixels, of a model of images. "
            f"Received: image_size={image_size!r}"
        )
    return (shape[0], height, width) if channels_first else (height, width, shape[2])


def prepared(
    model: keras.Model,
    fold: bool,
    dtype: str,
    rule: ImageRule | None,
    image_size: Any,
) -> keras.Model:
    """The model that is written, from an input named `image`.

    With a rule it takes uint8 pixels (batch, height, width, 3) of `image_size`, or of any size,
    and resizes, crops and normalises them itself.
    """
    graph = functional(model)
    shape = image_shape(graph)
    channels_first = is_channels_first(graph)
    if fold:
        graph = fold_batch_norm(graph, strict=False)
    if rule is None:
        image = keras.Input(shape, dtype=graph.inputs[0].dtype, name=INPUT)
        x = image
    else:
        image = keras.Input(sized((None, None, 3), image_size, False), dtype="uint8", name=INPUT)
        x = preprocessed(image, rule, shape, channels_first)
    plain = stock(graph, dtype)
    check_portable(plain)
    with deep_graph():
        return keras.Model(image, plain(x), name=model.name)


def with_image_size(model: keras.Model, image_size: Any) -> keras.Model:
    """The model itself, or a copy of it for images of that size."""
    shape = image_shape(model)
    wanted = sized(shape, image_size, is_channels_first(model))
    if wanted == shape:
        return model
    return resized(model, keras.Input(wanted, dtype=model.inputs[0].dtype, name=INPUT))


def rule_for(rule: ImageRule, shape: tuple, channels_first: bool) -> ImageRule:
    """The rule with the size of the model's input, where that is known."""
    import dataclasses

    sides = shape[1:] if channels_first else shape[:2]
    if None in sides or rule.size is None:
        return rule
    if len(set(sides)) > 1:
        raise ValueError(
            f"`preprocessing` makes square images. Received: a model of images of {shape}"
        )
    return dataclasses.replace(rule, size=sides[0])


def preprocessed(image, rule: ImageRule, shape: tuple, channels_first: bool):
    """From pixels to what the model reads, in Keras' own layers where the size is known."""
    rule = rule_for(rule, shape, channels_first)
    height, width = image.shape[1:3]
    if height is None or width is None:
        x = Preprocessing(rule, data_format="channels_last", name="preprocessing")(image)
    else:
        x = ops.cast(image, "float32")
        if rule.size is not None:
            shorter = min(height, width)
            for side, length, equation in (
                ("columns", width, "bhwc,wo->bhoc"),
                ("rows", height, "bhwc,ho->bowc"),
            ):
                matrix = known_resampling(length, shorter, rule)
                sides = (height, rule.size) if side == "columns" else (rule.size, rule.size)
                resize = keras.layers.EinsumDense(
                    equation, (*sides, 3), name=f"resize_{side}", dtype="float32"
                )
                x = whole_levels(resize(x))
                resize.kernel.assign(matrix.T)
        variance = [std**2 for std in rule.std]
        x = keras.layers.Normalization(-1, rule.mean, variance, name="normalise", dtype="float32")(
            x
        )
    return ops.transpose(x, (0, 3, 1, 2)) if channels_first else x
