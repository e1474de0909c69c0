"""The networks that can be built by name, and what they cost; importing this loads no Keras."""

import difflib
import fnmatch
import functools
import json
import pathlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from keras_resnet.networks.paper import (
    TABLE_1,
    TABLE_6,
    Architecture,
    cifar,
    deep,
    imagenet,
    preactivation,
    resnext,
    wide,
)
from keras_resnet.networks.systems import VGG, BNInception, GoogLeNet, PReLUNet, System


@dataclass(frozen=True)
class Entry:
    """A network that can be built by name.

    Args:
        row: what it is.
        builder: the public name of its builder; empty where only `build` makes it.
        source: whose network it is.
        printed: what its paper prints of its size.
    """

    row: Any
    builder: str = ""
    source: str = "The paper's"
    printed: str = ""

    @property
    def blurb(self) -> str:
        """The network in a sentence."""
        row = self.row
        if row.family != "resnet":
            return f"{self.source}: {row.depth} layers, {row.kind}."
        shortcut = f"residual network, shortcut option {row.shortcut}"
        kind = shortcut if row.shortcut else "plain network"
        return f"{self.source} {row.depth}-layer {kind}: {row.kind} blocks."


RESNEXT, WIDE = "ResNeXt (arXiv:1611.05431), a", "Wide ResNet (arXiv:1605.07146), a"
LATER_DEPTHS = "As timm has it, a"
RESNET_CD = "ResNet-C or -D (arXiv:1812.01187), a"
# timm's, the second of the depth of arXiv:1603.05027.
RESNET26 = replace(imagenet(50), blocks=(2, 2, 2, 2), stride_on="3x3")
RESNET200 = replace(preactivation(200), order="original", stride_on="3x3")
PAPER_VGG, PAPER_PRELU = "VGG (arXiv:1409.1556)", "PReLU-net (arXiv:1502.01852)"
FLOPS = {depth: f"{flops / 1e9:.1f} G multiply-adds" for depth, (*_, flops) in TABLE_1.items()}

