"""Fig. 3 and Fig. 5: networks layer by layer, and one block with its shapes."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.figures.style import COLORS, GRAY, bare, new_figure
from keras_resnet.graph import channel_axis, height_and_width
from keras_resnet.models import build
from keras_resnet.network import required_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = re.compile(r"(conv\d+_\d+)_[a-z].*|(inception_\d[a-e])_.+")
# In inches: a layer, what separates blocks, a column.
HEIGHT, GAP, WIDTH = 0.21, 0.13, 2.1


@dataclass(frozen=True)
class Block:
    """Layers that are drawn together.

    Attributes:
        names: of the first and the last of the equal blocks that it stands for.
        layers: of F(x), as Fig. 3 writes them: `"3x3 conv, 64, /2"`.
        side: height and width of its output in pixels; None where it depends on the image.
        channels: of its output.
        shortcut: `"identity"`, `"projection"`, `"zeros"`, or empty where there is none.
        count: how many equal blocks it stands for.
    """

    names: tuple[str, str]
    layers: tuple[str, ...]
    side: tuple[int | None, int | None]
    channels: int
    shortcut: str = ""
    count: int = 1

    @property
    def height(self) -> float:
        return HEIGHT * len(self.layers) + GAP

    def __str__(self) -> str:
        first, last = self.names
        names = first if first == last else f"{first} to {last}, each"
        shortcut = f" and a shortcut by {self.shortcut}" if self.shortcut else ""
        return f"{names}: {', then '.join(self.layers)}{shortcut}"


@checked()
def architecture(*networks: str | keras.Model) -> "Figure":
    """Networks side by side, as in Fig. 3: layers from above, maps of one size at one height.

    Equal blocks that follow one another are drawn once, with their number. The line beside a
    block is its shortcut: solid for the identity, dotted where shapes change, by a projection
    (options B and C) or by zeros (option A). A module of GoogLeNet or BN-Inception is one box.

    Args:
        networks: names of `list_models()`, or models that are or hold a network of this package.

    Returns:
        A matplotlib figure; its label says the same in words. `save` writes it as PNG and SVG.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: none is given, an unknown name, or a model without such a network.

    Example:

    >>> figure = architecture("vgg19", "plain34", "resnet34")
    >>> [axes.get_title() for axes in figure.axes]
    ['vgg19', 'plain34', 'resnet34']
    """
    if not networks:
        raise ValueError("`networks` must be names or models. Received: none")
    columns = {model.name: merged(blocks_of(model)) for model in map(built, networks)}
    sides = {block.side for blocks in columns.values() for block in blocks}
    rows = {
        side: max(sum(b.height for b in blocks if b.side == side) for blocks in columns.values())
        for side in sorted(sides, key=area, reverse=True)
    }
    figure = new_figure(WIDTH * len(columns) + 0.5, sum(rows.values()) + 0.6)
    said = (f"{name}: {'; '.join(map(str, blocks))}." for name, blocks in columns.items())
    figure.set_label("\n".join(said))
    every_axes = figure.subplots(1, len(columns), squeeze=False)[0]
    for axes, (name, blocks) in zip(every_axes, columns.items(), strict=True):
        axes.set_title(name, fontweight="bold", fontsize=10)
        column(axes, blocks, rows)
    tops = [sum([*rows.values()][:number]) for number in range(len(rows))]
    every_axes[0].set_yticks(tops, map(shown, rows))
    every_axes[0].tick_params(left=False, labelsize=7.5, labelcolor=GRAY)
    return figure


def column(axes, blocks: list[Block], rows: dict[tuple[int | None, int | None], float]) -> None:
    """One network; `rows` has the height of each size of map."""
    bare(axes)
    axes.set(xlim=(-0.12, 1.35), ylim=(sum(rows.values()), -GAP))
    top, ends = 0.0, list[float]()
    for number, (side, height) in enumerate(rows.items()):
        shade = (top - GAP / 2, top + height - GAP / 2)
        axes.axhspan(*shade, color=GRAY, alpha=0.06 * (number % 2))
        drawn = [block for block in blocks if block.side == side]
        draw(drawn, axes, top, COLORS[number % 6])
        if drawn:
            ends += [top, top + sum(block.height for block in drawn) - GAP]
        top += height
    axes.plot([0.5, 0.5], [min(ends), max(ends)], color=GRAY, linewidth=0.8, zorder=1)


def draw(blocks: list[Block], axes, top: float, color: str) -> None:
    """One block under the other, from `top` on."""
    from matplotlib.patches import FancyArrowPatch, Rectangle

    for block in blocks:
        bottom = top + HEIGHT * len(block.layers)
        for number, text in enumerate(block.layers):
            start = top + HEIGHT * number
            axes.add_patch(
                Rectangle((0, start), 1, 0.86 * HEIGHT, fc="white", ec=color, lw=1.1, zorder=2)
            )
            axes.text(0.5, start + 0.43 * HEIGHT, text, ha="center", va="center", fontsize=7.5)
        if block.shortcut:
            ends = [(1, top - 0.3 * GAP), (1, bottom + 0.1 * GAP)]
            line: dict[str, Any] = {"linestyle": line_of(block), "lw": 1.1, "shrinkA": 0}
            line |= {"arrowstyle": "-|>", "mutation_scale": 7}
            axes.add_patch(FancyArrowPatch(*ends, connectionstyle="arc3,rad=-0.35", **line))
        if block.count > 1:
            middle = (top + bottom) / 2
            axes.text(1.16, middle, f"x {block.count}", va="center", fontsize=9, fontweight="bold")
        top += block.height


@checked()
def block_figure(network: str | keras.Model, block: str) -> "Figure":
    """One block, as in Fig. 2 and Fig. 5: F(x), the shortcut, their sum, and the shapes.

    Args:
        network: a name of `list_models()`, or a model that is or holds a network.
        block: its name, such as `"conv3_1"`.

    Returns:
        A matplotlib figure; its label says the same in words.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the network has no such block.

    Example:

    >>> block_figure("resnet50", "conv3_1").axes[0].get_title()
    'conv3_1 of resnet50'
    """
    model = built(network)
    found = {after.names[0]: (before, after) for before, after in pairwise(blocks_of(model))}
    if block not in found:
        raise ValueError(f"`block` must be one of {', '.join(found)}. Received: block={block!r}")
    before, drawn = found[block]
    layers = len(drawn.layers)
    figure = new_figure(4.4, 0.62 * layers + 1.9)
    figure.set_label(f"{drawn}, of {model.name}")
    axes = figure.subplots()
    bare(axes)
    axes.set(xlim=(-1.1, 2.3), ylim=(layers + 1.3, -1.5))
    axes.set_title(f"{block} of {model.name}", fontweight="bold", fontsize=11)
    stops = [-1.2, *range(layers), *([layers] if drawn.shortcut else []), layers + 1]
    ways = zip(pairwise(stops), rectified_after(model, block), strict=True)
    for (start, stop), rectified in ways:
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 9, "lw": 1.2}
        axes.annotate("", (0, stop), (0, start), arrowprops=arrow, zorder=1)
        if rectified:
            axes.text(0.1, start + 0.5, "ReLU", fontsize=8, color=GRAY, va="center")
    middle: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 2}
    for number, text in enumerate(drawn.layers):
        box = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": COLORS[0], "lw": 1.5}
        axes.text(0, number, text, bbox=box, fontsize=10, **middle)
    axes.text(0.1, -1.2, f"x: {before.channels} channels of {shown(before.side)}", fontsize=9)
    axes.text(0.1, layers + 1, f"{drawn.channels} channels of {shown(drawn.side)}", fontsize=9)
    if drawn.shortcut:
        way = ([0, 1.25, 1.25, 0], [-0.8, -0.8, layers, layers])
        axes.plot(*way, color=COLORS[1], linestyle=line_of(drawn), linewidth=1.6, zorder=0)
        axes.text(1.32, layers / 2 - 0.4, drawn.shortcut, color=COLORS[1], fontsize=10, va="center")
        circle = {"boxstyle": "circle,pad=0.12", "fc": "white"}
        axes.text(0, layers, "+", bbox=circle, fontsize=12, **middle)
        axes.text(-0.85, (layers - 1) / 2, "F(x)", fontsize=11, ha="right", va="center")
    return figure


def line_of(block: Block) -> Any:
    """Solid for an identity, dotted for a shortcut that changes the shape."""
    return "solid" if block.shortcut == "identity" else (0, (1, 1.2))


def rectified_after(model: keras.Model, block: str) -> list[bool]:
    """Whether a ReLU follows the input of a block, each of its layers, and its sum."""
    names = {layer.name for layer in model.layers}
    parts = [letter for letter in "abc" if f"{block}_{letter}" in names]
    inside = [f"{block}_{letter}_relu" in names for letter in parts]
    summed = isinstance(model.get_layer(block), keras.layers.ReLU) if block in names else False
    rectified = [f"{block}_preact_relu" in names, *inside]
    return [*rectified, summed] if f"{block}_add" in names else [*rectified[:-1], summed]


# ---- what is drawn --------------------------------------------------------------------------


def built(network: str | keras.Model) -> keras.Model:
    """The network of a name, or the one that a model is or holds."""
    return build(network) if isinstance(network, str) else required_network(network)


def blocks_of(model: keras.Model) -> list[Block]:
    """The blocks of a network and its other layers, in order."""
    layers = {layer.name: layer for layer in model.layers}
    inside: dict[str, list[str]] = {}
    for layer in model.layers:
        match = BLOCK.fullmatch(layer.name)
        name = (match[1] or match[2]) if match else layer.name
        if (text := text_of(layer)) and not (match and "_shortcut" in layer.name):
            inside.setdefault(name, []).append(text)
    return [block(name, texts, layers) for name, texts in inside.items()]


def block(name: str, texts: list[str], layers: dict[str, Any]) -> Block:
    shape = layers[name].output.shape
    channels = shape[channel_axis()] if len(shape) == 4 else shape[-1]
    if name.startswith("inception"):
        texts = [f"{name.replace('_', ' ')}, {channels}"]
    shortcut = ""
    if f"{name}_add" in layers or isinstance(layers[name], keras.layers.Add):
        changes = (kind for kind in ("shortcut", "zeros") if f"{name}_{kind}" in layers)
        shortcut = next(changes, "identity").replace("shortcut", "projection")
    side = height_and_width(shape) if len(shape) == 4 else (1, 1)
    return Block((name, name), tuple(texts), side, channels, shortcut)


def text_of(layer: Any) -> str:
    """A layer in a few words, as in Fig. 3; empty for one that is not drawn."""
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    kind = type(layer).__name__
    if kind == "Dense":
        return f"fc {layer.units}"
    if kind == "GlobalAveragePooling2D":
        return "avg pool"
    if kind == "SpatialPyramidPooling":
        return "spatial pyramid pool"
    drawn = hasattr(layer, "kernel") or not BLOCK.fullmatch(layer.name)
    if kernel is None or not drawn or len(kernel) != 2:
        return ""
    what = "conv" if hasattr(layer, "kernel") else "avg pool" if "Average" in kind else "max pool"
    text = f"{kernel[0]}x{kernel[1]} {what}"
    text += f", {layer.output.shape[channel_axis()]}" if what == "conv" else ""
    text += f", {layer.groups} groups" if getattr(layer, "groups", 1) > 1 else ""
    text += f", /{layer.strides[0]}" if layer.strides[0] > 1 else ""
    dilation = getattr(layer, "dilation_rate", (1,))[0]
    return text + (f", dilated {dilation}" if dilation > 1 else "")


def merged(blocks: list[Block]) -> list[Block]:
    """Equal blocks that follow one another as one."""
    found: list[Block] = []
    for new in blocks:
        last = found[-1] if found else None
        if last and last == replace(new, names=last.names, count=last.count):
            found[-1] = replace(last, names=(last.names[0], new.names[0]), count=last.count + 1)
        else:
            found.append(new)
    return found


def area(side: tuple[int | None, int | None]) -> float:
    return float("inf") if None in side else side[0] * side[1]  # type: ignore[operator]


def shown(side: tuple[int | None, int | None]) -> str:
    return "any size" if None in side else f"{side[0]} x {side[1]}"
