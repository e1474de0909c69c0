"""What an evaluation found: numbers for people, JSON for machines."""

import base64
import datetime
import io
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_resnet
from keras_resnet.common.arguments import checked
from keras_resnet.common.files import DAMAGE
from keras_resnet.common.zips import read_npz
from keras_resnet.evaluation.metrics import confusion_matrix, confusion_pairs, error, per_class

FORMAT = "keras_resnet.evaluation/1"
LARGEST_MATRIX = 100  # classes; above that a confusion matrix is neither small nor legible
THUMBNAIL = 96  # pixels


@checked()
@dataclass(frozen=True)
class Evaluation:
    """The results of `evaluate`.

    Args:
        record: what the JSON holds: `top1` and `top5` (error in percent, 95 % interval, counts),
            `per_class`, `confusion_pairs`, `mistakes`, `configuration`, `versions`, `seconds`.
        labels: the true class of every image.
        arrays: `predicted`, `rank` (classes before the true one), `confidence` and
            `true_probability`, by image.
    """

    record: dict[str, Any]
    labels: np.ndarray
    arrays: dict[str, np.ndarray]

    @property
    def images(self) -> int:
        return len(self.labels)

    @property
    def top1_error(self) -> float:
        """In percent."""
        return self.record["top1"]["error"]

    @property
    def top5_error(self) -> float | None:
        """In percent; None where there are five classes or fewer."""
        return self.record["top5"] and self.record["top5"]["error"]

    @property
    def predicted(self) -> np.ndarray:
        return self.arrays["predicted"]

    def __str__(self) -> str:
        lines = [f"{self.images:,} images, {self.record['configuration']['protocol']['name']}"]
        for title, name in (("top-1", "top1"), ("top-5", "top5")):
            if found := self.record[name]:
                low, high = found["interval_95"]
                lines.append(
                    f"{title} error {found['error']:.2f} % (95 % interval {low:.2f} to {high:.2f})"
                )
        return "\n".join(lines)


def summary(source, progress, configuration: dict[str, Any]) -> dict[str, Any]:
    """The record of a finished evaluation, except for the mistakes and the time it took."""
    labels, names = source.labels, source.class_names
    predicted, rank, classes = progress["predicted"], progress["rank"], len(source.class_names)
    images = len(labels)
    small = classes <= LARGEST_MATRIX
    return {
        "format": FORMAT,
        "top1": error(int((rank > 0).sum()), images),
        "top5": error(int((rank > 4).sum()), images) if classes > 5 else None,
        "class_names": list(names) if small else None,
        "confusion": confusion_matrix(labels, predicted, classes).tolist() if small else None,
        "confusion_pairs": confusion_pairs(labels, predicted, names),
        "per_class": per_class(labels, predicted, names),
        "configuration": configuration,
        "versions": {
            "keras_resnet": keras_resnet.__version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def mistakes(source, progress, most: int) -> list[dict[str, Any]]:
    """The most confident mistakes, each with a small picture."""
    wrong = np.flatnonzero(progress["rank"] > 0)
    order = wrong[np.argsort(-progress["confidence"][wrong], kind="stable")][:most]
    return [
        {
            "image": source.name(int(index)),
            "true": source.class_names[source.labels[index]],
            "predicted": source.class_names[progress["predicted"][index]],
            "confidence": float(progress["confidence"][index]),
            "true_probability": float(progress["true_probability"][index]),
            "thumbnail": thumbnail(source.pixels(source.read(int(index)), int(index))),
        }
        for index in order
    ]


def thumbnail(pixels: np.ndarray) -> str | None:
    """A data URL of a PNG no larger than 96 pixels; None without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return None
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = np.round(255 * (pixels - low) / max(high - low, 1e-12)).astype("uint8")
    if pixels.shape[0] in (1, 3) and pixels.shape[-1] not in (1, 3):
        pixels = pixels.transpose(1, 2, 0)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3])
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@checked()
def read(path: str | Path) -> Evaluation:
    """The results that `evaluate(out=path)` wrote.

    Args:
        path: of the JSON file. The arrays are in an `.npz` file beside it.

    Raises:
        ValueError: the file is of another kind, or the arrays beside it are missing.
    """
    path = Path(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"{path} holds no results of an evaluation")
    beside = path.with_suffix(".npz")
    if not beside.exists():
        raise ValueError(f"{beside}, which belongs to {path}, is missing")
    try:
        arrays = read_npz(beside)
        arrays.pop("configuration", None)
        return Evaluation(record, arrays.pop("labels"), arrays)
    except DAMAGE as error:
        raise ValueError(f"{beside} is damaged: {error!r}") from error