# The one place that a network is declared in. Its builder, its help, `list_models` and the tables
# of the documentation come from here; `python tools/golden.py family` then counts it.
# fmt: off
TABLE: dict[str, Entry] = {
    entry.row.name: entry
    for entry in (
        *(Entry(imagenet(n), f"ResNet{n}", printed=FLOPS[n]) for n in TABLE_1),
        # Table 1 has these in one column with the residual networks.
        *(Entry(imagenet(n, None), f"Plain{n}", printed=FLOPS[n]) for n in (18, 34)),
        *(Entry(imagenet(n, None)) for n in (50, 101, 152)),
        *(Entry(cifar(n), f"ResNet{n}", printed=f"{parameters / 1e6:.3g} M parameters")
          for n, (parameters, _) in TABLE_6.items()),
        *(Entry(cifar(n, None), f"Plain{n}") for n in TABLE_6 if n < 1202),
        *(Entry(preactivation(n), source="Pre-activation (arXiv:1603.05027), a")
          for n in (*TABLE_1, 110, 164, 200, 1001)),
        *(Entry(replace(imagenet(n), order="v2"), f"ResNet{n}V2", "The V2 of keras.applications, a")
          for n in (50, 101, 152)),
        *(Entry(resnext(n, groups, width), f"ResNeXt{n}_{groups}x{width}d", RESNEXT)
          for n, groups, width in ((50, 32, 4), (101, 32, 4), (101, 32, 8), (101, 32, 16),
                                   (101, 32, 32), (101, 64, 4), (152, 32, 4))),
        *(Entry(Architecture("bottleneck", (3, 3, 3), 64, "cifar", "B", "original", groups, 64,
                             "3x3"), f"ResNeXt29_{groups}x64d", RESNEXT, f"{millions} M parameters")
          for groups, millions in ((8, 34.4), (16, 68.1))),
        *(Entry(resnext(n, 1, 128), f"WideResNet{n}_2", WIDE) for n in (50, 101)),
        *(Entry(wide(n, k), f"WideResNet{n}_{k}", WIDE, f"{millions} M parameters")
          for n, k, millions in ((16, 8, 11.0), (28, 10, 36.5), (40, 4, 8.9))),
        *(Entry(row, f"ResNet{row.depth}", LATER_DEPTHS) for row in (RESNET26, RESNET200)),
        *(Entry(deep(imagenet(n), "conv"), f"ResNet{n}C", RESNET_CD) for n in (50, 101, 152)),
        *(Entry(deep(row, "avg"), f"ResNet{row.depth}D", RESNET_CD)
          for row in (*map(imagenet, TABLE_1), RESNET26, RESNET200)),
    )
} | {
    "vgg11": Entry(VGG((1, 1, 2, 2, 2)), "VGG11", PAPER_VGG, "133 M parameters"),
    "vgg11_lrn": Entry(VGG((1, 1, 2, 2, 2), lrn=True), "", PAPER_VGG, "133 M parameters"),
    "vgg13": Entry(VGG((2, 2, 2, 2, 2)), "VGG13", PAPER_VGG, "133 M parameters"),
    "vgg16_1x1": Entry(VGG((2, 2, 3, 3, 3), last_is_1x1=True), "", PAPER_VGG, "134 M parameters"),
    "vgg16": Entry(VGG((2, 2, 3, 3, 3)), "VGG16", PAPER_VGG, "138 M parameters"),
    "vgg19": Entry(VGG((2, 2, 4, 4, 4)), "VGG19", PAPER_VGG, "144 M parameters"),
    "googlenet": Entry(GoogLeNet(), "GoogLeNet", "GoogLeNet (arXiv:1409.4842)",
                       "1.5 G multiply-adds"),
    "prelu_net_a": Entry(PReLUNet((5, 5, 5), (256, 512, 512)), "PReLUNetA", PAPER_PRELU,
                         "19.0 G multiply-adds"),
    "prelu_net_b": Entry(PReLUNet((6, 6, 6), (256, 512, 512)), "PReLUNetB", PAPER_PRELU,
                         "23.2 G multiply-adds"),
    "prelu_net_c": Entry(PReLUNet((6, 6, 6), (384, 768, 896)), "PReLUNetC", PAPER_PRELU,
                         "53.0 G multiply-adds"),
    "bn_inception": Entry(BNInception(), "BNInception", "BN-Inception (arXiv:1502.03167)",
                          "13.6 M parameters"),
}
# fmt: on
NETWORKS: dict[str, Any] = {name: entry.row for name, entry in TABLE.items()}
# Of each builder the network that it builds.
BUILDERS: dict[str, str] = {entry.builder: name for name, entry in TABLE.items() if entry.builder}
# Families of any depth: the prefix of a name, and the row of a depth.
ANY_DEPTH = {"cifar_resnet": cifar, "cifar_plain": lambda depth: cifar(depth, None)}


def network_row(network) -> Any:
    """The row behind a name of `list_models()` or of any 6n+2 depth, or the row itself.

    Raises:
        ValueError: there is no such network; the message suggests the nearest.

    Example:

    >>> network_row("vgg16").convolutions
    (2, 2, 3, 3, 3)
    >>> network_row("cifar_resnet98").blocks
    (16, 16, 16)
    """
    if isinstance(network, Architecture | System):
        return network
    if isinstance(network, str) and network in NETWORKS:
        return NETWORKS[network]
    match = re.fullmatch(r"(cifar_\w+?)(\d{1,6})", str(network))
    if match and match[1] in ANY_DEPTH:
        return ANY_DEPTH[match[1]](int(match[2]))
    spelled = {name.replace("_", ""): name for name in NETWORKS}
    asked = str(network).lower().replace("-", "").replace("_", "")
    near = [key for key in spelled if key in (asked, f"cifar{asked}")]
    near = near or difflib.get_close_matches(asked, spelled, 3, 0.75)
    hint = f"Did you mean {' or '.join(repr(spelled[key]) for key in near)}? " if near else ""
    raise ValueError(
        f"Unknown network. Received: {network!r}. {hint}Known: {', '.join(NETWORKS)}, "
        "and any cifar_resnetN or cifar_plainN with N = 6n+2"
    )


