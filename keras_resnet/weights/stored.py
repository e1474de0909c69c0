"""An array of a file before it is read, and the packages that read files."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


class WeightsFileError(ValueError):
    """A file that is damaged, of an unknown kind, or asks for what a reader will not do."""


@dataclass(frozen=True)
class Stored:
    """An array in a file: its shape, and a function that reads it."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]

    @classmethod
    def of(cls, array) -> "Stored":
        return cls(tuple(np.shape(array)), lambda: np.asarray(array))


Arrays = dict[str, Stored]


def required(package: str, purpose: str, extra: str, hint: str = "") -> Any:
    """The module of a package that is not in every installation.

    Raises:
        ImportError: it is missing; the message says what it is for and how to install it.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ImportError(
            f'{purpose} needs the package {package}: pip install "keras3-resnet[{extra}]"{hint}'
        ) from None
