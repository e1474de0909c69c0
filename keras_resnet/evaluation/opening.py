"""Networks as a command line names them."""

from pathlib import Path

import keras

from keras_resnet.models import build
from keras_resnet.network import deep_graph
from keras_resnet.networks.family import list_models
from keras_resnet.weights import load_weights
from keras_resnet.weights.find import list_weights, record_named
from keras_resnet.weights.records import ImageRule, Record

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
        image: the record whose resizing, cropping and normalisation weights of your own expect.

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
    try:
        with deep_graph():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras raises TypeError for a class, KeyError for a zip of something else, and others.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be loaded. A model must be a .keras file with layers of Keras and of "
            f"this package alone. {type(error).__name__}: {error}"
        ) from error


def open_models(
    texts: list[str] | tuple[str, ...], image: str | None = None
) -> tuple[list[keras.Model], list]:
    """Several networks and their records, as `evaluate` takes them.

    Raises:
        ValueError: none is named; or see `open_model`.
    """
    if not texts:
        raise ValueError(f"A model must be {HOW}. Received: none")
    opened = [open_model(text, image) for text in texts]
    return [model for model, _ in opened], [record for _, record in opened]
