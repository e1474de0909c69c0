"""Whether an exported file computes what the model does."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_resnet.exporting.formats import ExportError

# Largest difference, as a part of the largest output. Half precision rounds every weight, and
# where the graph computes in it every map too; int8 has 256 levels.
TOLERANCES = {"float32": 1e-4, "float16": 0.02, "bfloat16": 0.1, "int8": 0.5}


@dataclass(frozen=True)
class Report:
    """What was written, and how far it is from the model.

    `difference` is the largest difference of any output on any image and `relative` the same
    as a part of the largest output; `top1_agreement` is the part of the images for which the
    file and the model say the same class; `batches` are the batch sizes tried; `seconds` is
    what all of it took. Where nothing was verified, these are None. `kept_batch_norms` counts
    normalizations that could not be folded. `compared_on` says whose images they were.
    """

    path: str
    format: str
    dtype: str
    bytes: int
    seconds: float
    kept_batch_norms: int
    difference: float | None = None
    relative: float | None = None
    top1_agreement: float | None = None
    images: int = 0
    compared_on: str | None = None
    batches: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def outputs_of(model: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """What a Keras model says of images in inference, in float32."""
    outputs = keras.tree.flatten(model(images, training=False))
    return [keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in outputs]


def compared(
    expected: list[np.ndarray], found: list[list[np.ndarray]], tolerance: float, what: str
) -> dict[str, Any]:
    """The figures of a report.

    Args:
        expected: outputs of the model for all images.
        found: for every batch that was tried, outputs for as many images from the first.
        tolerance: the largest `relative` that passes.

    Raises:
        ExportError: it is exceeded, or shapes differ.
    """
    difference = relative = 0.0
    same = tried = 0
    for outputs in found:
        if len(outputs) != len(expected):
            raise ExportError(f"{what} has {len(outputs)} outputs instead of {len(expected)}")
        for got, wanted in zip(outputs, expected, strict=True):
            wanted = wanted[: len(got)]
            if got.shape != wanted.shape:
                raise ExportError(
                    f"{what} gives outputs of shape {got.shape} instead of {wanted.shape}"
                )
            error = np.abs(np.asarray(got, "float64") - wanted)
            error = np.where(np.isfinite(error), error, np.inf)
            difference = max(difference, float(error.max()))
            scale = float(np.abs(wanted).max()) or 1.0
            relative = max(relative, float(error.max()) / scale)
        first, model_says = outputs[0], expected[0][: len(outputs[0])]
        if first.ndim == 2:
            same += int(np.sum(first.argmax(-1) == model_says.argmax(-1)))
            tried += len(first)
    if not relative <= tolerance:
        raise ExportError(
            f"{what} does not compute what the model does: outputs differ by up to "
            f"{difference:.3g}, {relative:.3g} of the largest; {tolerance:.3g} would pass. "
            "Nothing was written"
        )
    return {
        "difference": difference,
        "relative": relative,
        "top1_agreement": same / tried if tried else None,
        "images": len(expected[0]),
        "batches": tuple(len(outputs[0]) for outputs in found),
    }
