"""Charts of runs: images per second, a panel for each group."""

import hashlib
import json
import pathlib

from benchmarks.common.records import OTHER_COLOR, OURS_COLOR
from benchmarks.training import results
from benchmarks.training.catalog import OURS
from keras_resnet.common.files import atomic_write


def bars(group: dict) -> list[tuple[str, float, float, float, bool]]:
    """Of each measured entry: label, median, lowest, highest, and whether it is ours."""
    found = [
        (
            f"{results.label(one)}, {one['dtype']}",
            results.rate(one),
            min(one["rates"]),
            max(one["rates"]),
            one["contender"].startswith(OURS),
        )
        for one in group["entries"]
        if one["rates"]
    ]
    return sorted(found, key=lambda bar: bar[1])


def digest(groups: list[dict], caption: str) -> str:
    """Changes when anything that the chart of these groups shows does."""
    shown = [(results.group_title(group), bars(group)) for group in groups]
    return hashlib.sha256(json.dumps([shown, caption]).encode()).hexdigest()[:16]


def draw(groups: list[dict], path: pathlib.Path, caption: str) -> None:
    """Writes a PNG with one panel for each group that has a measured entry.

    Args:
        groups: as runs record them.
        path: of the PNG; what it shows is marked in its metadata, for `digest_of`.
        caption: hardware and date, under the panels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(results.group_title(group), bars(group)) for group in groups]
    shown = [(title, lines) for title, lines in shown if lines]
    heights = [len(lines) + 1.2 for _, lines in shown]
    figure = Figure(figsize=(9, 0.32 * sum(heights) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(shown), squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, lines) in zip(panels, shown, strict=True):
        labels, medians, lowest, highest, ours = zip(*lines, strict=True)
        spread = (
            [median - low for median, low in zip(medians, lowest, strict=True)],
            [high - median for median, high in zip(medians, highest, strict=True)],
        )
        colors = [OURS_COLOR if one else OTHER_COLOR for one in ours]
        drawn = axes.barh(labels, medians, xerr=spread, color=colors, capsize=2)
        axes.bar_label(drawn, [f" {median:.3g}" for median in medians], fontsize=8)
        axes.set_title(title, fontsize=10, loc="left")
        axes.tick_params(labelsize=8)
        axes.margins(x=0.12)
        axes.spines[["top", "right"]].set_visible(False)
    meaning = "images/s: median of the rounds, and their range"
    figure.supxlabel(f"{meaning} ({caption})", fontsize=8)
    with atomic_write(path) as half:
        figure.savefig(
            half, format="png", dpi=120, metadata={"Description": digest(groups, caption)}
        )


def digest_of(path: pathlib.Path) -> str | None:
    """What `digest` was of the groups a PNG shows; None where there is no such PNG."""
    from PIL import Image

    if not path.exists():
        return None
    with Image.open(path) as image:
        return image.info.get("Description")
