"""What is known of each image so far, in memory and in a file."""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.common.files import DAMAGE, atomic_write, refuse_other_settings
from keras_resnet.common.zips import read_npz
from keras_resnet.evaluation.protocols import renamed

ARRAYS = {
    "done": bool,
    "predicted": np.int32,  # the likeliest class
    "rank": np.int32,  # how many classes come before the true one
    "confidence": np.float32,  # probability of the likeliest class
    "true_probability": np.float32,
}
SHOW_EVERY = {True: 0.05, False: 30}  # seconds between two states of a bar: on a terminal or not


def refuse_other_results(path, saved: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raises where the results in a file are of another configuration."""
    saved = saved | {"protocol": renamed(saved["protocol"])}
    remedy = "Nothing is written over: choose another file or move this one away"
    refuse_other_settings(path, saved, wanted, what="results", remedy=remedy)


class Progress:
    """One row of results for each image, all or some of them measured.

    Args:
        labels: of all images, which are kept with the results.
        configuration: what the results depend on; a file of another is refused.
        path: of the file, or None to keep nothing.
    """

    def __init__(self, labels: np.ndarray, configuration: dict[str, Any], path: Path | None):
        self.labels, self.path, self.configuration = labels, path, configuration
        self.arrays = {name: np.zeros(len(labels), kind) for name, kind in ARRAYS.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def put(self, index: int, **values: float) -> None:
        """Notes an image, once.

        Raises:
            RuntimeError: the image was counted before.
        """
        if self["done"][index]:
            raise RuntimeError(f"Image {index} was counted twice")
        for name, value in values.items():
            self.arrays[name][index] = value
        self["done"][index] = True

    def save(self) -> None:
        """Writes all that is known, whole or not at all."""
        if self.path is None:
            return
        text = np.frombuffer(json.dumps(self.configuration).encode(), "uint8")
        arrays: dict[str, Any] = {"configuration": text, "labels": self.labels, **self.arrays}
        with atomic_write(self.path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    def resume(self) -> None:
        """Reads the rows of an earlier file, if there is one.

        Raises:
            ValueError: the file is of another configuration, or damaged.
        """
        if self.path is None or not self.path.exists():
            return
        try:
            arrays = read_npz(self.path)
            configuration = json.loads(arrays.pop("configuration").tobytes())
        except DAMAGE as error:
            raise ValueError(
                f"{self.path} cannot be read: move it away to start again. {error}"
            ) from error
        refuse_other_results(self.path, configuration, self.configuration)
        self.arrays = {name: arrays[name].astype(kind) for name, kind in ARRAYS.items()}


class Bar:
    """A bar of the images that are left, with the time they will take, and the error so far."""

    def __init__(self, progress: Progress, verbose: int):
        self.progress = progress
        self.before, images = int(progress["done"].sum()), len(progress.labels)
        if self.before and verbose:
            print(f"{self.before:,} of {images:,} images are measured already", flush=True)
        self.bar = keras.utils.Progbar(
            images - self.before,
            verbose=verbose,
            interval=SHOW_EVERY[sys.stdout.isatty()],
            unit_name="image",
            stateful_metrics=["top-1 error (%)"],
        )

    def show(self) -> None:
        done = self.progress["done"]
        wrong = 100 * np.mean(self.progress["rank"][done] > 0) if done.any() else 0.0
        self.bar.update(int(done.sum()) - self.before, [("top-1 error (%)", wrong)])
