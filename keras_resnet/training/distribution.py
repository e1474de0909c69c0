"""Training on many devices: one call that is right on every backend."""

import contextlib
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import keras
import numpy as np

Value = TypeVar("Value")


class Distribution:
    """How a training is spread over devices and processes; this one: not at all.

    Attributes:
        kind: `"none"`, `"mirrored"`, `"multi-worker"`, `"data-parallel"` or `"ddp"`.
        index, count: this process' number, from 0, and how many there are.
        replicas: devices, of all processes together.
    """

    kind = "none"
    index = 0
    count = 1
    replicas = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and talks."""
        return self.index == 0

    def scope(self) -> AbstractContextManager:
        """Where to build, load and compile the model."""
        return contextlib.nullcontext()

    def shard(self, data: Any) -> Any:
        """The part of `data` this process reads: `data.shard(index, count)` of several."""
        return data if self.count == 1 else data.shard(self.index, self.count)

    def prepare(self, model: keras.Model) -> None:
        """Makes a compiled model ready for `fit`: alike on all replicas, and kept so."""

    def settle(self, model: keras.Model) -> None:
        """Makes one of what replicas keep each for itself: call it in all processes before
        weights are read to be saved or measured."""

    def gather(self, value: Value) -> list[Value]:
        """What each process gave, in all of them."""
        return [value]

    def from_first(self, make: Callable[[], Value]) -> Value:
        """What `make` returns or raises in the first process, in all of them."""
        return make()

    def total(self, numbers: np.ndarray) -> np.ndarray:
        """The sum over the processes."""
        return np.sum(self.gather(numbers), axis=0)

    def agree(self, error: BaseException | None) -> None:
        """Where all processes meet, having failed or not.

        Raises:
            RuntimeError: another process brought an error, and this one none.
        """
        failures = self.gather(None if error is None else f"{type(error).__name__}: {error}")
        told = [f"process {n}: {text}" for n, text in enumerate(failures) if text is not None]
        if error is None and told:
            raise RuntimeError(f"Another process failed. {'; '.join(told)}")


_active: list[Distribution] = []


def active() -> Distribution:
    """What `distributed` returned last, or else training in one process on one device."""
    return _active[-1] if _active else Distribution()


def engine() -> Any:
    """The part of this file that only the active backend has."""
    return importlib.import_module(f"keras_resnet.training.distribution_{keras.backend.backend()}")
