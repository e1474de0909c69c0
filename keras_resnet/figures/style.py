"""What all pictures share: colors, figures that belong to no window, files in two formats."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which color-blind readers can distinguish (https://jfly.uni-koeln.de/color).
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MISTAKE = "#D55E00"
GRAY = "#666666"
# What each kind of file calls its description.
DESCRIPTION = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}


@checked()
def new_figure(width: float, height: float) -> "Figure":
    """A figure that belongs to no window and to no global state.

    Args:
        width, height: in inches.

    Raises:
        ImportError: matplotlib is not installed.
    """
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

    The figure's label, where it has one, stands in the files as their description.

    Args:
        figure: of matplotlib.
        stem: path without a suffix; or the path of one `.png`, `.svg` or `.pdf` file. Folders on
            the way to it are made.
        dpi: pixels per inch of the PNG.

    Returns:
        The paths of the files.
    """
    path = Path(stem)
    one = path.suffix in DESCRIPTION
    paths = [path] if one else [Path(f"{path}{suffix}") for suffix in (".png", ".svg")]
    for path in paths:
        label = str(figure.get_label())
        with atomic_write(path) as temporary:
            said = {DESCRIPTION[path.suffix]: label} if label else {}
            figure.savefig(temporary, dpi=dpi, metadata=said)
    return paths


def bare(axes) -> None:
    """A picture without ticks or frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
