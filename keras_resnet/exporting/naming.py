"""What goes into the metadata of an exported file, and where class names come from."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_resnet.exporting.verification import Report
from keras_resnet.images.classification import CIFAR10, imagenet_classes
from keras_resnet.weights.find import record_named
from keras_resnet.weights.records import ImageRule, Record


def rule_and_names(
    preprocessing: str | Record | ImageRule | None,
    class_names: Sequence[str] | None,
    model: keras.Model,
) -> tuple[ImageRule | None, list[str] | None]:
    """What an image is to become, and the names of the classes.

    A model that normalises itself (`include_preprocessing=True`) is left to do so.

    Raises:
        ValueError: an unknown record, or another number of names than the model has classes.
    """
    rule, names = None, class_names
    if isinstance(preprocessing, ImageRule):
        rule = preprocessing
    elif preprocessing is not None:
        record = record_named(preprocessing)
        rule = record.image
        if names is None and record.classes == model.outputs[0].shape[-1]:
            names = CIFAR10 if record.classes == 10 else [name for _, name in imagenet_classes()]
    if rule and any(isinstance(layer, keras.layers.Normalization) for layer in model.layers):
        rule = dataclasses.replace(rule, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    if names is not None and len(names) != model.outputs[0].shape[-1]:
        raise ValueError(
            f"`class_names` must be as many as the model has classes, "
            f"{model.outputs[0].shape[-1]}. Received: {len(names)} names"
        )
    return rule, None if names is None else list(map(str, names))


def described(
    model: keras.Model,
    report: Report,
    names: list[str] | None,
    rule: ImageRule | None,
    batch: int | None,
) -> dict[str, Any]:
    """The metadata of a file."""
    import keras_resnet

    image = model.inputs[0]
    figures = ("difference", "relative", "top1_agreement", "images", "compared_on", "batches")
    return {
        "model": model.name,
        "input": {"name": image.name, "shape": [batch, *image.shape[1:]], "dtype": image.dtype},
        "outputs": [
            {"name": f"output_{number}", "shape": [batch, *output.shape[1:]], "dtype": "float32"}
            for number, output in enumerate(model.outputs)
        ],
        "class_names": names,
        "preprocessing": None if rule is None else dataclasses.asdict(rule),
        "dtype": report.dtype,
        "kept_batch_norms": report.kept_batch_norms,
        "verification": {figure: getattr(report, figure) for figure in figures}
        if report.images
        else None,
        "versions": {
            "keras_resnet": keras_resnet.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }
