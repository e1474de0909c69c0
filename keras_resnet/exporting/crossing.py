"""Writing and running files here, or on another backend in a process of its own.

A model crosses over as its configuration and weights, a .keras file in a temporary folder.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import keras_resnet
from keras_resnet.exporting import runtimes, writers
from keras_resnet.exporting.formats import ExportError
from keras_resnet.graph import deep_graph

# What a caller is told of as it is; all else that goes wrong is an ExportError.
PASSED_ON = (ExportError, ImportError, OSError)


@dataclass(frozen=True)
class Job:
    """One file to write and to run on the first `tries` images each."""

    format: str
    path: str
    dtype: str
    policy: str
    batch: int | None
    tries: tuple[int, ...]


def do_jobs(
    jobs: Iterable[Job],
    load: Callable[[str], keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
    folder: Path,
) -> None:
    """Writes every file and, into `folder`, what it says of the images: `0-1.npz` and so on.

    Raises:
        OSError, ImportError, ExportError: whatever the tools of a format raise is one of these.
    """
    for number, job in enumerate(jobs):
        try:
            writers.write(
                load(job.policy), job.format, Path(job.path), job.dtype, job.batch, calibration
            )
            if job.tries:
                run = runtimes.RUNTIMES[job.format](job.path, None)
            for attempt, size in enumerate(job.tries):
                np.savez(folder / f"{number}-{attempt}.npz", *run(images[:size]))
        except PASSED_ON:
            raise
        except Exception as error:
            raise ExportError(
                f"The {job.format} file could not be written and run: "
                f"{type(error).__name__}: {error}"
            ) from error


def outputs_in(folder: Path, number: int, attempt: int) -> list[np.ndarray]:
    """What `do_jobs` left there."""
    with np.load(folder / f"{number}-{attempt}.npz") as outputs:
        return [outputs[f"arr_{n}"] for n in range(len(outputs.files))]


def in_another_process(
    backend: str,
    jobs: list[Job],
    models: dict[str, keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
    folder: Path,
) -> None:
    """`do_jobs` under KERAS_BACKEND=`backend`, on the processor alone.

    Raises:
        OSError, ImportError, ExportError: whatever went wrong there.
    """
    for policy, model in models.items():
        with deep_graph():
            model.save(folder / f"{policy}.keras")
    (folder / "jobs.json").write_text(json.dumps([dataclasses.asdict(job) for job in jobs]))
    arrays = {"images": images} | ({} if calibration is None else {"calibration": calibration})
    np.savez(folder / "images.npz", **arrays)  # type: ignore[arg-type]
    home = str(Path(keras_resnet.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "keras_resnet.exporting.child", str(folder)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join([home, *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return
    told = folder / "error.json"
    if told.exists() and told.stat().st_size:
        error = json.loads(told.read_text())
        raise PASSED_ON[error["kind"]](f"On {backend}: {error['message']}")
    last = "\n".join(done.stderr.strip().splitlines()[-8:])
    raise ExportError(f"The process that writes on {backend} ended with {done.returncode}:\n{last}")


def run_jobs(
    jobs: Sequence[Job],
    backends: Sequence[str],
    models: dict[str, keras.Model],
    images: np.ndarray,
    calibration: np.ndarray | None,
) -> list[list[list[np.ndarray]]]:
    """Writes all files, here where this backend is asked for, else in one process a backend.

    Returns:
        For every job, for every number of images tried, the outputs.
    """
    found: dict[int, list[list[np.ndarray]]] = {}
    for backend in dict.fromkeys(backends):
        numbers = [n for n, name in enumerate(backends) if name == backend]
        mine = [jobs[n] for n in numbers]
        with tempfile.TemporaryDirectory(prefix="keras_resnet-") as name:
            folder = Path(name)
            if backend == keras.backend.backend() and on_processor(models):
                do_jobs(mine, models.__getitem__, images, calibration, folder)
            else:
                needed = {job.policy: models[job.policy] for job in mine}
                in_another_process(backend, mine, needed, images, calibration, folder)
            for place, n in enumerate(numbers):
                tries = range(len(jobs[n].tries))
                found[n] = [outputs_in(folder, place, attempt) for attempt in tries]
    return [found[n] for n in range(len(jobs))]


def on_processor(models: dict[str, keras.Model]) -> bool:
    """Whether torch's tensors are where an exported program is to find them."""
    if keras.backend.backend() != "torch":
        return True
    return all(v.value.device.type == "cpu" for m in models.values() for v in m.variables)
