"""What every recipe needs and no reader of a recipe needs to see."""

import argparse
import dataclasses
import functools
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from keras_resnet.files import whole, write_json

__all__ = ["whole", "write_json"]

Recipe = TypeVar("Recipe")


def option(default: Any, why: str) -> Any:
    """A field of a recipe: its default, and the paper's sentence or the reason for it."""
    return dataclasses.field(default=default, metadata={"why": why})


class Parser(argparse.ArgumentParser):
    """argparse, whose errors name the flags there are."""

    def error(self, message) -> NoReturn:
        flags = ", ".join(action.option_strings[-1] for action in self._actions)
        self.exit(2, f"{self.prog}: {message}\nThe flags are: {flags}\n")


def from_command_line(
    recipe_type: type[Recipe], doc: str | None, arguments: Sequence[str] | None = None
) -> Recipe:
    """Reads a recipe from the command line: one flag per field of a dataclass.

    Args:
        recipe_type: a dataclass whose fields are str, int, float, bool, Path or tuple[str, ...]
            and have defaults. Its `__post_init__` may raise a ValueError about their values.
        doc: what `--help` begins with.
        arguments: the command line, `sys.argv[1:]` by default.

    Returns:
        A `recipe_type`. An unknown flag, a wrong type and a ValueError end the program with
        status 2 and a message that names the flags.

    Example:

    >>> @dataclasses.dataclass(frozen=True)
    ... class Hello:
    ...     names: tuple[str, ...] = option(("world",), "whom to greet")
    >>> from_command_line(Hello, "Says hello.", ["--names", "you,me"])
    Hello(names=('you', 'me'))
    """
    form = functools.partial(argparse.RawDescriptionHelpFormatter, width=100, max_help_position=30)
    parser = Parser(description=doc, formatter_class=form, allow_abbrev=False)
    for field in dataclasses.fields(recipe_type):  # type: ignore[arg-type]
        kind = get_type_hints(recipe_type)[field.name]
        shown: Any = field.default
        how: dict[str, Any] = {"type": kind, "metavar": kind.__name__.upper()}
        if kind is bool:
            how = {"action": argparse.BooleanOptionalAction}
        elif get_origin(kind) is tuple:
            shown = ",".join(shown)
            how = {"nargs": "+", "metavar": "NAME"}
            if get_args(kind) != (str, ...):
                raise TypeError(f"A list of a recipe is a tuple[str, ...]. Received: {kind}")
        why = f"{field.metadata.get('why', '')} (default: {shown})".replace("%", "%%")
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, default=field.default, help=why, **how)
    values = vars(parser.parse_args(arguments))
    for name, value in values.items():
        if isinstance(value, list):  # "a,b c" are three
            values[name] = tuple(part for word in value for part in word.split(",") if part)
    try:
        return recipe_type(**values)
    except ValueError as error:
        parser.error(str(error))


def versions(*packages: str) -> dict[str, Any]:
    """What a run ran on: Python, Keras, the backend, this package, NumPy and the machine.

    Args:
        packages: distributions to add to these, such as `"scikit-learn"`.
    """
    import keras

    import keras_resnet

    backend = keras.backend.backend()
    return {
        "keras_resnet": keras_resnet.__version__,
        "keras": keras.__version__,
        "backend": backend,
        # By module: the tensorflow module also comes as tensorflow-cpu.
        backend: __import__(backend).__version__,
        **{name: importlib.metadata.version(name) for name in ("numpy", *packages)},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
    }


def set_aside(folder: Path, names: Iterable[str]) -> Path | None:
    """Moves files of an earlier run into a folder of their own, so that none is written over.

    Returns:
        `folder/earlier-1` or the first such number that is free; None where there was none.
    """
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return None
    number = 1
    while (aside := folder / f"earlier-{number}").exists():
        number += 1
    aside.mkdir()
    for path in there:
        os.replace(path, aside / path.name)
    return aside


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as text in columns: words to the left, numbers to the right.

    Example:

    >>> print(table([{"network": "plain20", "error": 1.5}, {"network": "resnet", "error": 10.25}]))
    network  error
    plain20    1.5
    resnet   10.25
    """
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = [isinstance(value, str) and not value[:1].isdigit() for value in rows[0].values()]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )
