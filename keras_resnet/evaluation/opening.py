"""Evaluation of networks and images as a command line names them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_resnet.common.arguments import checked
from keras_resnet.common.zips import open_zip, read_member
from keras_resnet.data import open_images
from keras_resnet.evaluation.protocols import Protocol, protocol_named
from keras_resnet.evaluation.results import Evaluation
from keras_resnet.evaluation.run import evaluate
from keras_resnet.graph import deep_graph
from keras_resnet.models import build
from keras_resnet.networks.family import list_models
from keras_resnet.weights import load_weights
from keras_resnet.weights.find import list_weights, record_named
from keras_resnet.weights.records import ImageRule, Record

LARGEST_CONFIG = 2**23  # in bytes; ResNet-1202's has half of that
HOW = (
    "a record of list_weights() such as resnet50.tv2, a record or a network and a file of weights "
    "such as resnet50.tv2=weights.pth or resnet50=weights.npz, or a saved model such as mine.keras"
)


def open_model(
    text: str, image: str | Record | None = None
) -> tuple[keras.Model, Record | ImageRule | None]:
    """A network that a command line names, and what its weights expect of an image.

    Args:
        text: `"resnet50.tv2"`, public weights; `"resnet50.tv2=FILE"`, the same from a file;
            `"resnet50=FILE"`, weights of your own; `"FILE.keras"`, a saved model.
        image: the record whose resizing, cropping and normalization weights of your own expect.

    Returns:
        The model, and for `evaluate(weights_record=)` its record; of weights of your own what
        they expect of an image, so that results do not call them by another's name.

    Raises:
        ValueError: the text is none of these, `image` is no record, or the file does not fit
            the network.
        FileNotFoundError: there is no such file.

    Example: `open_model("resnet50=weights.npz", image="resnet50.tv")`
    """
    name, _, file = text.partition("=")
    if file and not Path(file).exists():
        raise FileNotFoundError(f"There is no file of weights {file}. Received: {text!r}")
    rule = record_named(image).image if image else None
    records = {record.id: record for record in list_weights()}
    # `resnet50.keras` names weights of keras.applications, unless there is such a file.
    if not file and name.endswith(".keras") and (Path(name).exists() or name not in records):
        return saved_model(name), rule
    if name in records:
        record = records[name]
        options = dict(record.options)
        if not file:
            return build(record.network, weights=record), record
        model = build(record.network, weights=None, **options)
        load_weights(model, file, record.dialect)
        return model, record
    if file and (name in list_models() or name.startswith("cifar_")):
        model = build(name, weights=None)
        load_weights(model, file)
        return model, rule
    raise ValueError(f"A model must be {HOW}. Received: {text!r}")


def saved_model(path: str) -> keras.Model:
    """A model that Keras saved. Lambda layers, which would run the file's code, are refused.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is none of Keras, or has layers of a class that is not known here.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"There is no saved model {path}")
    if not Path(path).is_file():
        raise ValueError(f"A saved model must be a file. Received: {path}")
    try:
        check_config(path)
        with deep_graph():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras raises TypeError for a class, KeyError for a zip of something else, and others.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be loaded. A model must be a .keras file with layers of Keras and of "
            f"this package alone. {type(error).__name__}: {error}"
        ) from error


def check_config(path: str) -> None:
    """Reads the configuration while Python's recursion is limited: without, brackets end it."""
    with open_zip(path) as archive:
        json.loads(read_member(archive, "config.json", LARGEST_CONFIG))


def open_models(names: Sequence[str], image: str | None = None) -> tuple[list[keras.Model], list]:
    """Several networks and their records, as `evaluate` takes them.

    Raises:
        ValueError: there is no name; or see `open_model`.
    """
    if not names:
        raise ValueError(f"A model must be {HOW}. Received: none")
    opened = [open_model(name, image) for name in names]
    return [model for model, _ in opened], [record for _, record in opened]


def training_of(name: str) -> dict[str, Any] | None:
    """How a recipe trained the network that it saved as model.keras in a folder; None of others."""
    path = Path(name).with_name("config.json")
    if Path(name).name != "model.keras" or not path.is_file():
        return None
    record = json.loads(path.read_text())
    flags = {flag: value for flag, value in record["recipe"].items() if flag not in ("out", "data")}
    return {"recipe": flags, "settings": record["settings"]}


@checked()
def evaluate_named(
    names: Sequence[str],
    data: Any,
    protocol: str | Protocol = "1-crop",
    *,
    image: str | None = None,
    split: str | None = None,
    **options: Any,
) -> Evaluation:
    """Opens networks and images by their names, and measures the error of the networks together.

    This is what `keras-resnet evaluate` and `recipes/evaluate.py` run.

    Args:
        names: of the networks, as `open_model` takes them; several are an ensemble.
        data: path or name of the images, as `keras_resnet.data.open_images` takes it, or the
            images that it returned.
        protocol: as `evaluate` takes it.
        image: the record whose resizing, cropping and normalization weights of your own expect.
        split: of the data, where it has several.
        options: other arguments of `evaluate`.

    Returns:
        The results. Their record also says how a recipe of this package trained the networks,
        under `"training"`.

    Raises:
        ValueError: see `open_model`, `keras_resnet.data.open_images` and `evaluate`.
        FileNotFoundError: there is no such file.

    Example: `evaluate_named(["resnet50.tv2"], "val/", "10-crop", out="r50.json")`
    """
    protocol = protocol_named(protocol)
    images = open_images(data, split) if isinstance(data, str | os.PathLike) else data
    models, records = open_models(names, image)
    training = [training_of(name) for name in names]
    return evaluate(models, images, protocol, records, training=training, **options)
