"""PyTorch: a process for each device, which average their gradients."""

import atexit
import datetime
import os
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
import torch.distributed as dist

from keras_resnet.layers import replicas
from keras_resnet.training.processes import SEED_STEP, Distribution, ModelPerProcess
from keras_resnet.training.torch.gradients import average_gradients


def announced() -> str:
    """How the environment says that this process is one of several, or nothing."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return f"WORLD_SIZE={os.environ['WORLD_SIZE']}, RANK={os.environ.get('RANK')}"
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        return f"rank {dist.get_rank()} of {dist.get_world_size()} of torch.distributed"
    return ""


def automatic() -> str:
    if not announced() and torch.cuda.device_count() > 1:
        count = torch.cuda.device_count()
        print(
            f"1 of {count} GPUs will be used. For all: torchrun --nproc-per-node {count} ...",
            flush=True,
        )
    return "ddp" if announced() else "none"


def start(kind: str, synchronize: bool, timeout: float) -> Distribution:
    return DataParallel(synchronize, timeout)


class DataParallel(ModelPerProcess):
    """Processes that `torchrun` started."""

    kind = "ddp"

    def __init__(self, synchronize: bool, timeout: float):
        if not dist.is_initialized():
            join(timeout)
        self.index, self.count = dist.get_rank(), dist.get_world_size()
        self.replicas = self.count
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        several = synchronize and self.count > 1
        replicas.sum_over_replicas = SumOverProcesses.apply if several else None

    def prepare(self, model: keras.Model) -> None:
        super().prepare(model)
        for hook in getattr(model, "_averaging", []):  # of a fit with other layers frozen
            hook.remove()
        model._averaging = average_gradients(
            [variable.value for variable in model.trainable_variables]
        )

    def fold_in_rank(self, model: keras.Model) -> None:
        super().fold_in_rank(model)
        # Keras' Dropout draws from torch's own generator, which may have one seed in all.
        seed = self.broadcast(int(torch.randint(2**31, ())))
        torch.manual_seed(seed + self.index * SEED_STEP)

    def total(self, numbers):
        tensor = torch.tensor(numbers)
        dist.all_reduce(tensor)
        return tensor.numpy()


def join(timeout: float) -> None:
    """Makes the processes a group, once they have compared their `WORLD_SIZE`.

    Raises:
        RuntimeError: a variable of the environment is missing, they differ, or do not all come.
    """
    names = ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE")
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise RuntimeError(
            "ddp wants processes started by torchrun, which sets "
            f"{', '.join(names)}. Not set: {', '.join(missing)}"
        )
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if not 0 <= rank < size:
        raise RuntimeError(f"RANK must be below WORLD_SIZE. Received: RANK={rank}, {size=}")
    hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    wait = datetime.timedelta(seconds=timeout)
    try:
        store: Any = dist.TCPStore(
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=rank == 0 and not hosted,
            timeout=wait,
            wait_for_workers=False,
        )
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.PrefixStore(f"keras_resnet/{attempt}", store)
        store.set(f"size/{rank}", str(size))
        sizes = [int(store.get(f"size/{other}")) for other in range(size)]
    except dist.DistError as error:
        raise RuntimeError(
            f"Not all of the {size} processes arrived within {timeout:g} s (WORLD_SIZE={size}, "
            f"MASTER_ADDR={os.environ['MASTER_ADDR']}): {error}"
        ) from error
    if set(sizes) != {size}:
        raise RuntimeError(
            "Processes were started with different WORLD_SIZE: "
            + ", ".join(f"process {n} with {other}" for n, other in enumerate(sizes))
        )
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # Gloo and NCCL wait as long for a message: an evaluation may come between two.
    limit = max(wait, datetime.timedelta(minutes=30))
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=limit)
    # A thread that still runs when the process ends can abort it (exit code 134).
    atexit.register(leave)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


class SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx, x):
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, gradient):
        return SumOverProcesses.apply(gradient)


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Inference in this process alone."""
    reference: Callable[[], Any] = weakref.ref(model)

    def predict(x: np.ndarray) -> np.ndarray:
        model = reference()
        mode = model.training
        model.eval()
        try:
            with torch.no_grad():
                outputs = model(x, training=False)
        finally:
            model.train(mode)
        return keras.ops.convert_to_numpy(outputs)

    return predict
