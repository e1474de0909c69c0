"""Class activation maps: where on an image a network sees a class."""

from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.figures.maps import COLOR_MAP, responses_to
from keras_resnet.figures.style import bare, new_figure
from keras_resnet.graph import backwards, exposed
from keras_resnet.network import network_in

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked()
def class_activation_map(
    model: keras.Model, image: np.ndarray, label: int | None = None
) -> tuple[np.ndarray, int]:
    """How much each position of the last map adds to the logit of a class.

    Zhou et al. 2016 (https://arxiv.org/abs/1512.04150): the last map weighted by the class's
    row of the fully connected layer. Its mean plus the bias is the logit.

    Args:
        model: a network that ends in global average pooling and one fully connected layer, or a
            model that is built around one, at any depth.
        image: one image, (height, width, channels), normalized as the model takes it.
        label: of the class; None takes the likeliest.

    Returns:
        The map, float32 (rows, columns), and the label.

    Raises:
        ValueError: the model ends otherwise, or there is no such class.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8")
    >>> class_activation_map(model, np.ones((32, 32, 3), "float32"), label=3)[0].shape
    (8, 8)
    """
    last, pooled = head_of(model)
    (last_map,) = responses_to(model, image, [pooled])
    kernel = np.asarray(last.get_weights()[0], "float32")
    if label is None:
        bias = last.get_weights()[1] if last.use_bias else 0.0
        label = int((last_map.mean(axis=(0, 1)) @ kernel + bias).argmax())
    if not 0 <= label < kernel.shape[1]:
        raise ValueError(f"`label` must be from 0 to {kernel.shape[1] - 1}. Received: {label!r}")
    return last_map @ kernel[:, label], label


def head_of(model: keras.Model):
    """The last layer, and what it sees the mean of. Dropout does nothing to a trained network.

    Raises:
        ValueError: the model does not end so.
    """
    network_in(model)  # several in one model are an error
    way = ((node, calls) for node, calls in backwards(model) if not is_dropout(node.operation))
    last = next(way)[0].operation
    for node, calls in way:
        pools = isinstance(node.operation, keras.layers.GlobalAveragePooling2D)
        if pools and isinstance(last, keras.layers.Dense):
            return last, exposed(calls, node.input_tensors[0])
        break
    raise ValueError(
        "`model` must end in global average pooling and a fully connected layer to have a "
        f"class activation map. Received: {model.name!r}"
    )


def is_dropout(operation) -> bool:
    return isinstance(operation, keras.layers.Dropout)


@checked()
def activation_figure(picture: np.ndarray, found: np.ndarray, title: str) -> "Figure":
    """An image beside itself under its class activation map.

    Args:
        picture: the image, (height, width) or (height, width, 3), to be shown.
        found: the map, of any size; it is enlarged to the picture.
        title: what the class is.

    Raises:
        ImportError: matplotlib is not installed.
    """
    picture = np.asarray(picture).squeeze()
    gray = picture if picture.ndim == 2 else picture.mean(axis=2)
    figure = new_figure(8, 3.5 * picture.shape[0] / picture.shape[1] + 0.6)
    left, right = figure.subplots(1, 2)
    height, width = picture.shape[:2]
    left.imshow(picture, cmap="gray" if picture.ndim == 2 else None)
    right.imshow(gray, cmap="gray")
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    heat = right.imshow(found, cmap=COLOR_MAP, alpha=0.6, extent=extent, interpolation="bilinear")
    for axes in (left, right):
        bare(axes)
    figure.colorbar(heat, ax=right, label="adds to the logit", shrink=0.85)
    figure.suptitle(title, fontweight="bold")
    return figure
