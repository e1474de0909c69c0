"""The networks that can be built by name, and what they cost; importing this loads no Keras."""

import fnmatch
import functools
import json
import pathlib
from dataclasses import dataclass

from keras_resnet.networks.paper import TABLE_1, TABLE_6
from keras_resnet.networks.systems import NETWORKS, PRINTED

# Counts of built models, which `python tools/golden.py` writes and tests compare with new ones.
FAMILY = pathlib.Path(__file__).with_name("family.json")


@dataclass(frozen=True)
class Costs:
    """Parameters that train, all parameters, and multiply-adds for one image."""

    trainable: int
    total: int
    macs: int


def list_models(pattern: str | None = None) -> list[str]:
    """The names `build` knows, or those that match a shell pattern.

    Any 6n+2 depth of the CIFAR families can be built too; the paper's own are listed.

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
    if isinstance(names, str) or not all(name in family() for name in names):
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
        published(name),
    )


def published(name: str) -> str:
    """What its paper prints for this network; Table 1 has residual and plain nets in one."""
    row = NETWORKS[name]
    if row.preactivated or row.family != "resnet":
        return PRINTED.get(name, "")
    if row.stem == "imagenet":
        printed = row.shortcut is not None or row.depth in (18, 34)
        return f"{TABLE_1[row.depth][-1] / 1e9:.1f} G multiply-adds" if printed else ""
    return f"{TABLE_6[row.depth][0] / 1e6:.3g} M parameters" if row.shortcut else ""


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
