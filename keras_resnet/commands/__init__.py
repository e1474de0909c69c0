"""`keras-resnet`: the package from a terminal. Each sub-command is a module of this folder.

A command's module has `add(commands)`, which declares it, and `run(options)`. At its top it
imports nothing that loads Keras: `keras-resnet --help` must not wait for that.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

# In the order of `--help`.
COMMANDS = (
    "list",
    "show",
    "weights",
    "predict",
    "evaluate",
    "report",
    "export",
    "convert",
    "benchmark",
    "completion",
)

EXIT_CODES = "exit status: 0 done, 1 an error of the program, 2 bad input, 130 interrupted"


def parser() -> argparse.ArgumentParser:
    """All sub-commands and their flags; a command's function is its `run`."""
    main = argparse.ArgumentParser(
        prog="keras-resnet",
        description="Deep residual networks in Keras 3, on TensorFlow, JAX and PyTorch.",
        epilog=f"`keras-resnet COMMAND --help` shows flags and examples.\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = main.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"keras_resnet.commands.{name}").add(commands)
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0, or 2 with a message on standard error for bad input."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # as `keras-resnet list | head` has it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not is_input(error):
            raise
        print(f"keras-resnet: {error}", file=sys.stderr)
        return 2
    return 0


def is_input(error: Exception) -> bool:
    """Whether what went wrong lies in what was asked for: then there is no traceback."""
    ours = type(error).__module__.startswith("keras_resnet.")
    return ours or isinstance(error, (ValueError, ImportError, OSError))
