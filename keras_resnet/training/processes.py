"""The devices and processes of a training, and what they exchange."""

import contextlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import keras
import numpy as np

from keras_resnet.layers.backend import backend_part

SEED_STEP = 1_000_003  # from one process to the next
BUCKET_BYTES = 25 * 2**20  # as DistributedDataParallel's
Value = TypeVar("Value")
Part = TypeVar("Part")


class Distribution:
    """How a training is spread over devices and processes. This class: one device.

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
        """Whether this is the process that writes files and prints."""
        return self.index == 0

    def scope(self) -> AbstractContextManager:
        """Where to build, load and compile the model."""
        return contextlib.nullcontext()

    def alone(self) -> AbstractContextManager:
        """Where one process does what others do not, such as saving the model."""
        return contextlib.nullcontext()

    def shard(self, data: Any) -> Any:
        """The part of `data` that this process reads.

        Raises:
            ValueError: its batches cannot be divided evenly among all devices.
        """
        if data.batch_size % self.replicas:
            raise ValueError(
                f"The batch size must be a multiple of the number of devices, {self.replicas}. "
                f"Received: batch_size={data.batch_size}"
            )
        return data if self.count == 1 else data.shard(self.index, self.count)

    def prepare(self, model: keras.Model) -> None:
        """Makes a compiled model ready for `fit`: its replicas are equal, and stay equal.

        Raises:
            ValueError: the model was not built within `scope()`.
        """

    def fold_in_rank(self, model: keras.Model) -> None:
        """Gives random layers other seeds in each process, where each has a model of its own."""

    def feed(self, data: Any, start: int, stop: int) -> Iterable:
        """What `model.fit` reads for the steps `start` to `stop - 1` of `shard(data)`."""
        return backend_part("training", "feeding").feed(data, start, stop)

    def sync_state(self, model: keras.Model) -> None:
        """Averages what each replica has a copy of: moving statistics and metrics.

        To be called in all processes before weights are read, to be saved or measured."""

    def gather(self, value: Value) -> list[Value]:
        """The values of all processes, in each of them."""
        return [value]

    def broadcast(self, value: Value) -> Value:
        """The first process' value, in each of them."""
        return value

    def total(self, numbers: np.ndarray) -> np.ndarray:
        """The sum over the processes."""
        return np.sum(self.gather(numbers), axis=0)

    def mean(self, numbers: dict[str, float]) -> dict[str, float]:
        """The mean of each over the processes."""
        means = self.total(np.array(list(numbers.values()), "float64")) / self.count
        return dict(zip(numbers, means.tolist(), strict=True))

    def from_first(self, make: Callable[[], Value]) -> Value:
        """What `make` returns or raises in the first process, in each of them."""
        made: tuple[Any, Exception | None] = None, None
        if self.is_first:
            try:
                made = make(), None
            except Exception as error:
                made = None, error
        value, raised = self.broadcast(made)
        if raised is not None:
            raise raised
        return value

    def raise_together(self, error: BaseException | None) -> None:
        """Raises in every process if one has failed. Each calls this, with its error or None.

        Raises:
            RuntimeError: another process has failed, and this one has not.
        """
        failures = self.gather(None if error is None else f"{type(error).__name__}: {error}")
        failed = [f"process {n}: {text}" for n, text in enumerate(failures) if text is not None]
        if error is None and failed:
            raise RuntimeError(f"Another process failed. {'; '.join(failed)}")


class ModelPerProcess(Distribution):
    """Processes that each train a model of their own, on the mean of their gradients.

    What is exchanged goes through `total`, which a subclass has: the sum over the processes of an
    array of int32 or float64.
    """

    def gather(self, value):
        return self.exchange(value, range(self.count))

    def broadcast(self, value):
        return self.exchange(value, [0])[0]

    def exchange(self, value: Value, senders: Sequence[int]) -> list[Value]:
        """The values of some processes: sums of rows that hold one value and zeros otherwise."""
        data = np.frombuffer(pickle.dumps(value), "uint8")
        own = np.equal(senders, self.index)
        longest = self.total(np.where(own, len(data), 0).astype("int32")).max()
        words = np.zeros((len(senders), -(-longest // 4)), "int32")
        if own.any():
            words.view("uint8")[own, : len(data)] = data
        return [pickle.loads(row.tobytes()) for row in self.total(words)]

    def prepare(self, model: keras.Model) -> None:
        share_state(self, model)
        self.fold_in_rank(model)

    def fold_in_rank(self, model: keras.Model) -> None:
        for variable in model.variables:
            if variable.path.endswith("seed_generator_state"):
                shift = np.array([self.index * SEED_STEP, 0])
                state = keras.ops.convert_to_numpy(variable).astype("int64") + shift
                variable.assign(state % 2**31)

    def sync_state(self, model: keras.Model) -> None:
        trained = {id(variable) for variable in model.trainable_variables}
        own = [v for v in model.variables if id(v) not in trained] + model.metrics_variables
        own = [variable for variable in own if keras.backend.is_float_dtype(variable.dtype)]
        if not own or self.count == 1:
            return
        values = [keras.ops.convert_to_numpy(variable).astype("float64") for variable in own]
        means = self.total(np.concatenate([value.ravel() for value in values])) / self.count
        ends = np.cumsum([value.size for value in values])
        for variable, mean in zip(own, np.split(means, ends[:-1]), strict=True):
            variable.assign(mean.reshape(variable.shape))


def share_state(distribution: Distribution, model: keras.Model) -> None:
    """Gives all processes the first one's weights and optimizer."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    shapes = [(variable.path, tuple(variable.shape)) for variable in variables]
    if any(other != shapes for other in distribution.gather(shapes)):
        raise ValueError("Processes have built different models or optimizers")
    values = distribution.from_first(
        lambda: [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]
    )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def padded(x: np.ndarray, count: int) -> np.ndarray:
    """A batch that `count` devices can share evenly: zeros are added."""
    return np.concatenate([x, np.zeros((-len(x) % count, *x.shape[1:]), x.dtype)])


def buckets_of(
    parts: Iterable[Part], bytes_of: Callable[[Part], int], kind_of: Callable[[Part], Any]
) -> list[list[Part]]:
    """Runs of parts of one kind, of about `BUCKET_BYTES` each: what is one message.

    >>> [len(run) for run in buckets_of([2**24, 2**24, 3], lambda size: size, type)]
    [1, 2]
    """
    buckets: list[list[Part]] = []
    room, kind = 0, None
    for part in parts:
        size = bytes_of(part)
        if not buckets or room < size or kind != kind_of(part):
            buckets.append([])
            room, kind = BUCKET_BYTES, kind_of(part)
        buckets[-1].append(part)
        room -= size
    return buckets
