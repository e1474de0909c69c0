"""Averages of the weights along training, which err less than the last weights do.

Moving statistics of batch normalization are averaged with the weights they belong to;
`use_ema` of Keras' optimizers leaves them at the last weights, and its `SwapEMAWeights` leaves
the averages in the model after `predict`.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_resnet.files import atomic_write
from keras_resnet.files.arguments import checked
from keras_resnet.layers.backend import backend_part
from keras_resnet.training.checkpoints import synchronize
from keras_resnet.training.optimizers import without_variables

backend = backend_part("training", "averages")


class WeightAverages(keras.callbacks.Callback):
    """Keeps an average of every weight and every moving statistic while a model trains.

    Averages are variables of the model's optimizer, and are saved with its state. Each step adds
    one operation on the device, for which nothing waits.

    Args:
        model: compiled. Give this object to `fit` as a callback.
        decay: float below 1 of an exponential average, or None for the plain mean of all
            weights seen ("stochastic weight averaging", arXiv:1803.05407). After SWA
            recompute the statistics: `recompute_batch_norm`.
        every: optimizer updates between two weights that are averaged. torchvision's recipes
            take 32.
        start: updates to pass before the first. SWA begins at about three quarters.
        warmup: whether the decay rises from 0.1 as (1 + n) / (10 + n) over the first n
            weights, as of `tf.train.ExponentialMovingAverage`: the initial weights, which
            are random, are then forgotten early.

    Raises:
        ValueError: the model is not compiled, or an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> averages = WeightAverages(model, decay=0.99)
    >>> _ = model.fit(np.ones((4, 2)), np.ones(4), callbacks=[averages], verbose=0)
    >>> with averages.applied():
    ...     loss = model.evaluate(np.ones((4, 2)), np.ones(4), verbose=0)
    """

    @checked()
    def __init__(
        self,
        model: keras.Model,
        decay: float | None = 0.9999,
        every: int = 1,
        start: int = 0,
        warmup: bool = True,
    ):
        super().__init__()
        if not getattr(model, "compiled", False) or model.optimizer is None:
            raise ValueError(f"`model` must be compiled. Received: {model.name}, which is not")
        if decay is not None and not 0 <= decay < 1:
            raise ValueError(f"`decay` must be from 0 to below 1, or None. Received: decay={decay}")
        if every < 1 or start < 0:
            raise ValueError(
                "`every` must be at least 1 and `start` at least 0. "
                f"Received: every={every}, start={start}"
            )
        self.decay, self.warmup = decay, warmup
        self.averaged = model
        self.optimizer = model.optimizer
        self.optimizer.build(model.trainable_variables)
        # Weights do not move between the batches that one update is accumulated from.
        batches = getattr(inner(self.optimizer), "gradient_accumulation_steps", None) or 1
        self.every, self.start = every * batches, start * batches
        self.sources = [v for v in model.weights if keras.backend.is_float_dtype(v.dtype)]
        self.variables = [
            self.optimizer.add_variable_from_reference(v, name="average") for v in self.sources
        ]
        for average, source in zip(self.variables, self.sources, strict=True):
            average.assign(ops.copy(source.value))
        self.blend = backend.blend(self.variables, self.sources)
        self.batches = self.count = 0
        self.pending = self.swapped = False

    def set_model(self, model):
        if model is not self.averaged:
            raise ValueError(
                f"These are averages of {self.averaged.name}, made for that model. "
                f"Received: a training of {model.name}"
            )
        if model.optimizer is not self.optimizer:
            raise ValueError(
                f"{model.name} has been compiled again since its averages were made: "
                "make them after `compile`"
            )
        super().set_model(model)

    def catch_up(self) -> None:
        """Averages the weights of the last step, if that has not been done."""
        if not self.pending:
            return
        self.pending = False
        self.batches += 1
        if self.batches <= self.start or (self.batches - self.start) % self.every:
            return
        synchronize(self.averaged)
        self.blend(self.weight())
        self.count += 1

    def weight(self) -> float:
        """Of the weights that come, against what was averaged before."""
        if self.decay is None:
            return 1 / (self.count + 1)
        rising = (1 + self.count) / (10 + self.count) if self.warmup else self.decay
        return 1 - min(self.decay, rising)

    # Not `on_train_batch_end`: with that, Keras on JAX waits for the device after each step.
    def on_train_batch_begin(self, batch, logs=None):
        self.catch_up()
        self.pending = True

    def on_test_begin(self, logs=None):
        if not self.swapped:
            self.catch_up()

    def on_epoch_end(self, epoch, logs=None):
        self.catch_up()

    def on_train_end(self, logs=None):
        self.catch_up()

    def get_state(self) -> dict[str, Any]:
        """What is not in variables, for `json`."""
        return {"batches": self.batches, "count": self.count, "pending": self.pending}

    def set_state(self, state: dict[str, Any]) -> None:
        self.batches, self.count = state["batches"], state["count"]
        self.pending = state["pending"]

    @contextlib.contextmanager
    def applied(self) -> Iterator[keras.Model]:
        """Puts the averages into the model: evaluate, predict or save it inside of `with`.

        The model has its own weights again afterwards, whatever happens inside. There it must
        not be trained. Its optimizer is without the averages, as if there were none.

        Raises:
            RuntimeError: the averages are in the model already.
        """
        if self.swapped:
            raise RuntimeError("The averages are in the model already: `applied` does not nest")
        self.catch_up()
        synchronize(self.averaged)
        own = [ops.copy(source.value) for source in self.sources]
        self.swapped = True
        with without_variables(self.optimizer, self.variables):
            try:
                for source, average in zip(self.sources, self.variables, strict=True):
                    source.assign(ops.copy(average.value))
                yield self.averaged
            finally:
                synchronize(self.averaged)
                for source, value in zip(self.sources, own, strict=True):
                    source.assign(value)
                self.swapped = False

    def save(self, path: str | os.PathLike) -> None:
        """Saves the model with its averages for weights, whole or not at all.

        Args:
            path: of a `.keras` file.
        """
        with self.applied(), atomic_write(path) as temporary:
            self.averaged.save(temporary)


def inner(optimizer):
    """The optimizer inside of a loss scale."""
    return getattr(optimizer, "inner_optimizer", optimizer)
