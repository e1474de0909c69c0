"""A confusion matrix as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_resnet.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 20  # classes whose counts are still legible in their cells


def matrix_figure(matrix: np.ndarray, names: Sequence[str]) -> "Figure":
    """True classes down, predicted ones across; cells are shares of the true class.

    Args:
        matrix: counts (true, predicted).
        names: of the classes.

    Raises:
        ImportError: matplotlib is not installed.
    """
    classes = len(names)
    side = min(9.0, 2.6 + 0.42 * classes)
    figure = new_figure(side + 0.8, side)
    axes = figure.subplots()
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(shares, cmap="cividis", vmin=0, vmax=100)
    figure.colorbar(shown, ax=axes, label="of the true class (%)", shrink=0.8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if classes <= 2 * MOST_NUMBERS:
        axes.set_xticks(
            range(classes),
            names,
            rotation=45 if max(map(len, names)) > 2 else 0,
            ha="right" if max(map(len, names)) > 2 else "center",
        )
        axes.set_yticks(range(classes), names)
    if classes <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                colour = "black" if shares[row, column] > 55 else "white"
                axes.text(column, row, str(count), ha="center", va="center", color=colour, size=8)
    axes.spines[:].set_visible(False)
    return figure
