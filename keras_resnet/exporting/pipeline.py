"""`export`: from any backend to any format, checked before anyone sees the file."""

import dataclasses
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.exporting import placing
from keras_resnet.exporting.crossing import Job, run_jobs
from keras_resnet.exporting.formats import FORMATS, check_dtype, format_of, writer_of
from keras_resnet.exporting.metadata import write_metadata
from keras_resnet.exporting.naming import described, rule_and_names
from keras_resnet.exporting.precision import layer_policy
from keras_resnet.exporting.prepare import (
    check_portable,
    prepared,
    rule_for,
    with_image_size,
)
from keras_resnet.exporting.rewrite import functional, is_channels_first
from keras_resnet.exporting.samples import GIVEN, images_for
from keras_resnet.exporting.verification import (
    TOLERANCES,
    Report,
    compared,
    outputs_of,
)
from keras_resnet.graph import all_layers
from keras_resnet.images.preprocessing import Preprocessing
from keras_resnet.weights.records import ImageRule, Record

# Of images to compare on where the model takes any.
DEFAULT_SIDE = 96

Paths = str | os.PathLike | Sequence[str | os.PathLike]


def export(
    model: keras.Model,
    path: Paths,
    format: str | Sequence[str] | None = None,
    *,
    fold: bool = True,
    preprocessing: str | Record | ImageRule | None = None,
    dtype: str = "float32",
    batch: int | str = "dynamic",
    image_size: int | tuple[int, int] | None = None,
    verify: bool = True,
    images: Any = None,
    calibration: Any = None,
    class_names: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Any:
    """Writes a model for another runtime, and checks what was written against the model.

    The file's input is named `image` and its outputs `output_0`, `output_1`, .... Where the
    active backend cannot write the format, another one does, in a process of its own.

    Args:
        model: a network of this package, or any functional or Sequential model with one
            input, of Keras' own layers. It stays as it is.
        path: where to write; a list writes several files and starts each backend but once.
        format: one of `FORMATS`, or a list of them: `"tf_saved_model"` (a folder), `"onnx"`,
            `"litert"` (.tflite), `"openvino"` (.xml and .bin), `"torch"` (.pt2) or `"keras"`,
            which plain Keras loads without this package. Told from the suffix by default.
        fold: fold batch normalization into the convolutions, where that is exact.
        preprocessing: a record, its id such as `"resnet50.tv2"`, or an `ImageRule`: the file
            then takes RGB pixels, uint8 (batch, height, width, 3), and resizes, crops and
            normalises them itself.
        dtype: of the weights: `"float32"`, `"float16"`, `"bfloat16"`, or `"int8"`, where
            activations have 8 bits as well. `FORMATS` tells which format has which.
        batch: `"dynamic"`, or the number of images of every call.
        image_size: side, or (height, width), of the images that the file takes: those of the
            model by default, and with `preprocessing` any, where the format has that.
        verify: run the file in its own runtime and compare.
        images: to compare on, an array of at least two, as the file takes them. The default
            is photographs where scikit-learn and Pillow are installed, else smooth noise; with
            images of your own the figures say more.
        calibration: images as the file takes them, a hundred or so from the training set, that
            set the ranges of `"int8"`.
        class_names: for the metadata; those of the record by default.
        tolerance: largest difference that passes, as a part of the largest output. 1e-4 for
            float32, 0.02 for float16, 0.1 for bfloat16, 0.5 for int8.

    Returns:
        A `Report`, or a list of them where `path` is a list. The same figures stand in the
        file's metadata (`read_metadata`).

    Raises:
        ValueError: an unknown format, an option the format does not have, or a model that
            cannot be written down, such as one with a Lambda layer.
        ImportError: a tool is missing; the message says what to install.
        ExportError: the file does not compute what the model does, or could not be written.
            What was at the path is still there.
        OSError: the path cannot be written to.

    Example:

    >>> import tempfile
    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export(model, f"{folder}/resnet8.keras")
    >>> report.format, report.batches, report.relative < 1e-4
    ('keras', (1, 4), True)
    """
    started = time.monotonic()
    several = not isinstance(path, str | os.PathLike)
    paths = [Path(path)] if isinstance(path, str | os.PathLike) else list(map(Path, path))
    if not paths:
        raise ValueError("`path` must be a path or a list of paths. Received: an empty list")
    given = [format] * len(paths) if format is None or isinstance(format, str) else list(format)
    formats = [format_of(*pair) for pair in zip(paths, given, strict=True)]
    for name in formats:
        check_dtype(name, dtype)
    backends = [writer_of(name, keras.backend.backend()) for name in formats]
    size = checked_batch(batch)
    graph = functional(model)
    check_portable(graph)
    rule, names = rule_and_names(preprocessing, class_names, graph)
    if rule is None:
        model = graph = with_image_size(graph, image_size)
    policies = [layer_policy(name, dtype) for name in formats]
    made = {policy: prepared(graph, fold, policy, rule, image_size) for policy in {*policies}}
    plain = made[policies[0]]
    for name in formats:
        check_sides(name, plain)
    compare_on, whose = checked_images(images, plain, size)
    ranges_from = None if calibration is None else checked_images(calibration, plain, None)[0]
    if dtype == "int8" and ranges_from is None:
        raise ValueError("dtype='int8' needs `calibration`: a hundred images or so")
    tries = () if not verify else (size,) if size else (1, len(compare_on))
    with ExitStack() as stack:
        places = [
            stack.enter_context(placing.beside(one, not FORMATS[name].suffix))
            for name, one in zip(formats, paths, strict=True)
        ]
        jobs = [
            Job(name, str(place), dtype, policy, size, tries)
            for name, place, policy in zip(formats, places, policies, strict=True)
        ]
        found = run_jobs(jobs, backends, made, compare_on, ranges_from)
        expected = outputs_of_pixels(model, rule, plain, compare_on) if verify else []
        computed_in = {layer.compute_dtype for layer in all_layers(graph)}
        limit = max(TOLERANCES[dtype], *(TOLERANCES.get(one, 0.0) for one in computed_in))
        limit = limit if tolerance is None else tolerance
        reports = []
        for job, place, one, outputs in zip(jobs, places, paths, found, strict=True):
            what = f"The {job.format} file"
            figures: dict[str, Any] = {}
            if verify:
                figures = {**compared(expected, outputs, limit, what), "compared_on": whose}
            report = Report(
                path=os.fspath(one),
                format=job.format,
                dtype=dtype,
                bytes=0,
                seconds=round(time.monotonic() - started, 2),
                kept_batch_norms=batch_norms(made[job.policy]) if fold else 0,
                **figures,
            )
            write_metadata(place, job.format, described(plain, report, names, rule, size))
            reports.append(dataclasses.replace(report, bytes=placing.size_of(place)))
        for place, one in zip(places, paths, strict=True):
            placing.put(place, one)
    return reports if several else reports[0]


def checked_batch(batch: int | str) -> int | None:
    """The number of images of a call, or None where it is dynamic."""
    if batch == "dynamic":
        return None
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(
            f"`batch` must be 'dynamic' or a positive integer. Received: batch={batch!r}"
        )
    return batch


def check_sides(format: str, model: keras.Model) -> None:
    """Raises where the format cannot have images of any size."""
    shape = model.inputs[0].shape[1:]
    if None in shape and not FORMATS[format].any_size:
        others = ", ".join(name for name, row in FORMATS.items() if row.any_size)
        raise ValueError(
            f"Format {format!r} is for images of one size ({others} are for any). Pass "
            f"image_size=(height, width). Received: images of {tuple(shape)}"
        )
    ours = [x.name for x in all_layers(model) if type(x).__module__.startswith("keras_resnet.")]
    if format == "keras" and ours:
        raise ValueError(
            "Keras' own layers resize and pool images of one size only: pass image_size=(height, "
            f"width) for format 'keras'. Received: a model with {', '.join(ours)}"
        )


def checked_images(images: Any, model: keras.Model, batch: int | None) -> tuple[np.ndarray, str]:
    """The images that are given, as the model's input has them, or others; and which."""
    image = model.inputs[0]
    if images is None:
        shape = tuple(DEFAULT_SIDE if side is None else side for side in image.shape[1:])
        return images_for(shape, image.dtype, batch or 4)
    images = np.asarray(images)
    fits = images.ndim == len(image.shape) and all(
        side in (None, given) for side, given in zip(image.shape[1:], images.shape[1:], strict=True)
    )
    if not fits or len(images) < (batch or 2):
        raise ValueError(
            f"Images must be an array of at least {batch or 2} as the file takes them, "
            f"{tuple(image.shape)}. Received: shape {images.shape}"
        )
    if image.dtype == "uint8" and images.dtype != np.uint8:
        raise ValueError(f"The file takes pixels, uint8. Received: images of {images.dtype}")
    return images.astype(image.dtype), GIVEN


def outputs_of_pixels(model, rule: ImageRule | None, plain, images: np.ndarray) -> list[np.ndarray]:
    """What the model says of images as the file takes them."""
    if rule is None:
        return outputs_of(model, images)
    shape = tuple(model.inputs[0].shape[1:])
    first = is_channels_first(model)
    layer = Preprocessing(rule_for(rule, shape, first), data_format="channels_last")
    x = layer(images)
    return outputs_of(model, keras.ops.transpose(x, (0, 3, 1, 2)) if first else x)


def batch_norms(model: keras.Model) -> int:
    """How many batch normalizations a model has, nested models included."""
    return sum(isinstance(x, keras.layers.BatchNormalization) for x in all_layers(model))
