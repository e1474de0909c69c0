"""What is exported: Keras' own layers, folded, in one precision, from pixels if asked."""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_resnet.exporting.copying import copied, functional, is_channels_first, same, stock
from keras_resnet.exporting.fold import fold_batch_norm
from keras_resnet.exporting.formats import FORMATS
from keras_resnet.graph import all_layers, deep_graph, height_and_width, is_graph, layer_calls
from keras_resnet.images.preprocessing import Preprocessing, known_resampling, whole_levels
from keras_resnet.weights.records import ImageRule

INPUT = "image"
# Layers of Keras that augment in training and do nothing else; a RandomCrop crops in inference.
AUGMENTATION = tuple(
    getattr(keras.layers, name)
    for name in dir(keras.layers)
    if name.startswith("Random") and name != "RandomCrop"
)


def checked_model(model: Any) -> keras.Model:
    """The model as a functional one, if it has one input and every layer can be written down.

    Raises:
        ValueError: it cannot be exported; the message says why.
    """
    source = functional(model)
    if len(source.inputs) != 1:
        names = ", ".join(x.name for x in source.inputs)
        raise ValueError(f"`model` must have one input. Received: {source.name!r} with {names}")
    check_portable(source)
    return source


def check_portable(model: keras.Model) -> None:
    """Raises ValueError where a layer is more than its class, config and weights."""
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Lambda):
            raise ValueError(
                f"The layer {layer.name!r} is a Lambda: its Python code cannot be written down "
                "safely. Use a layer of keras.layers or an operation of keras.ops instead"
            )
        package = type(layer).__module__.split(".")[0]
        if package not in ("keras", "keras_resnet") and not is_graph(layer):
            raise ValueError(
                f"The layer {layer.name!r} is of a class of your own, {type(layer).__module__}."
                f"{type(layer).__name__}, which a program that loads the file does not have. "
                "Build the model of layers of keras.layers and operations of keras.ops"
            )


def check_sides(model: keras.Model, format: str) -> None:
    """Raises ValueError where a format cannot have images of any size, as the model has."""
    shape = model.inputs[0].shape[1:]
    if None in shape and not FORMATS[format].any_size:
        others = ", ".join(name for name, row in FORMATS.items() if row.any_size)
        raise ValueError(
            f"Format {format!r} is for images of one size ({others} are for any). Pass "
            f"image_size=(height, width). Received: images of {tuple(shape)}"
        )
    ours = [x.name for x in all_layers(model) if type(x).__module__.startswith("keras_resnet.")]
    if format == "keras" and ours:
        raise ValueError(
            "Keras' own layers resize and pool images of one size only: pass image_size=(height, "
            f"width) for format 'keras'. Received: a model with {', '.join(ours)}"
        )


def with_image_size(model: keras.Model, image_size: Any) -> keras.Model:
    """The model itself, or a copy of it for images of that size."""
    shape = tuple(model.inputs[0].shape[1:])
    wanted = sized(shape, image_size, is_channels_first(model))
    if wanted == shape:
        return model
    check_maps(model, wanted)
    return copied(model, same, image=keras.Input(wanted, dtype=model.inputs[0].dtype, name=INPUT))


def check_maps(model: keras.Model, shape: tuple[int | None, ...]) -> None:
    """Raises ValueError where images of a shape leave a layer but one pixel to halve."""
    image = keras.KerasTensor((None, *shape), model.inputs[0].dtype)
    padded: dict[int, Any] = {}
    try:
        calls = [*layer_calls(model, [image])]
    except ValueError as error:
        raise ValueError(f"{model.name!r} cannot take images of {shape}: {error}") from error
    for layer, x, y in calls:
        if isinstance(layer, keras.layers.ZeroPadding2D):
            padded[id(y)] = x
        steps = getattr(layer, "strides", ())
        if not isinstance(layer, keras.layers.Layer) or len(steps) != 2:
            continue
        before = height_and_width(padded.get(id(x), x).shape, layer.data_format)
        after = height_and_width(y.shape, layer.data_format)
        if any(step > 1 and a == b == 1 for step, a, b in zip(steps, before, after, strict=True)):
            raise ValueError(
                f"Images must be larger for {model.name!r}: {layer.name!r} is to take one pixel "
                f"of {max(steps)} and has but one. Received: images of {shape}"
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


def without_augmentation(model: keras.Model) -> keras.Model:
    """The model itself, or a copy without the layers that act in training only."""
    if not any(isinstance(layer, AUGMENTATION) for layer in all_layers(model)):
        return model
    return copied(
        model,
        lambda layer: None if isinstance(layer, AUGMENTATION) else same(layer),
        without_augmentation,
    )


def prepared(
    model: keras.Model, fold: bool, policy: str, rule: ImageRule | None, image_size: Any
) -> keras.Model:
    """The model that is written, from an input named `image`.

    With a rule it takes uint8 pixels (batch, height, width, 3) of `image_size`, or of any size,
    and resizes, crops and normalizes them itself.
    """
    model = without_augmentation(model)
    plain = stock(fold_batch_norm(model, strict=False) if fold else model, policy)
    if rule is None:
        x = image = keras.Input(model.inputs[0].shape[1:], dtype=model.inputs[0].dtype, name=INPUT)
    else:
        image = keras.Input(sized((None, None, 3), image_size, False), dtype="uint8", name=INPUT)
        x = preprocessed(image, rule_for(model, rule))
        if None in model.inputs[0].shape[1:]:
            check_maps(model, tuple(x.shape[1:]))
        x = ops.transpose(x, (0, 3, 1, 2)) if is_channels_first(model) else x
    with deep_graph():
        return keras.Model(image, plain(x), name=model.name)


def rule_for(model: keras.Model, rule: ImageRule) -> ImageRule:
    """The rule with the size of the model's input, where that is known."""
    shape = tuple(model.inputs[0].shape[1:])
    sides = shape[1:] if is_channels_first(model) else shape[:2]
    if None in sides or rule.size is None:
        return rule
    if len(set(sides)) > 1:
        raise ValueError(
            f"`preprocessing` makes square images. Received: a model of images of {shape}"
        )
    return dataclasses.replace(rule, size=sides[0])


def preprocessed(image, rule: ImageRule):
    """From pixels to what a model of channels last reads, in Keras' layers if the size is known."""
    height, width = image.shape[1:3]
    if height is None or width is None:
        return Preprocessing(rule, data_format="channels_last", name="preprocessing")(image)
    x = ops.cast(image, "float32")
    if rule.size is not None:
        for side, length, equation, shape in (
            ("columns", width, "bhwc,wo->bhoc", (height, rule.size, 3)),
            ("rows", height, "bhwc,ho->bowc", (rule.size, rule.size, 3)),
        ):
            name = f"resize_{side}"
            resize = keras.layers.EinsumDense(equation, shape, name=name, dtype="float32")
            x = whole_levels(resize(x))
            resize.kernel.assign(known_resampling(length, min(height, width), rule).T)
    variance = [std**2 for std in rule.std]
    return keras.layers.Normalization(-1, rule.mean, variance, name="normalize", dtype="float32")(x)
