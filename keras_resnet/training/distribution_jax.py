"""JAX: one program over all devices, its batches split between them by `DataParallel`."""

import weakref
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Inference on the devices of this process alone: no other process is waited for.

    The weights are read where they lie, never taken out of the model.
    """
    reference: Callable[[], Any] = weakref.ref(model)

    def forward(trainable, frozen, x):
        outputs, _ = reference().stateless_call(trainable, frozen, x, training=False)
        return outputs

    compiled = jax.jit(forward)

    def predict(x: np.ndarray) -> np.ndarray:
        model = reference()
        devices = sorted(
            model.variables[0].value.sharding.addressable_devices, key=lambda device: device.id
        )
        mesh = Mesh(np.array(devices), ("batch",))
        whole = NamedSharding(mesh, PartitionSpec())

        def local(variable: keras.Variable) -> jax.Array:
            if not variable.value.sharding.is_fully_replicated:
                raise ValueError(
                    "Each device must hold all weights (DataParallel). "
                    f"Received: {variable.path} of sharding {variable.value.sharding}"
                )
            return jax.device_put(variable.value.addressable_data(0), whole)

        outputs = compiled(
            list(map(local, model.trainable_variables)),
            list(map(local, model.non_trainable_variables)),
            jax.device_put(padded(x, len(devices)), NamedSharding(mesh, PartitionSpec("batch"))),
        )
        return np.asarray(outputs)[: len(x)]

    return predict


def padded(x: np.ndarray, count: int) -> np.ndarray:
    """A batch that `count` devices can share evenly: zeros are added."""
    return np.concatenate([x, np.zeros((-len(x) % count, *x.shape[1:]), x.dtype)])
