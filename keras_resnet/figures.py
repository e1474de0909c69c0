"""Pictures of training and of predictions. matplotlib is imported where it is used."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers (https://jfly.uni-koeln.de/color).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MISTAKE = "#D55E00"
GREY = "#666666"


def new_figure(width: float, height: float) -> "Figure":
    """A figure that belongs to no window and to no global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            'Pictures are drawn with matplotlib: pip install "keras3-resnet[recipes]"'
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def training_curves(
    panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
) -> "Figure":
    """Training error (solid) and test error (dashed) by epoch, panels side by side as in Fig. 6.

    Args:
        panels: from the title of a panel to its networks; from the name of a network to its
            history, which holds two lists of equal length, `"training_error"` and
            `"test_error"`, in per cent after epochs 1, 2, ... Networks take the same colours,
            in order, in every panel.

    Returns:
        A matplotlib figure. `figure.savefig(path)` writes it.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is nothing to draw, or a history lacks one of the two lists.

    Example:

    >>> history = {"training_error": [50.0, 20.0], "test_error": [55.0, 30.0]}
    >>> figure = training_curves({"plain networks": {"plain-20": history}})
    >>> [axes.get_legend().get_title().get_text() for axes in figure.axes]
    ['plain networks']
    """
    histories = [history for networks in panels.values() for history in networks.values()]
    if not histories:
        raise ValueError(f"`panels` must hold at least one history. Received: panels={panels!r}")
    for history in histories:
        check_history(history)
    figure = new_figure(1.2 + 4.2 * len(panels), 4.8)
    every_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, networks) in zip(every_axes, panels.items(), strict=True):
        for colour, (name, history) in zip(COLOURS * len(networks), networks.items(), strict=False):
            draw_history(axes, name, history, colour)
        axes.set_xlabel("epoch")
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        add_title_and_names(axes, title)
    every_axes[0].set_ylabel("error (%)")
    every_axes[0].set_ylim(0, 100)
    every_axes[0].xaxis.get_major_locator().set_params(integer=True)
    add_line_styles(figure)
    return figure


def check_history(history) -> None:
    lengths = [len(history.get(key, ())) for key in ("training_error", "test_error")]
    if not lengths[0] or lengths[0] != lengths[1]:
        raise ValueError(
            "A history must hold 'training_error' and 'test_error', one number for every epoch. "
            f"Received: {dict(history)!r}"
        )


def draw_history(axes, name, history, colour) -> None:
    epochs = range(1, len(history["training_error"]) + 1)
    training, test = history["training_error"], history["test_error"]
    label = f"{name} ends at {training[-1]:.1f} % (test {test[-1]:.1f} %)"
    only = "o" if len(epochs) == 1 else None  # a line through one point cannot be seen
    style = {"color": colour, "linewidth": 2, "marker": only, "clip_on": False}
    axes.plot(epochs, training, label=label, **style)
    axes.plot(epochs, test, linestyle=(0, (4, 2)), **style)


def add_title_and_names(axes, title) -> None:
    """Above the axes, where no curve can run into them."""
    bold = {"weight": "bold", "size": "large"}
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.4}
    axes.legend(title=title, title_fontproperties=bold, alignment="left", frameon=False, **above)


def add_line_styles(figure) -> None:
    """What solid and dashed mean, once for all panels."""
    from matplotlib.lines import Line2D

    solid = Line2D([], [], color=GREY, linewidth=2, label="training error")
    dashed = Line2D([], [], color=GREY, linewidth=2, linestyle=(0, (4, 2)), label="test error")
    figure.legend(handles=[solid, dashed], loc="outside lower center", ncols=2, frameon=False)


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
