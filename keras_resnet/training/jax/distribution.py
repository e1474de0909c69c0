"""JAX: one program over all devices, its batches split between them by `DataParallel`."""

import contextlib
import os
import pickle
import random
import weakref
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from keras_resnet.training.barrier import meet
from keras_resnet.training.processes import Distribution, padded, share_state

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
PROCESSES = "KERAS_DISTRIBUTION_NUM_PROCESSES"
PROCESS = "KERAS_DISTRIBUTION_PROCESS_ID"


def announced() -> str:
    """How the environment says that this process is one of several, or nothing."""
    if jax.distributed.is_initialized() and jax.process_count() > 1:
        return f"process {jax.process_index()} of {jax.process_count()} of jax.distributed"
    if "," in os.environ.get("TPU_WORKER_HOSTNAMES", ""):
        return f"TPU_WORKER_HOSTNAMES={os.environ['TPU_WORKER_HOSTNAMES']}"
    for name in (PROCESSES, "SLURM_STEP_NUM_TASKS"):
        if int(os.environ.get(name, "1")) > 1:
            return f"{name}={os.environ[name]}"
    return ""


def automatic() -> str:
    return "data-parallel" if announced() or jax.device_count() > 1 else "none"


def start(kind: str, synchronize: bool, timeout: float) -> Distribution:
    return DataParallel(timeout)


class DataParallel(Distribution):
    """Arrays of all devices of all processes: the program is that of one device."""

    kind = "data-parallel"

    def __init__(self, timeout: float):
        joins = announced() and not jax.distributed.is_initialized()
        if joins:
            join(timeout)
        self.index, self.count = jax.process_index(), jax.process_count()
        if joins:  # initial weights must be the same everywhere
            keras.utils.set_random_seed(self.from_first(lambda: random.randrange(2**31)))
        self.replicas = jax.device_count()
        # Batches come divided already: see `shard`.
        self.keras = keras.distribution.DataParallel(
            devices=keras.distribution.list_devices(), auto_shard_dataset=False
        )

    def scope(self):
        keras.distribution.set_distribution(self.keras)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def alone(self):
        # Keras makes a new optimizer to save one, and JAX would wait for the others' variables.
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(self.keras)

    def prepare(self, model: keras.Model) -> None:
        everywhere = {device.id for device in jax.devices()}
        variables = [*model.variables, *model.optimizer.variables]
        misplaced = [
            variable.path
            for variable in variables
            if {device.id for device in variable.value.sharding.device_set} != everywhere
        ]
        if misplaced:
            raise ValueError(
                "The model must be built and compiled within `scope()`. Received: "
                f"{model.name}, of which {len(misplaced)} variables are not on all "
                f"{self.replicas} devices, {misplaced[0]} the first"
            )
        if self.count > 1:
            share_state(self, model)

    def gather(self, value):
        if self.count == 1:
            return [value]
        data = np.frombuffer(pickle.dumps(value), "uint8")
        lengths = multihost_utils.process_allgather(np.array(len(data), "int32"))
        rows = multihost_utils.process_allgather(np.resize(data, max(lengths)))
        return [pickle.loads(row.tobytes()) for row in np.asarray(rows)]  # up to its end

    def broadcast(self, value):
        if self.count == 1:
            return value
        data = np.frombuffer(pickle.dumps(value), "uint8")
        length = int(multihost_utils.broadcast_one_to_all(np.array(len(data), "int32")))
        sent = multihost_utils.broadcast_one_to_all(np.resize(data, length))
        return pickle.loads(np.asarray(sent).tobytes())


def join(timeout: float) -> None:
    """Makes the processes one JAX.

    Raises:
        RuntimeError: they differ in how many they think they are, or do not all come.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    address = os.environ.get(ADDRESSES, "").split(",")[0] or None
    size = int(os.environ[PROCESSES]) if PROCESSES in os.environ else None
    index = int(os.environ[PROCESS]) if PROCESS in os.environ else None
    if address and size is not None and index is not None:
        # If not all arrive, JAX would abort the process without an exception.
        meet(address, size, index, timeout, PROCESSES)
    try:
        jax.distributed.initialize(
            coordinator_address=address,
            num_processes=size,
            process_id=index,
            initialization_timeout=round(timeout),
        )
    except (RuntimeError, ValueError) as error:
        raise RuntimeError(
            f"The processes did not come together within {timeout:g} s ({announced()}): {error}"
        ) from error


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Inference on the devices of this process alone: no other process is waited for.

    The weights are read in place and not copied to the host.
    """
    reference: Callable[[], Any] = weakref.ref(model)

    def forward(trainable, frozen, x):
        outputs, _ = reference().stateless_call(trainable, frozen, x, training=False)
        return outputs

    compiled = jax.jit(forward)

    def predict(x: np.ndarray) -> np.ndarray:
        model = reference()
        held = [variable.value.sharding.addressable_devices for variable in model.variables[:1]]
        devices = sorted(*held or [jax.local_devices()[:1]], key=lambda device: device.id)
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
