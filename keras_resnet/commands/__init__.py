"""`keras-resnet`: the package on the command line. Each command is a module of this folder.

A command's module has `EXAMPLES`, command lines; `add_arguments(parser)`; and `run(options)`, which
returns what `--json` prints and the text that is printed otherwise. At its top it imports nothing
that loads Keras, so that `keras-resnet --help` answers at once.
"""

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence

from keras_resnet.commands import (
    benchmark,
    completion,
    convert,
    evaluate,
    export,
    predict,
    report,
    show,
    weights,
)
from keras_resnet.commands import list as list_networks

# Module and help of each command, in the order of `--help`.
COMMANDS = {
    "list": (list_networks, "the models that can be built by name, and their costs"),
    "show": (show, "a model stage by stage: shapes, parameters, multiply-adds"),
    "weights": (weights, "the public sets of weights: source, graph, accuracy"),
    "predict": (predict, "the most likely classes of images"),
    "evaluate": (evaluate, "the error of models, alone or together, by a protocol of the paper"),
    "report": (report, "a run as one HTML page: curves, errors, mistakes, configuration"),
    "export": (export, "a model as a file for another runtime, checked there"),
    "convert": (convert, "weights from one library's file into another's"),
    "benchmark": (benchmark, "images per second of models and exported files, in turns"),
    "completion": (completion, "a script that completes commands and flags in a shell"),
}
WITHOUT_KERAS = ("list", "weights", "completion")
EXIT_CODES = "exit status: 0 done, 1 an error of the program, 2 bad input, 130 interrupted"


def parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    main = argparse.ArgumentParser(
        prog="keras-resnet",
        description="Deep residual networks in Keras 3, on TensorFlow, JAX and PyTorch.",
        epilog=f"`keras-resnet COMMAND --help` shows flags and examples.\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = main.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for name, (module, help) in COMMANDS.items():
        one = commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=f"examples:\n{textwrap.indent(module.EXAMPLES.strip(), '  ')}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(one)
        if module is not completion:
            one.add_argument("--json", action="store_true", help="print JSON, for machines")
        one.set_defaults(run=module.run, parser=main, json=False)
    return main


def main(
    arguments: Sequence[str] | None = None, import_package: Callable[[], object] = lambda: None
) -> int:
    """Runs one command. Returns 0, or 2 with a message on standard error for bad input.

    Args:
        arguments: of the command line; None reads them from `sys.argv`.
        import_package: imports the whole of keras_resnet, where that has not been done; it is
            called before a command that needs Keras.
    """
    options = parser().parse_args(arguments)
    try:
        if options.command not in WITHOUT_KERAS:
            import_package()
        record, text = options.run(options)
        print(json.dumps(record, indent=2) if options.json else text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has stopped, as in `keras-resnet list | head`
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
    """Whether the user's input caused an error; then it is printed without a traceback."""
    ours = type(error).__module__.startswith("keras_resnet.")
    return ours or isinstance(error, (ValueError, ImportError, OSError))