def narrowed(row, width: int):
    """The same network with `width` filters in its first layers, and all others in proportion.

    PReLU-nets, whose first layer has fewer than they are named after, count their first stage.

    Example:

    >>> narrowed(network_row("vgg16"), 8).units
    512
    """
    part = width / (row.filters[0] if isinstance(row, PReLUNet) else row.width)

    def in_proportion(count):
        if isinstance(count, tuple):
            return tuple(map(in_proportion, count))
        return count and max(1, round(part * count))

    scaled = {"width", "width_per_group", "filters", "conv1", "units"}
    names = {field.name for field in fields(row)} & scaled
    return replace(row, **{name: in_proportion(getattr(row, name)) for name in names})


def in_short(names: Iterable[str]) -> str:
    """Names of networks, those that differ in their depth alone together.

    Example:

    >>> in_short(["resnet18", "resnet34", "vgg11", "googlenet"])
    'resnet18, 34; vgg11; googlenet'
    """
    series: dict[str, list[str]] = {}
    for name in names:
        kind, depth = re.fullmatch(r"(\D+)(\d+)|.*", name).groups()  # type: ignore[union-attr]
        series.setdefault(kind or name, []).append(depth or "")
    return "; ".join(
        f"{kind}{', '.join(sorted(depths, key=lambda depth: int(depth or 0)))}"
        for kind, depths in series.items()
    )


# Counts of built models, which `python tools/golden.py` writes and tests compare with new ones.
FAMILY = pathlib.Path(__file__).with_name("family.json")


@dataclass(frozen=True)
class Costs:
    """What a network costs.

    Attributes:
        trainable, total: parameters that train, and all parameters.
        macs: multiply-adds for one image.
    """

    trainable: int
    total: int
    macs: int


def list_models(pattern: str | None = None) -> list[str]:
    """The names `build` knows, or those that match a shell pattern.

    Any 6n+2 depth of the CIFAR families can be built too; the paper's own are listed.

    Args:
        pattern: such as `"plain*"`; None lists all.

    Raises:
        ValueError: the pattern is not a string.

    Example:

    >>> list_models("plain*")
    ['plain18', 'plain34', 'plain50', 'plain101', 'plain152']
    """
    if not isinstance(pattern, str | None):
        raise ValueError(f"`pattern` must be a string or None. Received: pattern={pattern!r}")
    return [name for name in NETWORKS if fnmatch.fnmatchcase(name, pattern or "*")]


@functools.cache
def family() -> dict[str, Costs]:
    """The costs of every network of `list_models()`, without building one."""
    return {name: Costs(**row) for name, row in json.loads(FAMILY.read_text()).items()}


COLUMNS = ("network", "layers", "blocks", "shortcut", "parameters", "multiply-adds", "paper")


def summary_rows(names: list[str] | tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    """What `summary_table` prints: one tuple a network, in the order of `COLUMNS`."""
    names = list(NETWORKS) if names is None else names
    if not isinstance(names, list | tuple) or not all(map(list(family()).__contains__, names)):
        raise ValueError(
            f"`names` must be a list of names of list_models(): {', '.join(family())}. "
            f"Received: names={names!r}"
        )
    return [summary_row(name) for name in names]


def summary_row(name: str) -> tuple[str, ...]:
    row, costs = NETWORKS[name], family()[name]
    return (
        name,
        str(row.depth),
        row.kind,
        row.shortcut or "none",
        f"{costs.trainable:,}",
        f"{costs.macs / 1e9:.3f} G" if costs.macs >= 1e9 else f"{costs.macs / 1e6:.1f} M",
        TABLE[name].printed,
    )


def summary_table(names: list[str] | tuple[str, ...] | None = None) -> str:
    """The family as a Markdown table, with exact counts and the paper's own.

    Args:
        names: networks of `list_models()`, all of them by default.

    Returns:
        Lines of Markdown: name, layers, blocks, shortcut option, trainable parameters,
        multiply-adds for one image of the paper's size, and what the paper prints.

    Raises:
        ValueError: a name that is not in `list_models()`.

    Example:

    >>> import keras_resnet
    >>> print(keras_resnet.summary_table(["resnet50"]).splitlines()[-1])
    | resnet50 | 50 | 3+4+6+3 bottleneck | B | 25,557,032 | 3.858 G | 3.8 G multiply-adds |
    """
    rule = ("---", "---:", "---", "---", "---:", "---:", "---")
    return "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, rule, *summary_rows(names)))
