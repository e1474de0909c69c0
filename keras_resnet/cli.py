"""`keras-resnet`: the package from a terminal. Each sub-command is a function below."""

import argparse
import sys
from collections.abc import Sequence

from keras_resnet.costs import COLUMNS, summary_rows, summary_table
from keras_resnet.models import list_models


def parser() -> argparse.ArgumentParser:
    """All sub-commands and their flags; a command's function is its `run`."""
    main = argparse.ArgumentParser(
        prog="keras-resnet",
        description="Deep residual networks in Keras 3, on TensorFlow, JAX and PyTorch.",
    )
    commands = main.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_list(commands)
    return main


def add_list(commands) -> None:
    command = commands.add_parser(
        "list",
        help="the networks that can be built by name, and what they cost",
        description="Prints the networks that can be built by name, and what they cost.",
    )
    command.add_argument("pattern", nargs="?", help='a shell pattern, for example "cifar_*"')
    command.add_argument("--markdown", action="store_true", help="print a Markdown table")
    command.set_defaults(run=run_list)


def run_list(options: argparse.Namespace) -> None:
    names = list_models(options.pattern)
    if not names:
        raise ValueError(
            f"No network matches. Received: {options.pattern!r}. Known: {', '.join(list_models())}"
        )
    print(summary_table(names) if options.markdown else aligned(summary_rows(names)))


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns for a terminal: numbers to the right, words to the left."""
    numbers = ("layers", "parameters", "multiply-adds")
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if title in numbers else cell.ljust(width)
            for title, cell, width in zip(COLUMNS, row, widths, strict=True)
        ).rstrip()
        for row in (COLUMNS, *rows)
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0, or 2 with a message on standard error for bad input."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, ImportError, OSError) as error:
        print(f"keras-resnet: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
