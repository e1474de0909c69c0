"""The machine as a framework sees it: threads, waiting, device memory."""

import os

import numpy as np

from benchmarks.training.catalog import Case


def environment(case: Case) -> dict[str, str]:
    """Variables that must be set before a framework is imported."""
    threads = str(case.threads)
    settings = {
        "KERAS_BACKEND": case.backend,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Processes of one GPU live side by side: none may take all its memory at the start.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
    if case.device == "cpu":
        settings |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return settings


def pin(case: Case) -> None:
    """Keeps this process to as many cores as it has threads; XLA on CPU counts these."""
    if case.device == "cpu" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: case.threads])


def set_threads(case: Case) -> None:
    """Thread counts that have a function as well as a variable."""
    if case.backend == "torch":
        import torch

        torch.set_num_threads(case.threads)


def waiter(backend: str):
    """A function that blocks until what a step returned, and all before it, is computed."""
    if backend == "jax":
        import jax

        return jax.block_until_ready
    if backend == "tensorflow":
        import tensorflow as tf

        return lambda outputs: tf.test.experimental.sync_devices()
    import torch

    return lambda outputs: torch.cuda.synchronize() if torch.cuda.is_available() else None


def name(backend: str) -> str:
    """The accelerator a framework computes on, or "cpu"."""
    if backend == "jax":
        import jax

        found = jax.devices()[0]
        return "cpu" if found.platform == "cpu" else found.device_kind
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return "cpu"
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def allocator_peak(backend: str) -> int:
    """The most bytes a framework's GPU allocator has held."""
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    import torch

    return torch.cuda.max_memory_allocated()


def check(outputs) -> None:
    """Raises where a step did not give finite numbers."""
    values = outputs["loss"] if isinstance(outputs, dict) else outputs
    if hasattr(values, "detach"):
        values = values.detach().float().cpu()
    if not np.isfinite(np.asarray(values, "float32")).all():
        raise FloatingPointError("the outputs of a step are not finite")


def resident(field: str = "VmRSS") -> int | None:
    """Bytes of this process in memory now, or at most ("VmHWM"); None where Linux is not."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
    except FileNotFoundError:
        return None
    return int(lines[field].split()[0]) * 1024
