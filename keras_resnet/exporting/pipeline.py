"""`export`: prepare the model, write the files, verify each in its runtime, put them in place."""

import dataclasses
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.exporting import placing
from keras_resnet.exporting.formats import FORMATS, check_dtype, format_of, layer_policy, writer_of
from keras_resnet.exporting.metadata import metadata_of, rule_and_names, write_metadata
from keras_resnet.exporting.prepare import check_sides, checked_model, prepared, with_image_size
from keras_resnet.exporting.processes import Job, run_jobs
from keras_resnet.exporting.verification import (
    Report,
    checked_images,
    compared,
    outputs_of,
    tolerance_of,
)
from keras_resnet.graph import all_layers
from keras_resnet.weights.records import ImageRule, Record

Paths = str | os.PathLike | Sequence[str | os.PathLike]

LARGEST = 65_535  # pixels of a side: a JPEG's, and more than memory holds as a square


@checked(image_size=(1, LARGEST))
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
        path: where to write; a list writes several files and starts each backend only once.
        format: one of `FORMATS`, or a list of them: `"tf_saved_model"` (a folder), `"onnx"`,
            `"litert"` (.tflite), `"openvino"` (.xml and .bin), `"torch"` (.pt2) or `"keras"`,
            which plain Keras loads without this package. By default, the one that the suffix
            belongs to.
        fold: fold batch normalization into the convolutions, where that is exact.
        preprocessing: a record, its id such as `"resnet50.tv2"`, or an `ImageRule`: the file
            then takes RGB pixels, uint8 (batch, height, width, 3), and resizes, crops and
            normalizes them itself.
        dtype: of the weights: `"float32"`, `"float16"`, `"bfloat16"`, or `"int8"`, where
            activations have 8 bits as well. `FORMATS` lists which format has which.
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
        A `Report`, or a list of them where `path` is a list. The same figures are in the
        file's metadata (`keras_resnet.exporting.read_metadata`).

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
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not paths:
        raise ValueError("`path` must be a path or a list of paths. Received: an empty list")
    given = [format] * len(paths) if format is None or isinstance(format, str) else list(format)
    formats = [format_of(*pair) for pair in zip(paths, given, strict=True)]
    for name in formats:
        check_dtype(name, dtype)
    backends = [writer_of(name, keras.backend.backend()) for name in formats]
    policies = [layer_policy(name, dtype) for name in formats]
    size = checked_batch(batch)

    # The model of each policy, and images that it takes.
    source = checked_model(model)
    rule, names = rule_and_names(preprocessing, class_names, source)
    if rule is None:
        model = source = with_image_size(source, image_size)
    models = {one: prepared(source, fold, one, rule, image_size) for one in {*policies}}
    plain = models[policies[0]]
    for name in formats:
        check_sides(plain, name)
    images, compared_on = checked_images(images, plain, size)
    if calibration is not None:
        calibration = checked_images(calibration, plain, None)[0]
    elif dtype == "int8":
        raise ValueError("dtype='int8' needs `calibration`: a hundred images or so")
    tries = () if not verify else (size,) if size else (1, len(images))

    with ExitStack() as stack:
        jobs = []
        for name, backend, policy, one in zip(formats, backends, policies, paths, strict=True):
            temporary = stack.enter_context(placing.beside(Path(one), not FORMATS[name].suffix))
            jobs.append(Job(name, backend, str(temporary), dtype, policy, size, tries))
        found = run_jobs(jobs, models, images, calibration)
        expected = outputs_of(model, images, rule) if verify else []
        limit = tolerance_of(source, dtype) if tolerance is None else tolerance
        reports = []
        for job, one, outputs in zip(jobs, paths, found, strict=True):
            figures: dict[str, Any] = {}
            if verify:
                figures = compared(expected, outputs, limit, f"The {job.format} file")
                figures["compared_on"] = compared_on
            report = Report(
                path=os.fspath(one),
                format=job.format,
                dtype=dtype,
                bytes=0,
                seconds=round(time.monotonic() - started, 2),
                kept_batch_norms=batch_norms(models[job.policy]) if fold else 0,
                **figures,
            )
            metadata = metadata_of(plain, report, names, rule, size)
            write_metadata(Path(job.path), job.format, metadata)
            written = placing.size_of(Path(job.path))
            reports.append(dataclasses.replace(report, bytes=written))
        for job, one in zip(jobs, paths, strict=True):
            placing.put(Path(job.path), Path(one))
    return reports[0] if isinstance(path, str | os.PathLike) else reports


def checked_batch(batch: int | str) -> int | None:
    """The number of images of a call, or None where it is dynamic."""
    if batch == "dynamic":
        return None
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(
            f"`batch` must be 'dynamic' or a positive integer. Received: batch={batch!r}"
        )
    return batch


def batch_norms(model: keras.Model) -> int:
    """How many batch normalizations a model has, nested models included."""
    return sum(isinstance(x, keras.layers.BatchNormalization) for x in all_layers(model))
