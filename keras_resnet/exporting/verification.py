"""Whether an exported file computes what the model does."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.exporting.copying import is_channels_first
from keras_resnet.exporting.formats import ExportError
from keras_resnet.exporting.prepare import rule_for
from keras_resnet.exporting.samples import GIVEN, images_for
from keras_resnet.graph import all_layers
from keras_resnet.images.preprocessing import Preprocessing
from keras_resnet.weights.records import ImageRule

# Largest difference, as a part of the largest output. Half precision rounds every weight, and
# where the graph computes in it every map too; int8 has 256 levels.
TOLERANCES = {"float32": 1e-4, "float16": 0.02, "bfloat16": 0.1, "int8": 0.5}
# Of images to compare on where the model takes any.
DEFAULT_SIDE = 96


@checked()
@dataclass(frozen=True)
class Report:
    """What was written, and how far it is from the model.

    Attributes:
        path, format, dtype: of the file, as they were asked for.
        bytes: size of the file with those that belong to it.
        seconds: that the whole export took.
        kept_batch_norms: normalizations that could not be folded.
        difference: the largest difference of any output on any image; None if not verified.
        relative: the same as a part of the largest output.
        top1_agreement: the part of the images for which the file and the model predict the same
            class.
        images: how many were compared.
        compared_on: what they are: `"given images"`, `"photographs"` or `"smooth noise"`.
        batches: the batch sizes tried.
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


def checked_images(images: Any, model: keras.Model, batch: int | None) -> tuple[np.ndarray, str]:
    """The images that are given, or others, as the model's input has them; and what they are.

    Raises:
        ValueError: the shape or dtype of those given is another, or they are fewer than a batch.
    """
    image = model.inputs[0]
    if images is None:
        shape = tuple(DEFAULT_SIDE if side is None else side for side in image.shape[1:])
        return images_for(shape, image.dtype, batch or 4)
    images, least = np.asarray(images), batch or 2
    pairs = zip(image.shape[1:], images.shape[1:], strict=False)
    fits = images.ndim == len(image.shape) and all(side in (None, given) for side, given in pairs)
    if not fits or len(images) < least:
        raise ValueError(
            f"Images must be an array of at least {least} as the file takes them, "
            f"{tuple(image.shape)}. Received: shape {images.shape}"
        )
    if image.dtype == "uint8" and images.dtype != np.uint8:
        raise ValueError(f"The file takes pixels, uint8. Received: images of {images.dtype}")
    return images.astype(image.dtype), GIVEN


def outputs_of(
    model: keras.Model, images: np.ndarray, rule: ImageRule | None = None
) -> list[np.ndarray]:
    """The outputs of a Keras model in inference, in float32; with a rule, of pixels."""
    x: Any = images
    if rule is not None:
        x = Preprocessing(rule_for(model, rule), data_format="channels_last")(images)
        x = keras.ops.transpose(x, (0, 3, 1, 2)) if is_channels_first(model) else x
    outputs = keras.tree.flatten(model(x, training=False))
    return [keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in outputs]


def tolerance_of(model: keras.Model, dtype: str) -> float:
    """The largest `relative` that passes, by the dtype of the weights and that of the layers."""
    computed_in = {layer.compute_dtype for layer in all_layers(model)}
    return max(TOLERANCES[dtype], *(TOLERANCES.get(name, 0.0) for name in computed_in))


def compared(
    expected: Sequence[np.ndarray], found: list[list[np.ndarray]], tolerance: float, what: str
) -> dict[str, Any]:
    """The figures of a report.

    Args:
        expected: outputs of the model for all images.
        found: for every batch that was tried, outputs for as many images from the first.
        tolerance: the largest `relative` that passes.
        what: the file, as messages call it.

    Raises:
        ExportError: it is exceeded, or shapes differ.
    """
    difference = relative = 0.0
    agree: list[bool] = []
    for outputs in found:
        if len(outputs) != len(expected):
            raise ExportError(f"{what} has {len(outputs)} outputs instead of {len(expected)}")
        for got, all_wanted in zip(outputs, expected, strict=True):
            wanted = all_wanted[: len(got)]
            if got.shape != wanted.shape:
                raise ExportError(
                    f"{what} gives outputs of shape {got.shape} instead of {wanted.shape}"
                )
            error = np.abs(np.asarray(got, "float64") - wanted)
            error = np.where(np.isfinite(error), error, np.inf)
            difference = max(difference, float(error.max()))
            scale = float(np.abs(wanted).max()) or 1.0
            relative = max(relative, float(error.max()) / scale)
        if outputs[0].ndim == 2:
            wanted = expected[0][: len(outputs[0])]
            agree += list(outputs[0].argmax(-1) == wanted.argmax(-1))
    if not relative <= tolerance:
        raise ExportError(
            f"{what} does not compute what the model does: outputs differ by up to "
            f"{difference:.3g}, {relative:.3g} of the largest; {tolerance:.3g} would pass. "
            "Nothing was written"
        )
    return {
        "difference": difference,
        "relative": relative,
        "top1_agreement": float(np.mean(agree)) if agree else None,
        "images": len(expected[0]),
        "batches": tuple(len(outputs[0]) for outputs in found),
    }
