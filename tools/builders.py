"""Writes what the tables of networks and options say: named.pyi, and the options in the docs.

python tools/builders.py           write them
python tools/builders.py --check   exit with an error where they are out of date
"""

import inspect
import os
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(ROOT))

import marked  # noqa: E402

from keras_resnet import named  # noqa: E402
from keras_resnet.networks.family import NETWORKS, in_short  # noqa: E402
from keras_resnet.networks.options import OPTIONS, Option  # noqa: E402

HEAD = '''"""The signatures of named.py, for editors and type checkers.

`python tools/builders.py` writes this file from the tables of networks and of options.
"""

# fmt: off
from typing import Any, Literal

import keras

from keras_resnet.models import Weights

'''


def stub(text: str) -> str:
    """The whole of named.pyi; what it held before does not matter."""
    names = textwrap.fill(", ".join(map(repr, named.__all__)), 96).replace("'", '"')
    lines = [HEAD + "__all__ = [", textwrap.indent(names, "    "), "]", ""]
    for name in named.__all__:
        builder = getattr(named, name)
        arguments = []
        for parameter in inspect.signature(builder).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY and "*" not in arguments:
                arguments.append("*")
            argument = f"{parameter.name}: {type_name(parameter)} = {shown(parameter)}"
            arguments.append(argument.replace(" ", "\0"))  # not broken inside
        signature = textwrap.fill(", ".join(arguments), 96, break_on_hyphens=False)
        signature = signature.replace("\0", " ")
        lines += [f"def {name}(", textwrap.indent(signature, "    "), ") -> keras.Model:"]
        lines += [f'    """{builder.__doc__.partition(chr(10))[0]}"""', ""]
    return "\n".join(lines)


def type_name(parameter: inspect.Parameter) -> str:
    if parameter.name == "weights":
        return "Weights"
    annotation = parameter.annotation
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    name = name.replace("typing.", "").replace("'", '"')
    return f"{name[9:-1]} | None" if name.startswith("Optional[") else name


def shown(parameter: inspect.Parameter) -> str:
    value = parameter.default
    return f'"{value}"' if isinstance(value, str) else repr(value)


def options() -> str:
    """Every option of `keras_resnet.build`: its values, its default, and who has it."""
    return marked.table(
        "option | values | default | follows from weights | what it does | which networks lack it",
        [
            (
                f"`{name}`",
                values(option),
                defaults(option),
                {"implied": "yes", "part": "no", "": "no"}[option.graph],
                " ".join(option.text.split()),
                "; ".join(why.format(row=OTHERS) for _, why in option.only) or "none",
            )
            for name, option in OPTIONS.items()
        ],
    )


OTHERS = SimpleNamespace(
    family="a network of another family",
    own_layers="local response normalization and spatial pyramid pooling",
)


def values(option: Option) -> str:
    if option.type in (bool, float):
        return {bool: "True, False", float: "a number"}[option.type]
    every = [option.values_of(row) for row in having(option).values()]
    return "; ".join(", ".join(f"`{value!r}`" for value in found) for found in dict.fromkeys(every))


def having(option: Option) -> dict:
    return {name: row for name, row in NETWORKS.items() if not option.lacks(row)}


def defaults(option: Option) -> str:
    """The default, and for which networks there is another."""
    found: dict = {}
    for name, row in having(option).items():
        value = getattr(row, option.name) if option.is_field else option.default_of(row)
        found.setdefault(value, []).append(name)
    first, *others = sorted(found, key=lambda value: -len(found[value]))
    return "; ".join([f"`{first!r}`", *(f"`{v!r}`: {in_short(found[v])}" for v in others)])


PAGES = {
    ROOT / "keras_resnet" / "named.pyi": stub,
    ROOT / "docs" / "differences.md": lambda text: marked.written(text, options),
}


if __name__ == "__main__":
    marked.main(__doc__, PAGES)
