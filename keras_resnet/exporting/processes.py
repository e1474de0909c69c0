"""Writing and running files here, or on another backend in a process of its own.

A model is passed on as its configuration and weights, a .keras file in a temporary folder that
no other user can write to; images and outputs as pickles there.
"""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import keras_resnet
from keras_resnet.exporting import runtimes, writers
from keras_resnet.exporting.formats import ExportError
from keras_resnet.graph import deep_graph

# Errors that a caller gets as they are; every other one becomes an ExportError.
PASSED_ON = (ExportError, ImportError, OSError)
Outputs = list[np.ndarray]


@dataclass(frozen=True)
class Job:
    """One file to write on a backend, and to run on the first `tries` images each."""

    format: str
    backend: str
    path: str
    dtype: str
    policy: str
    batch: int | None
    tries: tuple[int, ...]


def run_jobs(
    jobs: Sequence[Job],
    models: dict[str, keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
) -> list[list[Outputs]]:
    """Writes and runs all files, here if this backend writes them, else in one process a backend.

    Args:
        jobs: any number.
        models: for each policy, the model to write.
        images: to run the files on.
        calibration: images for int8.

    Returns:
        For every job, for every number of images tried, the outputs.

    Raises:
        OSError, ImportError, ExportError: whatever went wrong.
    """
    found: dict[Job, list[Outputs]] = {}
    for backend in dict.fromkeys(job.backend for job in jobs):
        chosen = [job for job in jobs if job.backend == backend]
        if backend == keras.backend.backend() and on_cpu(models):
            outputs = do_jobs(chosen, models.__getitem__, images, calibration)
        else:
            outputs = do_jobs_elsewhere(chosen, models, images, calibration)
        found |= dict(zip(chosen, outputs, strict=True))
    return [found[job] for job in jobs]


def on_cpu(models: dict[str, keras.Model]) -> bool:
    """Whether torch's tensors are on the CPU, where an exported program has to find them."""
    if keras.backend.backend() != "torch":
        return True
    return all(v.value.device.type == "cpu" for m in models.values() for v in m.variables)


def do_jobs(
    jobs: Sequence[Job],
    load: Callable[[str], keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
) -> list[list[Outputs]]:
    """`run_jobs` in this process, of the models that `load` returns for a policy."""
    found = []
    for job in jobs:
        try:
            path, model = Path(job.path), load(job.policy)
            writers.write(model, job.format, path, job.dtype, job.batch, calibration)
            run = runtimes.RUNTIMES[job.format](job.path, None) if job.tries else None
            found.append([run(images[:size]) for size in job.tries] if run else [])
        except PASSED_ON:
            raise
        except Exception as error:
            raise ExportError(
                f"The {job.format} file could not be written and run: "
                f"{type(error).__name__}: {error}"
            ) from error
    return found


def do_jobs_elsewhere(
    jobs: Sequence[Job],
    models: dict[str, keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
) -> list[list[Outputs]]:
    """`run_jobs` in another process, under the KERAS_BACKEND of the jobs, on the CPU alone."""
    backend = jobs[0].backend
    home = str(Path(keras_resnet.__file__).parents[1])
    environment = {
        "KERAS_BACKEND": backend,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join([home, *filter(None, sys.path)]),
    }
    with tempfile.TemporaryDirectory(prefix="keras_resnet-") as name:
        folder = Path(name)
        for policy in {job.policy for job in jobs}:
            with deep_graph():
                models[policy].save(folder / f"{policy}.keras")
        (folder / "task").write_bytes(pickle.dumps((jobs, images, calibration)))
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import main; main({name!r})"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            return pickle.loads((folder / "outputs").read_bytes())
        if (folder / "error").exists():
            kind, message = pickle.loads((folder / "error").read_bytes())
            raise PASSED_ON[kind](f"On {backend}: {message}")
    last = "\n".join(done.stderr.strip().splitlines()[-8:])
    raise ExportError(f"The process that writes on {backend} ended with {done.returncode}:\n{last}")


def main(name: str) -> None:
    """The other process: reads what `do_jobs_elsewhere` wrote, writes outputs or an error."""
    folder = Path(name)
    jobs, images, calibration = pickle.loads((folder / "task").read_bytes())

    def load(policy):
        return keras.saving.load_model(folder / f"{policy}.keras", compile=False)

    try:
        found = do_jobs(jobs, load, images, calibration)
        (folder / "outputs").write_bytes(pickle.dumps(found))
    except PASSED_ON as error:
        kind = next(n for n, one in enumerate(PASSED_ON) if isinstance(error, one))
        (folder / "error").write_bytes(pickle.dumps((kind, str(error))))
        raise
