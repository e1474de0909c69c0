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
