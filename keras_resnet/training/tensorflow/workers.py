"""TensorFlow: a process for each device, joined by `tf.distribute.MultiWorkerMirroredStrategy`.

The strategy starts the processes' servers and their collective operations. Keras' `fit` cannot
run within its scope (keras-team/keras issue 20585), so each process trains a model of its own,
and their gradients are averaged on the way into the optimizer.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_resnet.layers import replicas
from keras_resnet.training.barrier import meet
from keras_resnet.training.processes import ModelPerProcess, buckets_of


class Workers(ModelPerProcess):
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
        super().prepare(model)
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

    def total(self, numbers):
        return self.processors(tf.constant(numbers)).numpy()


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
    meet(workers[0], len(workers), number_of(resolver), timeout, "TF_CONFIG")
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


def number_of(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> int:
    """This process' number: a chief comes before the workers."""
    chiefs = len(resolver.cluster_spec().as_dict().get("chief", []))
    return resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)


def bytes_of(tensor: tf.Tensor) -> int:
    return tensor.dtype.size * int(np.prod(tensor.shape))
