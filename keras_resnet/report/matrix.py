"""A confusion matrix as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_resnet.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 20  # classes whose counts are still legible in their cells


def matrix_figure(matrix: np.ndarray, names: Sequence[str]) -> "Figure":
    """True classes down, predicted ones across; colors are shares of the true class.

    Few classes have counts in their cells, and fit the width of a phone.

    Args:
        matrix: counts (true, predicted).
        names: of the classes.

    Raises:
        ImportError: matplotlib is not installed.
    """
    classes = len(names)
    counted = classes <= MOST_NUMBERS
    side = 1.1 + 0.3 * classes if counted else min(9.0, 2.6 + 0.3 * classes)
    figure = new_figure(side if counted else side + 0.8, side)
    axes = figure.subplots()
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(shares, cmap="cividis", vmin=0, vmax=100)
    if not counted:
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
    if counted:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                color = "black" if shares[row, column] > 55 else "white"
                axes.text(column, row, str(count), ha="center", va="center", color=color, size=8)
    axes.spines[:].set_visible(False)
    return figure
