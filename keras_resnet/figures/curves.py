"""Training and test error of networks, as in Fig. 1, 4 and 6."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_resnet.figures.style import COLOURS, GREY, new_figure
from keras_resnet.files.arguments import checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked()
def training_curves(
    panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
    most: float = 100,
) -> "Figure":
    """Training error (solid) and test error (dashed), panels side by side as in Fig. 1, 4 and 6.

    Args:
        panels: from the title of a panel to its networks; from the name of a network to its
            history, which holds two lists of equal length, `"training_error"` and
            `"test_error"`, in per cent after epochs 1, 2, ...; with `"step"`, a third
            list, after so many steps. Networks take the same colours, in order, in every panel.
        most: error at the top of the axis, in per cent; the paper's Fig. 6 ends at 20.

    Returns:
        A matplotlib figure. `figure.savefig(path)` writes it.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: there is nothing to draw, a history lacks one of the two lists, or only
            some have steps.

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
    stepwise = ["step" in history for history in histories]
    if any(stepwise) and not all(stepwise):
        raise ValueError(
            "Either all histories have 'step' or none. Received: "
            f"{sum(stepwise)} of {len(stepwise)}"
        )
    figure = new_figure(1.2 + 4.2 * len(panels), 4.8)
    every_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, networks) in zip(every_axes, panels.items(), strict=True):
        for colour, (name, history) in zip(COLOURS * len(networks), networks.items(), strict=False):
            draw_history(axes, name, history, colour)
        axes.set_xlabel("iterations" if any(stepwise) else "epoch")
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        add_title_and_names(axes, title)
    every_axes[0].set_ylabel("error (%)")
    every_axes[0].set_ylim(0, most)
    every_axes[0].xaxis.get_major_locator().set_params(integer=True)
    if any(stepwise):
        every_axes[0].set_xlim(left=0)
        every_axes[0].xaxis.set_major_formatter(lambda steps, _: f"{steps:,.0f}")
    add_line_styles(figure)
    return figure


def check_history(history) -> None:
    keys = ["training_error", "test_error", *(["step"] if "step" in history else [])]
    lengths = {len(history.get(key, ())) for key in keys}
    if lengths == {0} or len(lengths) > 1:
        raise ValueError(
            "A history must hold 'training_error' and 'test_error', one number for every epoch, "
            "and 'step' as many or none. "
            f"Received: {dict(history)!r}"
        )


def draw_history(axes, name, history, colour) -> None:
    epochs = history.get("step") or range(1, len(history["training_error"]) + 1)
    training, test = history["training_error"], history["test_error"]
    label = f"{name} ends at {training[-1]:.1f} % (test {test[-1]:.1f} %)"
    only = "o" if len(epochs) == 1 else None  # a line through one point cannot be seen
    style = {"color": colour, "linewidth": 2, "marker": only, "clip_on": True}
    axes.plot(epochs, training, label=label, **style)
    axes.plot(epochs, test, linestyle=(0, (4, 2)), markerfacecolor="white", **style)


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
