"""`model.fit` that continues where it was stopped, at any step."""

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import to_json
from keras_resnet.training.checkpoints import make_metrics
from keras_resnet.training.distribution import Distribution, active
from keras_resnet.training.folder import held
from keras_resnet.training.loop import Loop
from keras_resnet.training.plan import Plan, Row
from keras_resnet.training.watch import StoppedError, stop_on_signals


class Batches(Protocol):
    """Training data as `keras_resnet.data` gives it: any batch can be had by its step.

    Attributes:
        batch_size: images of a batch.
        steps_per_epoch: batches of an epoch.
    """

    batch_size: int
    steps_per_epoch: int

    def batches(self, start: int, stop: int | None = None) -> Iterable:
        """The batches `(images, labels)` of steps `start` to `stop - 1`. Each depends on its
        step alone, and not on where one starts."""


@checked(**dict.fromkeys(("steps", "epochs", "checkpoint_every", "log_every"), (1, math.inf)))
def fit(
    model: keras.Model,
    data: Batches,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    out: str | os.PathLike | None = None,
    configuration: dict[str, Any] | None = None,
    checkpoint_every: int = 1000,
    evaluate: Callable[[keras.Model], dict[str, float]] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    log_every: int = 50,
    progress: bool = True,
    distribution: Distribution | None = None,
) -> list[Row]:
    """Trains with `model.fit`, from where the same call was stopped before.

    A run that was killed and started again ends with the weights, optimizer state and metrics
    of one that was not, bit for bit, where the backend's operations are deterministic.

    Args:
        model: built and compiled.
        data: see `Batches`.
        steps: of the optimizer to take in all; or
        epochs: as many times `data.steps_per_epoch`.
        out: folder of the run, in which one process trains at a time. It gets `checkpoints/`
            and `log.csv`; without it nothing is saved. A run that has ended, also early by a
            callback, is not trained on: its weights are read.
        configuration: what the run depends on, for `json`. It is kept with the state; a run
            is not continued under another.
        checkpoint_every: steps between two checkpoints; one more is made after every epoch. A
            kill loses at most as many steps.
        evaluate: called with the model after every epoch; its numbers go into the epoch's row.
        callbacks: of Keras. What they remember is restored if they have `get_state()` and
            `set_state(state)`, or else if it is in attributes that are numbers, strings, arrays,
            or lists, tuples and dicts of these; what is not is named when a run goes on. One with
            an `on_train_batch_end` makes training wait for the device after each step.
        log_every: steps between two readings of the loss.
        progress: show a line with images per second and the time left.
        distribution: what `distributed` returned; by default the one it returned last. Each
            process gives all of `data` and reads its part. The first one writes and prints,
            and all continue from its checkpoint.

    Returns:
        A row per epoch: epoch, step, Keras' logs, learning rate, images per second, what
        `evaluate` gave, and seconds, with its own.

    Raises:
        ValueError: bad arguments; the folder holds a run of another configuration or model, is in
            use by another process, or cannot be written to.
        OSError: the run has ended, and its last state could not be saved.
        NonFiniteLossError: the loss or a weight is not finite; names the step and the last
            good checkpoint.
        RuntimeError: this process is one of several that were not made a group.
        StoppedError: a SystemExit, after SIGTERM or Ctrl-C and once the state is saved; its code
            is 1 where that failed.
        DamagedError: no checkpoint in the folder can be read.

    Example:

    >>> import numpy as np
    >>> class Ones:
    ...     batch_size, steps_per_epoch = 2, 3
    ...     def batches(self, start, stop=None):
    ...         return ((np.ones((2, 4)), np.ones((2, 1))) for _ in range(start, stop))
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> [row["step"] for row in fit(model, Ones(), epochs=2, progress=False)]
    [3, 6]
    """
    total = planned(steps, epochs, data)
    if not model.built or not getattr(model, "compiled", False):
        raise ValueError(f"`model` must be built and compiled. Received: {model.name}, which isn't")
    distribution = distribution or active()
    data = distribution.shard(data)
    with distribution.scope():
        model.optimizer.build(model.trainable_variables)
        distribution.prepare(model)
    settings = {**(configuration or {}), "backend": keras.backend.backend()}
    plan = Plan(
        total,
        data.steps_per_epoch,
        data.batch_size,
        folder=None if out is None else Path(out),
        configuration=json.loads(json.dumps(settings, default=to_json)),  # as it will be read
        checkpoint_every=checkpoint_every,
        evaluate=evaluate,
        log_every=log_every,
        progress=progress,
        distribution=distribution,
    )
    with stop_on_signals() as request, contextlib.ExitStack() as stack:
        # Only the first process touches the folder, which others may not even see.
        distribution.from_first(partial(stack.enter_context, held(plan.folder)))
        loop = Loop(model, callbacks, plan, request)
        if checkpoint := distribution.from_first(loop.latest):
            loop.resume(checkpoint)
            if distribution.is_first:
                print(loop.how_it_goes_on(), flush=True)
            if loop.is_over:
                return loop.rows
            with distribution.scope():
                step = min(loop.step, total - 1)
                make_metrics(model, next(iter(data.batches(step, step + 1))))
        try:
            for start, stop in calls_of_fit(loop.step, total, data.steps_per_epoch):
                run(model, data, loop, start, stop)
                if model.stop_training:
                    break
        except StoppedError as stopped:
            if distribution.is_first:
                print(stopped.message, flush=True)
            raise
        loop.finish()
    return loop.rows


def planned(steps: int | None, epochs: int | None, data: Batches) -> int:
    """How many steps a run takes in all."""
    if (steps is None) == (epochs is None):
        raise ValueError(
            f"Give one of `steps` and `epochs`. Received: steps={steps!r}, epochs={epochs!r}"
        )
    if not data.steps_per_epoch or data.steps_per_epoch < 1:
        raise ValueError(
            "`data` must hold at least one whole batch. "
            f"Received: steps_per_epoch={data.steps_per_epoch}, batch_size={data.batch_size}"
        )
    return steps or epochs * data.steps_per_epoch  # type: ignore[operator]


def calls_of_fit(step: int, total: int, steps_per_epoch: int) -> Iterator[tuple[int, int]]:
    """The rest of an epoch that was stopped, all whole epochs, what is left of the last.

    >>> list(calls_of_fit(5, 23, 10))
    [(5, 10), (10, 20), (20, 23)]
    """
    whole_epochs = total // steps_per_epoch * steps_per_epoch
    for end in (-(-step // steps_per_epoch) * steps_per_epoch, whole_epochs, total):
        if step < (end := min(end, total)):
            yield step, end
            step = end


def run(model: keras.Model, data: Batches, loop: Loop, start: int, stop: int) -> None:
    """One call of Keras' `fit`: part of one epoch, or several whole ones."""
    first, last = start // data.steps_per_epoch, -(-stop // data.steps_per_epoch)
    model.fit(
        loop.distribution.feed(data, start, stop),
        steps_per_epoch=(stop - start) // (last - first),
        initial_epoch=first,
        epochs=last,
        shuffle=False,
        callbacks=loop,
        verbose=0,
    )
