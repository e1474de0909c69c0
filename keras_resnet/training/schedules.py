"""Learning rates as the papers describe them; the shapes are Keras' schedules.

Steps are counted from 0, and are updates: see `keras_resnet.training.SGD`.

For drops "when the error plateaus" (Sec. 3.4) use `keras.callbacks.ReduceLROnPlateau` with a
learning rate that is a number: `keras_resnet.training.fit` restores its patience.
"""

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PiecewiseConstantDecay

from keras_resnet.files.arguments import checked
from keras_resnet.training.distribution import active

Rate = Any  # a float or a LearningRateSchedule


@checked()
def step_drops(
    learning_rate: float, drops: Sequence[int], factor: float = 0.1
) -> PiecewiseConstantDecay:
    """A rate that is divided at given steps: "divide it by 10 at 32k and 48k iterations".

    Step 32,000 is the first with the lower rate, as in Caffe. (Keras' boundaries are the last
    steps with the higher one.)

    Args:
        learning_rate: of the first steps.
        drops: steps, rising. For epochs multiply by the steps of an epoch.
        factor: that the rate is multiplied with at each.

    Raises:
        ValueError: the drops do not rise, or begin before step 1.

    Example:

    >>> schedule = step_drops(0.1, (32_000, 48_000))
    >>> [round(float(schedule(step)), 4) for step in (0, 31_999, 32_000, 48_000)]
    [0.1, 0.1, 0.01, 0.001]
    """
    drops = list(drops)
    if any(drop < 1 for drop in drops) or drops != sorted(set(drops)):
        raise ValueError(f"`drops` must be steps from 1 on that rise. Received: drops={drops}")
    values = [learning_rate * factor**count for count in range(len(drops) + 1)]
    return PiecewiseConstantDecay([drop - 1 for drop in drops], values)


