"""What all pictures share: colours, figures that belong to no window, files in two formats."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from keras_resnet.files import atomic_write
from keras_resnet.files.arguments import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers (https://jfly.uni-koeln.de/color).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MISTAKE = "#D55E00"
GREY = "#666666"


@checked()
def new_figure(width: float, height: float) -> "Figure":
    """A figure that belongs to no window and to no global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            'Pictures are drawn with matplotlib: pip install "keras3-resnet[recipes]"'
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


@checked()
def save(figure: "Figure", stem: str | os.PathLike, dpi: int = 150) -> list[Path]:
    """Writes a figure as `stem`.png and `stem`.svg, each whole or not at all.

    Args:
        figure: of matplotlib.
        stem: path without a suffix. Folders on the way to it are made.
        dpi: pixels per inch of the PNG.

    Returns:
        The two paths.
    """
    paths = [Path(f"{os.fspath(stem)}.{suffix}") for suffix in ("png", "svg")]
    for path in paths:
        with atomic_write(path) as temporary:
            figure.savefig(temporary, dpi=dpi)
    return paths


def bare(axes) -> None:
    """A picture without ticks or frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
