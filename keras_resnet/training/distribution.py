"""Training on many devices: one call that is right on every backend."""

import math
from typing import Any, Literal, get_args

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.layers import replicas
from keras_resnet.layers.backend import backend_part
from keras_resnet.training.processes import Distribution

Kind = Literal["auto", "none", "mirrored", "multi-worker", "data-parallel", "ddp"]
KINDS = get_args(Kind)
# The backend that has each kind.
ENGINES = {
    "mirrored": "tensorflow",
    "multi-worker": "tensorflow",
    "data-parallel": "jax",
    "ddp": "torch",
}
_active: list[Distribution] = []


@checked(timeout=(0, math.inf))
def distributed(
    kind: Kind = "auto", *, synchronize: bool = True, timeout: float = 300.0
) -> Distribution:
    """Sets up training on all devices of this process and of the other processes of its group.

    Call it once, first of all: before a model is built or a tensor made. `fit` and `evaluate` of
    `keras_resnet.training` then use it. docs/distribution.md has the commands that start the
    processes.

    Args:
        kind: `"mirrored"` (TensorFlow, one process), `"multi-worker"` (TensorFlow),
            `"data-parallel"` (JAX, any number of processes), `"ddp"` (torch, a process for
            each device), `"none"`; or `"auto"`, what fits backend, devices and environment.
        synchronize: whether batch normalization takes its statistics from the batches of all
            devices: N devices then compute what one would. Otherwise each normalizes its part
            by that part alone, and the moving statistics of the devices are averaged before
            they are saved or used. On JAX they are always those of all.
        timeout: seconds to wait for the other processes.

    Returns:
        A `Distribution`.

    Raises:
        ValueError: the backend does not have that kind.
        RuntimeError: the processes of a group were started with different settings, do not
            all come, or `"none"` was asked for in a process that is one of several.

    Example:

    >>> distribution = distributed("none")
    >>> with distribution.scope():
    ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> distribution.index, distribution.count, distribution.replicas
    (0, 1, 1)
    """
    backend = keras.backend.backend()
    if ENGINES.get(kind, backend) != backend:
        own = " or ".join(repr(name) for name, engine in ENGINES.items() if engine == backend)
        raise ValueError(
            f"Training on {backend} is spread by {own}, or 'auto'. Received: kind={kind!r}"
        )
    if kind == "auto":
        kind = engine().automatic()
    _active.clear()
    replicas.sum_over_replicas = None
    if kind == "none":
        return active()
    _active.append(engine().start(kind, synchronize, timeout))
    return active()


def active() -> Distribution:
    """What `distributed` returned last, or else training in one process on one device.

    Raises:
        RuntimeError: this process is one of several that were not made a group: each would
            train a network of its own and write to the same files.
    """
    if _active:
        return _active[-1]
    if announced := engine().announced():
        raise RuntimeError(
            f"This process is one of several ({announced}), each of which would train a network "
            "of its own. Call keras_resnet.training.distributed() first of all (--distribute "
            "auto), or start one process only"
        )
    return Distribution()


def engine() -> Any:
    """The part of this file that only the active backend has."""
    return backend_part("training", "distribution")
