"""What the layers of a network make of an image."""

import difflib
import math
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.figures.style import GRAY, bare, new_figure
from keras_resnet.graph import all_layers, calls_to, deep_graph, exposed, input_of
from keras_resnet.network import endpoints, network_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOR_MAP = "viridis"  # even steps of lightness, for color-blind readers and in print


def responses_to(model: keras.Model, image: np.ndarray, tensors: list) -> list[np.ndarray]:
    """What each symbolic tensor of `model` is for one image, as (height, width, channels)."""
    image = np.asarray(image)
    if image.ndim != 3:
        raise ValueError(f"`image` must be one image of 3 axes. Received: shape {image.shape}")
    with deep_graph():
        found = keras.Model(input_of(model), tensors)(image[None], training=False)
    arrays = [
        keras.ops.convert_to_numpy(keras.ops.cast(array, "float32"))[0]
        for array in keras.tree.flatten(found)
    ]
    if keras.config.image_data_format() == "channels_first":
        arrays = [np.moveaxis(array, 0, -1) if array.ndim == 3 else array for array in arrays]
    return arrays


@checked()
def feature_maps(model: keras.Model, image: np.ndarray, layer: str, most: int = 64) -> "Figure":
    """The channels of a named layer as a grid: each its own scale, dark least, bright most.

    Args:
        model: a functional model, or one that holds a network of this package at any depth.
        image: one image, (height, width, channels), normalized as the model takes it.
        layer: the name of one of its layers, or of one of the network inside it, such as
            `"conv3_1_a"` or `"conv4_2"`.
        most: channels to draw, the first ones.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is no such layer, or its output is no map.
    """
    names = [found.name for found in all_layers(model)]
    network = None if layer in (x.name for x in model.layers) else network_in(model)
    holder = network or model
    try:
        found = holder.get_layer(layer)  # also by its name in keras.applications
    except ValueError:
        near = ", ".join(difflib.get_close_matches(layer, names, 8, 0))
        raise ValueError(
            f"`layer` must be one of {len(names)} layers of {model.name!r}, such as {near}. "
            f"Received: layer={layer!r}"
        ) from None
    (maps,) = responses_to(model, image, [exposed(calls_to(model, holder), found.output)])
    if maps.ndim != 3:
        raise ValueError(f"The output of {layer!r} is no map. Received: shape {maps.shape}")
    channels = min(most, maps.shape[-1])
    columns = min(8, math.ceil(math.sqrt(channels))) if channels < 32 else 8
    figure, every_axes = grid(channels, columns, 0.85)
    for channel, axes in enumerate(every_axes):
        axes.imshow(maps[..., channel], cmap=COLOR_MAP, interpolation="nearest")
    shown = "" if channels == maps.shape[-1] else f", {channels} of them shown"
    figure.suptitle(f"{layer}\n{described(maps)}{shown}", fontweight="bold", fontsize=11)
    return figure


def grid(count: int, columns: int, inches: float) -> tuple["Figure", list]:
    """A figure of `count` squares in rows, each `inches` wide."""
    rows = math.ceil(count / columns)
    figure = new_figure(inches * columns + 0.4, inches * rows + 0.9)
    every_axes = [*figure.subplots(rows, columns, squeeze=False).flat]
    for axes in every_axes:
        bare(axes)
    return figure, every_axes[:count]


def described(maps: np.ndarray) -> str:
    height, width, channels = maps.shape
    return f"{channels} channels of {height}x{width}"


@checked()
def stages_figure(
    model: keras.Model, image: np.ndarray, picture: np.ndarray | None = None, columns: int = 8
) -> "Figure":
    """One picture across conv1, conv2_x, ...: maps shrink and channels grow with depth.

    Args:
        model: a network of this package.
        image: one image, normalized as the model takes it.
        picture: the same image to be shown, (height, width) or (height, width, 3).
        columns: channels of each stage, those that respond most strongly to the image.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the model has no such stages.
    """
    ends = {name: end for name, end in endpoints(model).items() if len(end.shape) == 4}
    every_map = responses_to(model, image, list(ends.values()))
    first = 0 if picture is None else 1
    rows = len(ends) + first
    figure = new_figure(1.05 * columns + 1.9, 1.12 * rows + 0.2)
    every_axes = figure.subplots(rows, columns, squeeze=False)
    for axes in every_axes.flat:
        bare(axes)
    if picture is not None:
        show(every_axes[0][0], picture)
        label(every_axes[0][0], "image", f"{picture.shape[0]}x{picture.shape[1]} pixels")
    for axes_of_stage, name, maps in zip(every_axes[first:], ends, every_map, strict=True):
        strongest = np.argsort(-maps.mean(axis=(0, 1)), kind="stable")[:columns]
        for axes, channel in zip(axes_of_stage, strongest, strict=False):
            axes.imshow(maps[..., channel], cmap=COLOR_MAP, interpolation="nearest")
        label(axes_of_stage[0], name, described(maps).replace(" of ", "\nof "))
    return figure


def label(axes, name: str, details: str) -> None:
    """To the left of the first picture of a row."""
    where = {"xycoords": "axes fraction", "ha": "right", "annotation_clip": False}
    axes.annotate(name, (-0.12, 0.62), va="bottom", fontweight="bold", **where)
    axes.annotate(details, (-0.12, 0.56), va="top", fontsize=8, color=GRAY, **where)


def show(axes, picture: np.ndarray) -> None:
    """An image in colors, or a gray one."""
    picture = np.asarray(picture).squeeze()
    axes.imshow(picture, cmap="gray" if picture.ndim == 2 else None)


@checked()
def first_layer_filters(model: keras.Model, layer: str | None = None) -> "Figure":
    """The kernels of the first convolution, in colors where it sees three channels.

    Args:
        model: a functional or Sequential model, and those within it.
        layer: the convolution's name; None takes the first one.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is no such layer, or it has no kernels of 1 or 3 channels.
    """
    kernel: np.ndarray = np.zeros(0)
    for found in all_layers(model):
        if isinstance(found, keras.layers.Conv2D) and layer in (None, found.name):
            layer, kernel = found.name, found.get_weights()[0]
            break
    if kernel.ndim != 4 or kernel.shape[2] not in (1, 3):
        raise ValueError(
            f"`layer` must be a convolution of 1 or 3 channels. Received: layer={layer!r} with a "
            f"kernel of shape {kernel.shape}"
        )
    filters = kernel.shape[3]
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    figure, every_axes = grid(filters, math.ceil(math.sqrt(filters * 1.6)), 0.75)
    colors = {"cmap": "gray", "vmin": 0, "vmax": 1} if kernel.shape[2] == 1 else {}
    for number, axes in enumerate(every_axes):
        scaled = 0.5 + 0.5 * kernel[..., number] / max(largest[number], 1e-12)
        axes.imshow(scaled.squeeze(), interpolation="nearest", **colors)
    size = f"{kernel.shape[0]}x{kernel.shape[1]}"
    figure.suptitle(
        f"{layer}: {filters} filters of {size}\nmiddle gray is 0, each filter on its own scale",
        fontweight="bold",
        fontsize=10,
    )
    return figure
