"""TensorFlow: a process for each device, joined by `tf.distribute.MultiWorkerMirroredStrategy`.

The strategy starts the processes' servers and their collective operations. Keras' `fit` cannot
run within its scope (keras-team/keras issue 20585), so each process trains a model of its own,
and their gradients are averaged on the way into the optimizer.
"""

import pickle
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_resnet.layers import replicas
from keras_resnet.training.barrier import meet
from keras_resnet.training.distribution import Distribution, buckets_of, share_state, spread_seeds


class Workers(Distribution):
    """Processes that TF_CONFIG names, each with a model of its own on its first device."""

    kind = "multi-worker"

    def __init__(self, workers: list[str], synchronize: bool, timeout: float):
        self.strategy = joined(workers, timeout)
        self.index = number_of(self.strategy.cluster_resolver)
        self.count = self.replicas = self.strategy.num_replicas_in_sync
        self.accelerators = Sum(self.count, self.strategy.extended.worker_devices[0], 1)
        self.processors = Sum(self.count, "/CPU:0", 2)
        replicas.sum_over_replicas = self.accelerators if synchronize else None

    def prepare(self, model: keras.Model) -> None:
        share_state(self, model)
        self.spread_seeds(model)
        model.jit_compile = False  # XLA has no collective operations between processes
        optimizer: Any = model.optimizer
        if hasattr(optimizer, "_averages_gradients"):
            return
        apply = optimizer.apply

        def apply_mean(gradients, trainable_variables=None):
            return apply(self.mean_of(gradients), trainable_variables)

        optimizer.apply, optimizer._averages_gradients = apply_mean, True

    def mean_of(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The mean over the processes of each; the last, the first ready, are sent first."""
        whole = [tf.convert_to_tensor(gradient) for gradient in gradients]
        means = []
        for bucket in buckets_of(whole[::-1], bytes_of, lambda gradient: gradient.dtype):
            flat = tf.concat([tf.reshape(gradient, [-1]) for gradient in bucket], 0)
            parts = tf.split(
                self.accelerators(flat) / self.count, [tf.size(part) for part in bucket]
            )
            means += [
                tf.reshape(part, tf.shape(old)) for part, old in zip(parts, bucket, strict=True)
            ]
        return means[::-1]

    def spread_seeds(self, model: keras.Model) -> None:
        spread_seeds(model, self.index)

    def settle(self, model: keras.Model) -> None:
        trainable = {id(variable) for variable in model.trainable_variables}
        kept = [v for v in model.variables if id(v) not in trainable] + model.metrics_variables
        kept = [variable for variable in kept if variable.value.dtype.is_floating]
        if kept:
            flat = tf.concat([tf.reshape(tf.cast(v.value, "float64"), [-1]) for v in kept], 0)
            parts = tf.split(self.processors(flat) / self.count, [tf.size(v.value) for v in kept])
            for variable, part in zip(kept, parts, strict=True):
                variable.assign(tf.cast(tf.reshape(part, variable.shape), variable.value.dtype))

    def gather(self, value):
        data = pickle.dumps(value)
        lengths = np.zeros(self.count, "int64")
        lengths[self.index] = len(data)
        lengths = self.processors(tf.constant(lengths)).numpy()
        rows = [data if n == self.index else b"" for n in range(self.count)]
        told = self.add_bytes(b"".join(map(padded_to, rows, lengths)))
        ends = np.cumsum([len(padded_to(b"", length)) for length in lengths])
        starts = [0, *ends[:-1]]
        return [
            pickle.loads(told[start : start + length])
            for start, length in zip(starts, lengths, strict=True)
        ]

    def broadcast(self, value):
        data = pickle.dumps(value) if self.is_first else b""
        length = int(self.processors(tf.constant(len(data), "int64")).numpy())
        return pickle.loads(self.add_bytes(padded_to(data, length)))

    def add_bytes(self, data: bytes) -> bytes:
        """The sum over processes of which, at any byte, all but one have 0."""
        return self.processors(tf.constant(np.frombuffer(data, "int32"))).numpy().tobytes()


class Sum:
    """The sum of a tensor over all processes; so is its gradient."""

    def __init__(self, count: int, device: str, group: int):
        self.count, self.device, self.group = count, device, group
        self.calls = 0
        with tf.device(device):
            self.order = tf.Variable(0.0)  # what uses it runs in one order in all processes

    def __call__(self, x):
        @tf.custom_gradient
        def summed(x):
            return self.reduce(x), self.__call__

        return summed(tf.convert_to_tensor(x))

    def reduce(self, x):
        self.calls += 1
        with tf.device(self.device):
            return tf.raw_ops.CollectiveReduceV2(
                input=x,
                group_size=self.count,
                group_key=self.group,
                instance_key=self.calls,
                ordering_token=[self.order.handle],
                merge_op="Add",
                final_op="Id",
            )


def joined(workers: list[str], timeout: float) -> tf.distribute.MultiWorkerMirroredStrategy:
    """
    Raises:
        RuntimeError: not all come, they differ, or TensorFlow was used before.
    """
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    index = number_of(resolver)
    try:
        sizes = meet(workers[0], len(workers), index, timeout)
    except OSError as error:
        raise RuntimeError(
            f"The {len(workers)} workers of TF_CONFIG did not come together within {timeout:g} s, "
            f"this one being number {index}: {error}"
        ) from error
    if set(sizes) != {len(workers)}:
        raise RuntimeError(
            "Workers were started with different TF_CONFIG, which name "
            f"{', '.join(map(str, sizes))} workers"
        )
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


def number_of(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> int:
    """This process' number: a chief comes before the workers."""
    chiefs = len(resolver.cluster_spec().as_dict().get("chief", []))
    return resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)


def bytes_of(tensor: tf.Tensor) -> int:
    return tensor.dtype.size * int(np.prod(tensor.shape))


def padded_to(data: bytes, length: int) -> bytes:
    """The bytes with zeros up to `length` and to whole int32.

    >>> padded_to(b"a", 5)
    b'a\\x00\\x00\\x00\\x00\\x00\\x00\\x00'
    """
    return data.ljust(-(-int(length) // 4) * 4, b"\0")
