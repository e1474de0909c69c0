"""Images with what a network takes them for."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_resnet.figures.style import GREY, MISTAKE, new_figure
from keras_resnet.files.arguments import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked(columns=(1, math.inf))
def predictions(
    images: np.ndarray,
    true: Sequence[int] | np.ndarray,
    predicted: Sequence[int] | np.ndarray,
    *,
    title: str = "",
    rows: int = 4,
    columns: int = 10,
) -> "Figure":
    """Images with the class predicted and the true one; mistakes come first and are marked.

    Args:
        images: of shape (n, height, width), grey, of any range; the largest value is ink.
        true: n class labels.
        predicted: n class labels.
        title: what the images are and who predicted; a count of the mistakes follows it.
        rows: of the picture, at most.
        columns: of the picture.

    Returns:
        A matplotlib figure of all mistakes that fit, then of right ones in the order given.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there are no images, or not as many labels as images.

    Example:

    >>> figure = predictions(np.zeros((2, 8, 8)), [3, 4], [3, 9])
    >>> figure.axes[0].get_title()
    'predicted 9\\ntrue 4'
    """
    images, true, predicted = np.asarray(images), np.asarray(true), np.asarray(predicted)
    if images.ndim != 3 or not len(images) or not len(images) == len(true) == len(predicted):
        raise ValueError(
            "`images` must be of shape (n, height, width) with n labels in `true` and in "
            f"`predicted`. Received: shapes {images.shape}, {true.shape} and {predicted.shape}"
        )
    wrong = predicted != true
    order = np.argsort(~wrong, kind="stable")[: rows * columns]
    rows = math.ceil(len(order) / columns)
    figure = new_figure(1.05 * columns, 1.45 * rows + 0.5)
    every_axes = figure.subplots(rows, columns, squeeze=False).flat
    for axes, index in zip(every_axes, order, strict=False):
        draw_prediction(axes, images[index], true[index], predicted[index])
    for axes in every_axes[len(order) :]:
        axes.remove()
    counted = f"{wrong.sum()} of {len(wrong)} mistaken"
    figure.suptitle(": ".join(filter(None, [title, counted])), fontweight="bold")
    return figure


def draw_prediction(axes, image, true, predicted) -> None:
    axes.imshow(image, cmap="gray_r")
    axes.set_xticks([])
    axes.set_yticks([])
    mistaken = predicted != true
    colour, weight = (MISTAKE, "bold") if mistaken else (GREY, "normal")
    label = f"predicted {predicted}\ntrue {true}"
    axes.set_title(label, color=colour, fontweight=weight, fontsize=9.5)
    axes.spines[:].set(color=colour, linewidth=3.5 if mistaken else 0.8)