@checked(steps=(1, math.inf))
def cosine(
    learning_rate: float, steps: int, warmup_steps: int = 0, start: float = 0.0, final: float = 0.0
) -> CosineDecay:
    """Rises in a line from `start`, then falls along half a cosine to `final` at `steps`.

    Args:
        learning_rate: the highest, after `warmup_steps`.
        steps: in all.
        warmup_steps: of the rise.
        start: rate of step 0, if there is a rise.
        final: rate from `steps` on.

    Raises:
        ValueError: the rise is as long as the training.

    Example:

    >>> [round(float(cosine(1.0, 30, warmup_steps=10)(s)), 2) for s in (0, 5, 10, 20, 30)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(
            "`warmup_steps` must be from 0 to below `steps`. "
            f"Received: warmup_steps={warmup_steps}, steps={steps}"
        )
    alpha = final / learning_rate
    if not warmup_steps:
        return CosineDecay(learning_rate, steps, alpha)
    return CosineDecay(
        start, steps - warmup_steps, alpha, warmup_target=learning_rate, warmup_steps=warmup_steps
    )


@keras.saving.register_keras_serializable("keras_resnet")
class WarmUp(LearningRateSchedule):
    """A line from `start` to what a schedule is at `steps`, then the schedule.

    "Gradual warmup": from the rate of one device to that of all, linearly in each step
    (Goyal et al., arXiv:1706.02677, Sec. 2.2).

    Args:
        schedule: a `LearningRateSchedule`, or a number. Its steps count from the first step of
            the warm-up.
        steps: of the warm-up.
        start: rate of step 0.

    Example:

    >>> schedule = WarmUp(step_drops(0.8, (30,)), steps=10, start=0.1)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 29, 30)]
    [0.1, 0.45, 0.8, 0.8, 0.08]
    """

    @checked()
    def __init__(self, schedule: Rate, steps: int, start: float = 0.0):
        self.schedule, self.steps, self.start = loaded(schedule), steps, start

    def __call__(self, step):
        after = at(self.schedule, step)
        if not self.steps:
            return after
        target = at(self.schedule, self.steps)
        part = ops.cast(step, "float32") / self.steps
        rising = self.start + (target - self.start) * part
        return ops.where(part < 1, rising, after)

    def get_config(self) -> dict[str, Any]:
        return {"schedule": self.schedule, "steps": self.steps, "start": self.start}


@keras.saving.register_keras_serializable("keras_resnet")
class WarmUpUntil(LearningRateSchedule):
    """A low rate until `EndWarmUp` ends it, then a schedule.

    "we use 0.01 to warm up the training until the training error is below 80% (about 400
    iterations), and then go back to 0.1" (Sec. 4.2, ResNet-110). The warm-up counts among the
    schedule's steps: its drops come where they would without.

    Whether the warm-up is over is a variable of the optimizer, one of `keras_resnet.training`:
    saved and restored with it.

    Args:
        schedule: a `LearningRateSchedule`, or a number.
        warmup: the rate before.

    Example:

    >>> schedule = WarmUpUntil(0.1, warmup=0.01)
    >>> round(float(schedule(7)), 3)
    0.01
    >>> _ = schedule.over.assign(1)
    >>> round(float(schedule(7)), 3)
    0.1
    """

    @checked()
    def __init__(self, schedule: Rate, warmup: float = 0.01):
        self.schedule, self.warmup = loaded(schedule), warmup
        # On torch the host computes schedules.
        on_torch = keras.backend.backend() == "torch"
        with keras.device("cpu") if on_torch else contextlib.nullcontext():
            self.over = keras.Variable(0, dtype="int32", trainable=False, name="warm_up_is_over")

    @property
    def variables(self) -> list[keras.Variable]:
        return [self.over]

    def __call__(self, step):
        return ops.where(self.over > 0, at(self.schedule, step), self.warmup)

    def get_config(self) -> dict[str, Any]:
        return {"schedule": self.schedule, "warmup": self.warmup}


class EndWarmUp(keras.callbacks.Callback):
    """Ends a `WarmUpUntil` when the training error is low enough.

    The error is that of the last `every` batches, within one epoch. It is read once for them:
    until the warm-up is over training waits for the device so often, and never after. Processes
    that train together take the mean of their errors, so that all go on at the same step.

    Args:
        schedule: the `WarmUpUntil` of the optimizer.
        error: the part of the training images below which the warm-up ends.
        every: batches between two looks.
        metric: the model's metric of accuracy.

    Raises:
        ValueError: when training begins: the optimizer does not hold the schedule, or the
            model has no such metric.
    """

    @checked(every=(1, math.inf))
    def __init__(
        self, schedule: WarmUpUntil, error: float = 0.8, every: int = 50, metric: str = "accuracy"
    ):
        super().__init__()
        self.schedule, self.error, self.every, self.metric = schedule, error, every, metric
        self.done = False
        self.batch, self.correct = 0, 0.0

    def on_train_begin(self, logs=None):
        held = self.model.optimizer.variables
        if not any(variable is self.schedule.over for variable in held):
            raise ValueError(
                "The schedule must be that of the model's optimizer, and the optimizer one of "
                "keras_resnet.training, which keeps the schedule's state. "
                f"Received: {type(self.model.optimizer).__name__}"
            )

    def on_epoch_begin(self, epoch, logs=None):
        self.batch, self.correct = 0, 0.0

    def on_train_batch_begin(self, batch, logs=None):
        if self.done or not batch or batch % self.every:
            return
        found = self.model.get_metrics_result()
        if self.metric not in found:
            raise ValueError(
                f"The model must be compiled with metrics=[{self.metric!r}]. "
                f"Received: {', '.join(found)}"
            )
        # Keras' metric is the mean since the epoch began, of the images of this process.
        own = float(keras.ops.convert_to_numpy(found[self.metric]))
        correct = batch * active().mean({self.metric: own})[self.metric]
        accuracy = (correct - self.correct) / (batch - self.batch)
        self.batch, self.correct = batch, correct
        if 1 - accuracy < self.error:
            self.schedule.over.assign(1)
            self.done = True

    def get_state(self) -> dict[str, Any]:
        return {"done": self.done, "batch": self.batch, "correct": self.correct}

    def set_state(self, state: dict[str, Any]) -> None:
        self.done, self.batch, self.correct = state["done"], state["batch"], state["correct"]


@checked(learning_rate=(0, math.inf), batch_size=(1, math.inf), of=(1, math.inf))
def linear_scaling(learning_rate: float, batch_size: int, of: int = 256) -> float:
    """The rate of a batch of another size: k times the images, k times the rate.

    Goyal et al., arXiv:1706.02677, Sec. 2.1; up to about 8,192 images, with a warm-up.

    Args:
        learning_rate: that suits batches of `of` images.
        batch_size: of all devices together, accumulated batches included.
        of: images.

    Example:

    >>> linear_scaling(0.1, 8192)
    3.2
    """
    return learning_rate * batch_size / of


def at(schedule: Rate, step):
    return schedule(step) if callable(schedule) else schedule


def loaded(schedule: Rate):
    """A schedule, also from what a file holds of it."""
    is_config = isinstance(schedule, dict)
    return keras.saving.deserialize_keras_object(schedule) if is_config else schedule
