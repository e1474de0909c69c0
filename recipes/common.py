"""What every recipe needs and no reader of a recipe needs to see.

It is imported before Keras: `--backend` decides which backend Keras starts.
"""

import argparse
import dataclasses
import functools
import importlib.metadata
import math
import os
import platform
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

BACKENDS = ("tensorflow", "jax", "torch")


def backend_asked_for(arguments: Sequence[str]) -> str | None:
    """The value of `--backend`, which Keras has to know before it is imported.

    >>> backend_asked_for(["--epochs", "3", "--backend", "jax"])
    'jax'
    >>> backend_asked_for(["--backend=torch"])
    'torch'
    """
    flags = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    flags.add_argument("--backend")
    return flags.parse_known_args(arguments)[0].backend


if (asked := backend_asked_for(sys.argv[1:])) in BACKENDS:
    os.environ["KERAS_BACKEND"] = str(asked)

from keras_resnet.commands.common import aligned  # noqa: E402
from keras_resnet.common.files import atomic_write, write_json  # noqa: E402

__all__ = ["atomic_write", "write_json"]

Recipe = TypeVar("Recipe")


def option(default: Any, why: str, *also: str, shown: str = "the recipe's") -> Any:
    """A field of a recipe.

    Args:
        default: its value where the flag is not given; None where the recipe's settings decide.
        why: the paper's sentence or the reason for the default, for `--help`.
        also: other names of the flag.
        shown: what `--help` prints for a default of None.
    """
    default_text = shown if default is None else default
    return dataclasses.field(
        default=default, metadata={"why": why, "also": also, "shown": default_text}
    )


@dataclasses.dataclass(frozen=True)
class Run:
    """The flags that every recipe has. The recipe's own fields come first."""

    out: str = option("runs/run", "folder to write to, or to continue in")
    fresh: bool = option(False, "start over; what is in --out is moved into a folder of its own")
    checkpoint_every: int = option(200, "steps between two checkpoints: what a kill can cost")
    seed: int = option(0, "of the initial weights and of the order of the images")
    backend: str = option("", "tensorflow, jax or torch, instead of KERAS_BACKEND")

    def check(self) -> None:
        """
        Raises:
            ValueError: naming the flag, its value and what would be accepted.
        """
        if self.backend and self.backend not in BACKENDS:
            raise ValueError(f"`backend` must be {', '.join(BACKENDS)}. Received: {self.backend!r}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"`seed` must be from 0 to 2**32 - 1. Received: {self.seed}")
        self.at_least(1, "checkpoint_every")
        if Path(self.out).exists() and not Path(self.out).is_dir():
            raise ValueError(f"`out` must be a folder. Received: {self.out}, which is a file")

    def at_least(self, least: int, *names: str) -> None:
        """
        Raises:
            ValueError: a field of these is less, or not a number. None is the recipe's own.
        """
        for name in names:
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"`{name}` must be at least {least}. Received: {value}")

    def configuration(self) -> dict[str, Any]:
        """What the result depends on: all but where and how often it is written."""
        flags = dataclasses.asdict(self)
        for name in ("out", "fresh", "checkpoint_every", "backend"):
            del flags[name]
        return flags

    def launch(self, main: Callable[[Any], None]) -> None:
        """Runs `main(self)`."""
        self.start_over()
        main(self)

    def start_over(self) -> None:
        """Does what `--fresh` asks for, where it was given."""
        if self.fresh and (aside := set_aside(Path(self.out))):
            print(f"The results of an earlier run are now in {aside}")


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
        recipe_type: a dataclass whose fields are str, int, float, bool, Path, one of these or
            None, or tuple[str, ...], and have defaults. Its `__post_init__` may raise a ValueError
            about their values.
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
    fields = dataclasses.fields(recipe_type)  # type: ignore[arg-type]
    own = list(recipe_type.__annotations__)  # the recipe's fields, then what all recipes have
    fields = sorted(fields, key=lambda field: [*own, field.name].index(field.name))
    for field in fields:
        kind = get_type_hints(recipe_type)[field.name]
        if isinstance(kind, types.UnionType):  # "int | None"
            kind = next(one for one in get_args(kind) if one is not types.NoneType)
        shown: Any = field.metadata.get("shown", field.default)
        how: dict[str, Any] = {"type": kind, "metavar": kind.__name__.upper()}
        if kind is bool:
            how = {"action": argparse.BooleanOptionalAction}
        elif get_origin(kind) is tuple:
            shown = ",".join(shown)
            how = {"nargs": "+", "metavar": "NAME"}
            if get_args(kind) != (str, ...):
                raise TypeError(f"A list of a recipe is a tuple[str, ...]. Received: {kind}")
        why = f"{field.metadata.get('why', '')} (default: {shown})".replace("%", "%%")
        flags = (*field.metadata.get("also", ()), f"--{field.name.replace('_', '-')}")
        parser.add_argument(*flags, dest=field.name, default=field.default, help=why, **how)
    values = vars(parser.parse_args(arguments))
    for name, value in values.items():
        if isinstance(value, list):  # "a,b c" are three
            values[name] = tuple(part for word in value for part in word.split(",") if part)
    try:
        return recipe_type(**values)
    except ValueError as error:
        parser.error(str(error))


def start(recipe_type: type[Recipe], doc: str | None, main: Callable[[Recipe], None]) -> None:
    """Runs a recipe from the command line.

    What is wrong with the command or with the files it names is said in a sentence, and the
    program ends with status 2.
    """
    recipe = from_command_line(recipe_type, doc)
    try:
        if isinstance(recipe, Run):
            recipe.launch(main)
        else:
            main(recipe)
    except (ValueError, ImportError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


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


def set_aside(folder: Path) -> Path | None:
    """Moves what an earlier run wrote into a folder of its own, so that none is written over.

    Returns:
        `folder/earlier-1` or the first such number that is free; None where there was none.
    """
    if not folder.is_dir():
        return None
    there = [path for path in folder.iterdir() if not path.name.startswith("earlier-")]
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
    numbers = [name for name, value in rows[0].items() if str(value)[:1].isdigit()]
    return aligned(lines, numbers)
