"""From an image to the names of the likeliest classes."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.data.classes import CIFAR10, imagenet_classes
from keras_resnet.data.decoding import check_levels, decoded, pixels_of
from keras_resnet.files.arguments import checked
from keras_resnet.images.preprocessing import Preprocessing
from keras_resnet.models import Weights, build
from keras_resnet.networks.family import network_row
from keras_resnet.networks.paper import is_count
from keras_resnet.weights.find import find
from keras_resnet.weights.records import Record

Prediction = tuple[str, str, float]


@checked()
def decode_predictions(
    predictions, top: int = 5, names: Sequence[str] | None = None
) -> list[list[Prediction]]:
    """The likeliest classes by name, in the form that keras.applications returns.

    It works without internet access.

    Args:
        predictions: scores (images, classes), an array or a tensor.
        top: how many classes to return.
        names: of the classes, by label; those of ImageNet's 1,000 classes by default.

    Returns:
        For each image `top` tuples (WordNet id, name, score), likeliest first. The id is empty
        where `names` are given.

    Raises:
        ValueError: predictions of another shape, or `top` out of range.

    Example:

    >>> import numpy as np
    >>> decode_predictions(np.eye(1000)[[281]], top=1)[0][0][:2]
    ('n02123045', 'tabby')
    """
    scores = keras.ops.convert_to_numpy(predictions)
    classes = imagenet_classes() if names is None else tuple(("", name) for name in names)
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        raise ValueError(
            f"`predictions` must be (images, {len(classes)}). Received: shape {scores.shape}"
        )
    check_top(top, len(classes))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [
        [(*classes[label], float(row[label])) for label in labels]
        for row, labels in zip(scores, best, strict=True)
    ]


def check_top(top: int, classes: int) -> None:
    if not is_count(top) or top > classes:
        raise ValueError(f"`top` must be from 1 to {classes}. Received: top={top!r}")


@checked()
def classify(
    image: Any, model: str = "resnet50", weights: Weights = "imagenet", top: int = 5
) -> list[Prediction]:
    """Names what is on an image.

    Args:
        image: path of a file, a PIL image, or an RGB array (height, width, 3) of 0 to 255.
        model: a name of `list_models()`.
        weights: a set of `list_weights(model)`, which also determines resizing and cropping.
        top: how many classes to return.

    Returns:
        Tuples (WordNet id, name, probability), likeliest first.

    Raises:
        ValueError: the model or the weights are unknown, or `image` is not an RGB image.
        DownloadError: the weights could not be downloaded.
        ImportError: `image` is a file and Pillow is not installed.

    Example: `keras_resnet.classify("cat.jpg", model="resnet50")`
    """
    # All fail before the weights are downloaded.
    check_top(top, record_of(model, weights).classes)
    pixels = rgb(image)
    return classifier(model, weights)(pixels, top)


@checked()
def classifier(
    model: str = "resnet50", weights: Weights = "imagenet"
) -> Callable[[Any, int], list[Prediction]]:
    """Builds the network once, for the classification of many images.

    Returns:
        A function of an image and `top` that returns what `classify` returns.
    """
    row, record = network_row(model), record_of(model, weights)
    network = build(model, weights=record)
    preprocess = Preprocessing(record, record.image.size or row.size, data_format="channels_last")
    names = None if record.classes == 1000 else CIFAR10

    def predict(image: Any, top: int = 5) -> list[Prediction]:
        x = preprocess(rgb(image))
        if keras.config.image_data_format() == "channels_first":
            x = keras.ops.transpose(x, (2, 0, 1))
        return decode_predictions(network(x[None], training=False), top, names)[0]

    return predict


def record_of(model: str, weights: Weights) -> Record:
    """The record of a set of weights, which contains how an image is resized and cropped."""
    record = find(weights, network_row(model))
    if not isinstance(record, Record):
        raise ValueError(
            "`weights` must be a set of list_weights(): a file alone does not say what it "
            f"expects of an image. Received: weights={weights!r}"
        )
    return record


def rgb(image: Any) -> np.ndarray:
    """The pixels (height, width, 3) of a file, a PIL image or an array."""
    if isinstance(image, str | os.PathLike):
        if Path(image).exists() and not Path(image).is_file():  # a pipe would be waited for
            raise ValueError(f"`image` must be a file. Received: {os.fspath(image)!r}")
        return decoded(Path(image).read_bytes(), os.fspath(image))
    if hasattr(image, "convert"):
        return pixels_of(image)
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        raise ValueError(
            "`image` must be a path, a PIL image or an array (height, width, 3). "
            f"Received: an array of shape {pixels.shape}"
        )
    check_levels(pixels)
    return pixels
