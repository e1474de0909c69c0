"""TensorFlow: the strategies of `tf.distribute`."""

import json
import os
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_resnet.layers import replicas
from keras_resnet.training.processes import Distribution, padded
from keras_resnet.training.tensorflow.feeding import dataset_of
from keras_resnet.training.tensorflow.workers import Workers


def announced() -> str:
    """How the environment says that this process is one of several, or nothing."""
    workers = workers_of(os.environ.get("TF_CONFIG"))
    return f"TF_CONFIG names {len(workers)} workers" if len(workers) > 1 else ""


def workers_of(config: str | None) -> list[str]:
    """The addresses of chief and workers in a TF_CONFIG.

    >>> workers_of('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker"}}')
    ['a:1', 'b:1']
    """
    cluster = json.loads(config or "{}").get("cluster", {})
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def devices() -> list[str]:
    """The accelerators there are, or the CPUs, as `tf.distribute` names them."""
    for kind in ("GPU", "CPU"):
        if found := tf.config.list_logical_devices(kind):
            return [f"{kind}:{n}" for n in range(len(found))]
    return []


def automatic() -> str:
    if announced():
        return "multi-worker"
    return "mirrored" if len(devices()) > 1 else "none"


def start(kind: str, synchronize: bool, timeout: float) -> Distribution:
    if kind == "multi-worker":
        if not announced():
            raise RuntimeError("multi-worker wants the workers' addresses in TF_CONFIG")
        return Workers(workers_of(os.environ.get("TF_CONFIG")), synchronize, timeout)
    if announced():
        raise RuntimeError(
            f"mirrored trains in one process, and this one is one of several ({announced()}). "
            "Unset TF_CONFIG"
        )
    return Mirrored(synchronize)


class Mirrored(Distribution):
    """One process, a replica of the model on each of its devices: `tf.distribute`."""

    kind = "mirrored"

    def __init__(self, synchronize: bool):
        names = devices()
        self.strategy = tf.distribute.MirroredStrategy(names)
        self.replicas = len(names)
        several = synchronize and self.replicas > 1
        replicas.sum_over_replicas = sum_over_replicas if several else None

    def scope(self):
        return self.strategy.scope()

    def prepare(self, model: keras.Model) -> None:
        if model.distribute_strategy is not self.strategy:
            raise ValueError(
                "The model must be built and compiled within `scope()`. "
                f"Received: {model.name}, which was not"
            )

    def feed(self, data, start, stop):
        # Keras takes a batch to build the model by, and cannot give it back to a generator.
        return dataset_of(data, start, stop)

    def sync_state(self, model: keras.Model) -> None:
        for variable in model.non_trainable_variables:
            copies = self.strategy.experimental_local_results(variable.value)
            if len(copies) > 1 and copies[0].dtype.is_floating:
                mean = tf.add_n([copy.read_value() for copy in copies]) / len(copies)
                for copy in copies:
                    copy.assign(mean)
        for variable in model.metrics_variables:  # a sum over replicas, when it is read
            variable.assign(variable.value.read_value())


def sum_over_replicas(x):
    context = tf.distribute.get_replica_context()
    return x if context is None else context.all_reduce(tf.distribute.ReduceOp.SUM, x)


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Inference on all replicas of the model's strategy, each with a part of the batch."""
    reference: Callable[[], Any] = weakref.ref(model)
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True)
    def forward(x):
        return reference()(x, training=False)

    @tf.function(reduce_retracing=True)
    def on_all(x):
        return strategy.run(forward, args=(x,))

    def predict(x: np.ndarray) -> np.ndarray:
        count = strategy.num_replicas_in_sync
        if count == 1:
            return forward(tf.convert_to_tensor(x)).numpy()
        shares = np.array_split(padded(x, count), count)
        given = strategy.experimental_distribute_values_from_function(
            lambda context: tf.convert_to_tensor(shares[context.replica_id_in_sync_group])
        )
        outputs = strategy.experimental_local_results(on_all(given))
        return np.concatenate([part.numpy() for part in outputs])[: len(x)]

    return predict
