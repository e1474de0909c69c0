"""What several commands need: columns of text, types of arguments, and models."""

import argparse
from collections.abc import Sequence

from keras_resnet.networks.family import network_row

LARGEST = 65_535  # pixels of a side: a JPEG's, and more than memory holds as a square


def aligned(rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """Columns of text: those titled `numbers` are aligned right, the others left.

    Args:
        rows: the titles, then a row for each line.
        numbers: titles of the columns of numbers.

    Example:

    >>> print(aligned([("network", "layers"), ("a", "20"), ("b", "1202")], ["layers"]))
    network  layers
    a            20
    b          1202
    """
    titles = rows[0]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if title in numbers else cell.ljust(width)
            for title, cell, width in zip(titles, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def network_name(text: str) -> str:
    """The name of a model that can be built; the error of argparse lists the names."""
    try:
        network_row(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def sides(text: str) -> tuple[int, int]:
    """`224` or `480x640`: height and width."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() and 0 < int(part) <= LARGEST for part in parts):
        raise argparse.ArgumentTypeError(
            f"takes a side or HEIGHTxWIDTH of 1 to {LARGEST:,} pixels. Received: {text!r}"
        )
    return int(parts[0]), int(parts[-1])


def positive(text: str) -> int:
    """A positive integer."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"takes a positive integer. Received: {text!r}")
    return int(text)


def input_shape(size: tuple[int, int] | None) -> tuple[int, ...] | None:
    """The shape of an image of a size, as the configured data format has it."""
    import keras

    last = keras.config.image_data_format() == "channels_last"
    return size and ((*size, 3) if last else (3, *size))


def model_of(
    name: str,
    weights: str | None,
    pixels: str | bool | None,
    size: tuple[int, int] | None,
):
    """The model that a command names, and the record that says what its images are, if any.

    Args:
        name: of a model that can be built, or a path that ends in .keras.
        weights: a set, a file, `"none"`, or None for the best public set.
        pixels: the name of a record whose preprocessing and graph the user's weights have.
        size: height and width of the images of a network, where `pixels` is None.

    Raises:
        ValueError: `name` is neither a network nor the file of a model.
    """
    from keras_resnet.evaluation.opening import saved_model
    from keras_resnet.models import build
    from keras_resnet.weights.find import find, record_named
    from keras_resnet.weights.records import Record

    if name.endswith(".keras"):
        return saved_model(name), pixels if isinstance(pixels, str) else None
    row = network_row(name)
    if isinstance(pixels, str):
        record = record_named(pixels)
        if weights is None:
            return build(name, weights=record), record
        weights = None if weights == "none" else weights
        return build(name, weights=weights, **record.options), record
    wanted = None if weights == "none" else weights or best_weights(name)
    found = find(wanted, row)
    model = build(name, weights=wanted, input_shape=input_shape(size))
    return model, found if isinstance(found, Record) else None


def best_weights(network: str, files: str = "--weights FILE or --weights none") -> str:
    """`"imagenet"` where the network has such a set, otherwise the first of its public sets.

    Args:
        files: what the command takes in place of a set.

    Raises:
        ValueError: there is none.
    """
    from keras_resnet.weights.find import has_imagenet_weights, list_weights

    if has_imagenet_weights(network):
        return "imagenet"
    records = list_weights(network)
    if not records:
        raise ValueError(
            f"There are no public weights of this network: pass {files}. Received: {network!r}"
        )
    return records[0].name
