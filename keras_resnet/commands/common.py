"""What several commands need: how they are declared, columns, and JSON."""

import argparse
import json
import textwrap
from collections.abc import Callable, Sequence
from typing import Any


def command(
    commands, name: str, help: str, run: Callable[[argparse.Namespace], None], examples: str
) -> argparse.ArgumentParser:
    """A sub-command that `run` runs: what it does in half a sentence, and command lines."""
    shown = textwrap.indent(textwrap.dedent(examples).strip(), "  ")
    parser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def aligned(rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """Columns for a terminal: those titled `numbers` to the right, words to the left.

    Args:
        rows: the titles, then a row for each line.
        numbers: titles of the columns of numbers.

    Example:

    >>> print(aligned([("network", "layers"), ("a", "20"), ("b", "1202")], ["layers"]))
    network  layers
    a            20
    b          1202
    """
    titles = rows[0]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if title in numbers else cell.ljust(width)
            for title, cell, width in zip(titles, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def network_name(text: str) -> str:
    """A name that can be built, as argparse wants it: the error says what there is."""
    from keras_resnet.networks.systems import network_row

    try:
        network_row(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def sides(text: str) -> tuple[int, int]:
    """`224` or `480x640`: height and width."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(
            f"takes a side or HEIGHTxWIDTH in pixels. Received: {text!r}"
        )
    return int(parts[0]), int(parts[-1])


def positive(text: str) -> int:
    """A positive integer."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"takes a positive integer. Received: {text!r}")
    return int(text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a model with weights."""
    parser.add_argument("network", help="a name that `list` prints, or the path of a .keras file")
    parser.add_argument(
        "--weights",
        metavar="SET",
        help="a set that `weights` prints, a file of weights, or none (default: the best set)",
    )


def model_of(options: argparse.Namespace):
    """The model that `add_model`'s arguments name, and the record of its weights, if any.

    Raises:
        ValueError: neither a network nor a model's file.
    """
    from keras_resnet.networks.systems import network_row

    pixels = getattr(options, "pixels", None)
    if options.network.endswith(".keras"):
        from keras_resnet.evaluation.opening import saved_model

        return saved_model(options.network), pixels if isinstance(pixels, str) else None
    row = network_row(options.network)
    from keras_resnet.models import build
    from keras_resnet.weights.find import find, record_named
    from keras_resnet.weights.records import Record

    if isinstance(pixels, str):
        named = record_named(pixels)
        if options.weights is None:
            return build(options.network, weights=named), named
        return build(options.network, weights=options.weights, **named.options), named
    wanted = None if options.weights == "none" else options.weights or best_weights(options.network)
    found = find(wanted, row)
    return build(options.network, weights=wanted), found if isinstance(found, Record) else None


def best_weights(network: str) -> str:
    """`"imagenet"` where the network has that, else the first of its public sets.

    Raises:
        ValueError: there is none.
    """
    from keras_resnet.weights.find import has_imagenet_weights, list_weights

    if has_imagenet_weights(network):
        return "imagenet"
    records = list_weights(network)
    if not records:
        raise ValueError(
            "There are no public weights of this network: pass --weights FILE or --weights none. "
            f"Received: {network!r}"
        )
    return records[0].name
