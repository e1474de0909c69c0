"""`keras-resnet list`: the models that can be built by name."""

import argparse

from keras_resnet.commands.common import aligned
from keras_resnet.networks.family import (
    COLUMNS,
    NETWORKS,
    family,
    list_models,
    summary_rows,
    summary_table,
)
from keras_resnet.networks.paper import Architecture

EXAMPLES = """
keras-resnet list
keras-resnet list "cifar_*"
keras-resnet list --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", help='a shell pattern, for example "cifar_*"')
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")


def run(options: argparse.Namespace) -> tuple[list[dict], str]:
    names = list_models(options.pattern)
    if not names:
        raise ValueError(
            f"No network matches. Received: {options.pattern!r}. Known: {', '.join(list_models())}"
        )
    numbers = ("layers", "parameters", "multiply-adds")
    table = (
        summary_table(names)
        if options.markdown
        else aligned([COLUMNS, *summary_rows(names)], numbers)
    )
    return [as_record(name) for name in names], table


def as_record(name: str) -> dict:
    """One network, with numbers that are not formatted."""
    row, costs = NETWORKS[name], family()[name]
    residual = isinstance(row, Architecture)
    return {
        "network": name,
        "family": row.family,
        "layers": row.depth,
        "block": row.block if residual else None,
        "blocks": list(row.blocks) if residual else None,
        "shortcut": row.shortcut,
        "image_size": row.size,
        "parameters": costs.trainable,
        "multiply_adds": costs.macs,
    }
