"""`keras-resnet list`: the networks that can be built by name."""

import argparse

from keras_resnet.commands.common import add_json, aligned, command, print_json
from keras_resnet.networks.family import COLUMNS, family, list_models, summary_rows, summary_table
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.systems import NETWORKS


def add(commands) -> None:
    parser = command(
        commands,
        "list",
        "the networks that can be built by name, and what they cost",
        run,
        """
        keras-resnet list
        keras-resnet list "cifar_*"
        keras-resnet list --json
        """,
    )
    parser.add_argument("pattern", nargs="?", help='a shell pattern, for example "cifar_*"')
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    names = list_models(options.pattern)
    if not names:
        raise ValueError(
            f"No network matches. Received: {options.pattern!r}. Known: {', '.join(list_models())}"
        )
    if options.json:
        print_json([as_record(name) for name in names])
    elif options.markdown:
        print(summary_table(names))
    else:
        numbers = ("layers", "parameters", "multiply-adds")
        print(aligned([COLUMNS, *summary_rows(names)], numbers))


def as_record(name: str) -> dict:
    """One network, with plain numbers."""
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
