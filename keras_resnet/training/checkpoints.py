"""The state of a run in files: all of it, checked when it is read, the one before kept."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import DAMAGE, atomic_write
from keras_resnet.common.zips import read_npz

RECORD = "record.json"


@dataclass(frozen=True)
class Checkpoint:
    """A run between two steps.

    Args:
        step: how many steps it has taken.
        arrays: the value of every variable of the model, its optimizer and its metrics.
        record: what else it needs to continue, for `json`.
    """

    step: int
    arrays: dict[str, np.ndarray]
    record: dict[str, Any]


class DamagedError(OSError):
    """No checkpoint of a run can be read."""


class Checkpoints:
    """The checkpoints of one run in a folder, the newest ones.

    Args:
        folder: of the run.
        keep: how many checkpoints stay.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoints(Path(folder))
    ...     for step in (10, 20, 30):
    ...         kept.save(Checkpoint(step, {"w": np.ones(2)}, {"epoch": 0}))
    ...     kept.steps(), kept.latest().step
    ([20, 30], 30)
    """

    @checked(keep=(1, math.inf))
    def __init__(self, folder: Path, keep: int = 2):
        self.folder = Path(folder)
        self.keep = keep

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:09d}.npz"

    def steps(self) -> list[int]:
        """Of the checkpoints there are, oldest first."""
        names = (re.fullmatch(r"step-(\d+)\.npz", path.name) for path in self.folder.glob("*"))
        return sorted(int(name[1]) for name in names if name)

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint whole, then removes those older than the one before it.

        Raises:
            OSError: it cannot be written; those there stay.
        """
        whole = {**checkpoint.record, "arrays": list(checkpoint.arrays)}
        record = np.frombuffer(json.dumps(whole).encode(), "uint8")
        with atomic_write(self.path(checkpoint.step)) as path, path.open("wb") as file:
            np.savez(file, **{RECORD: record, **checkpoint.arrays})  # type: ignore[arg-type]
        for step in self.steps()[: -self.keep]:
            self.path(step).unlink(missing_ok=True)

    def latest(self) -> Checkpoint | None:
        """The newest that can be read, or None where there is none.

        Raises:
            DamagedError: there are checkpoints and none can be read.
        """
        damaged = []
        for step in reversed(self.steps()):
            try:
                return self.read(step)
            except DAMAGE as error:
                damaged.append(f"{self.path(step)}: {error}")
                print(f"A checkpoint cannot be read; trying the one before. {damaged[-1]}")
        if damaged:
            raise DamagedError("No checkpoint of this run can be read: " + "; ".join(damaged))
        return None

    def read(self, step: int) -> Checkpoint:
        arrays = read_npz(self.path(step))
        record = json.loads(arrays.pop(RECORD).tobytes())
        if set(record.pop("arrays", arrays)) != arrays.keys():
            raise ValueError("its directory does not list all of its arrays")
        return Checkpoint(step, arrays, record)


def variables_of(model: keras.Model) -> dict[str, keras.Variable]:
    """Everything that a training step reads or changes, seeds of random layers included."""
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
    return {
        f"{group}/{index:05d}/{variable.name}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def synchronize(model: keras.Model) -> None:
    """Puts the values back into the variables, where Keras' `fit` has taken them out: on JAX."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def read_state(model: keras.Model) -> dict[str, np.ndarray]:
    """The values of `variables_of(model)` as arrays of NumPy's own types."""
    return {name: as_numpy(variable) for name, variable in variables_of(model).items()}


def as_numpy(variable: keras.Variable) -> np.ndarray:
    value = variable.value
    if hasattr(value, "read_value"):  # TensorFlow's, of which each replica may hold a part
        value = value.read_value()
    if variable.dtype == "bfloat16":  # float32 holds each of its values
        value = keras.ops.cast(value, "float32")
    return np.asarray(keras.ops.convert_to_numpy(value))


def write_state(model: keras.Model, arrays: dict[str, np.ndarray], *groups: str) -> None:
    """Gives a model the values of `read_state`.

    Args:
        groups: of `"model"`, `"optimizer"` and `"metrics"`: which to write. Keras makes some
            metrics only when a training begins.

    Raises:
        ValueError: the arrays are of another model, or of another optimizer.
    """
    arrays = {name: array for name, array in arrays.items() if name.startswith(groups)}
    variables = variables_of(model)
    variables = {name: value for name, value in variables.items() if name.startswith(groups)}
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    saved = {name: array.shape for name, array in arrays.items()}
    other = [
        f"{name} (model: {shapes.get(name, 'none')}, checkpoint: {saved.get(name, 'none')})"
        for name in sorted(shapes.keys() | saved.keys())
        if shapes.get(name) != saved.get(name)
    ]
    if other:
        raise ValueError(
            f"The checkpoint is of another model or optimizer: {len(other)} of {len(shapes)} "
            f"variables differ, the first being {', '.join(other[:3])}"
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def make_metrics(model: keras.Model, batch: tuple) -> None:
    """Has Keras make the variables of the metrics, which it else does in the first step."""
    images, labels = batch[:2]
    predicted = keras.tree.map_structure(
        lambda output: keras.ops.zeros((len(images), *output.shape[1:])),
        model.outputs[0] if isinstance(model, keras.Sequential) else model.output,
    )
    model.compute_loss(images, labels, predicted)
    model.compute_metrics(images, labels, predicted)
    model.reset_metrics()
