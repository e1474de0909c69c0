"""Public weights in our graphs: what they are, where they lie, how they are read."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from keras_resnet.graph import all_layers
from keras_resnet.weights.convert import layout_of_model
from keras_resnet.weights.dialects import DIALECTS, Layout
from keras_resnet.weights.download import DownloadError, fetch
from keras_resnet.weights.find import list_weights, record_named
from keras_resnet.weights.load import load_file
from keras_resnet.weights.readers import WeightsFileError
from keras_resnet.weights.records import ImageRule, Record, Result
from keras_resnet.weights.save import save_weights

__all__ = [
    "DIALECTS",
    "DownloadError",
    "ImageRule",
    "Record",
    "Result",
    "WeightsFileError",
    "fetch",
    "graph_options",
    "list_weights",
    "load_weights",
    "record_named",
    "save_weights",
]


def load_weights(
    model,
    source: str | os.PathLike | Record | Mapping[str, Any],
    dialect: str = "auto",
    skip_mismatch: bool | str | Iterable[str] = False,
) -> tuple[str, ...]:
    """Loads weights of any known dialect into `model`, all of them or none.

    Args:
        model: a network of this package, or a model built around one: layers are found by name.
        source: path of a `.safetensors`, `.weights.h5`, Keras-2 `.h5`, `.pth`, `.th` or `.npz`
            file, recognised by its content; the name of a record of this network; a `Record`;
            or a mapping from names to arrays. Pickles are read with `weights_only=True`.
        dialect: whose names the file uses, one of `"torchvision"`, `"timm"`, `"transformers"`,
            `"keras"`, `"caffe"`, `"akamaster"`, `"osmr"`, `"mmpretrain"`, `"keras_hub"`,
            `"keras_resnet"`, `"cadene"` (BN-Inception); `"auto"` tells by the names.
        skip_mismatch: layers that may keep their values: a name, names (`"fc"` for a head with
            other classes), or True for any. A layer of the file alone is named as in the file.

    Returns:
        The layers that were skipped.

    Raises:
        ValueError: weights are missing, left over or of another shape, all listed in one
            message; or the record is for another graph. The model is as it was.
        WeightsFileError: the file is damaged or no file of weights.
        DownloadError: a record's file could not be had.
        FileNotFoundError: there is no such file.

    Example:

    >>> import tempfile
    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> other = keras_resnet.build("cifar_resnet8", weights=None, classes=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keras_resnet.save_weights(model, f"{folder}/resnet8.npz")
    ...     keras_resnet.load_weights(other, f"{folder}/resnet8.npz", skip_mismatch="fc")
    ('fc',)
    """
    record = source if isinstance(source, Record) else None
    if isinstance(source, str):
        record = record_for(model, source)
    if record is None:
        return load_file(model, source, dialect, skip_mismatch)  # type: ignore[arg-type]
    check_graph(model, record)
    return load_file(model, fetch(record), record.dialect, skip_mismatch)


def record_for(model, name: str) -> Record | None:
    """The record of that name whose network has the blocks this model has."""
    layout = layout_of_model(model)
    known = [record for record in list_weights() if is_for(record, layout)]
    for record in known:
        if name in (record.name, record.id):
            return record
    if os.path.exists(name) or os.sep in name or "." in name:
        return None
    raise ValueError(
        f"`source` must be the path of a file or a record of this network"
        f"{', one of ' + ', '.join(repr(record.name) for record in known) if known else ''}. "
        f"Received: source={name!r}"
    )


def is_for(record: Record, layout: Layout) -> bool:
    """Whether a record's network has the layers of such a layout."""
    row = record.architecture
    family = "preact" if row.preactivated else row.family
    if family != layout.family:
        return False
    if family == "vgg":
        return row.convolutions == layout.blocks
    if row.family != "resnet":
        return True
    kind = (row.stem == "cifar", row.blocks, row.block == "bottleneck")
    return kind == (layout.stem == "cifar", layout.blocks, layout.bottleneck)


def graph_options(model) -> dict[str, Any]:
    """The options of its builder that a model's layers show: those that weights can imply."""
    layers = {layer.name: layer for layer in all_layers(model)}
    found: dict[str, Any] = {}
    if "inception_3a_double_3x3_1" in layers:
        width = layers["conv1"].filters
        found["pool_proj"] = layers["inception_4c_pool_proj"].filters * 64 // width
        found["conv1"] = "separable" if "conv1_depthwise" in layers else "dense"
    found |= unusual_options(layers)
    if "conv1_a" in layers:
        found["stem"] = "deep"
    if "conv3_1_shortcut_pool" in layers:
        found["downsample"] = "avg"
    if "pool1_windows" in layers:
        found["first_norm"] = "conv2_1"
    if "conv3_1_c" in layers:
        found["stride_on"] = "1x1" if layers["conv3_1_a"].strides[0] == 2 else "3x3"
    if "pool1_pad" in layers and "inception_3a" not in layers:
        symmetric = tuple(layers["pool1_pad"].padding[0]) == (1, 1)
        found["pool1"] = "symmetric" if symmetric else "caffe"
    if "conv3_1_zeros" in layers:
        before = [pair[0] for pair in layers["conv3_1_zeros"].padding]
        found |= {"shortcut": "A", "zero_channels": "center" if any(before) else "end"}
    elif "conv2_1_shortcut" in layers and "conv2_2_shortcut" in layers:
        found["shortcut"] = "C"
    elif "conv3_1_shortcut" in layers:
        found["shortcut"] = "B"
    return found


def unusual_options(layers) -> dict[str, Any]:
    """Options that no public weights ask for, where layers compute something else by them."""
    found: dict[str, Any] = {}
    if any(name.endswith("_blur") for name in layers):
        found["blur_pool"] = True
    rate = max(getattr(layer, "dilation_rate", (1,))[0] for layer in layers.values())
    if rate > 1:
        found["output_stride"] = (32 if "pool1" in layers else 4) // rate
    if "inception_3a" in layers and "conv1_depthwise" in layers:
        found["conv1"] = "separable"
    if "spp" in layers and layers["spp"].rule != "window":
        found["spp"] = layers["spp"].rule
    return found


# What neither a record nor `graph_options` mentions, being as in the paper.
UNSAID = {"stem": "imagenet", "downsample": "conv", "first_norm": "conv1"}


def check_graph(model, record: Record) -> None:
    """Raises where the weights are for a graph that computes something else."""
    options = {**UNSAID, **graph_options(model)}
    wrong = {
        name: value
        for name, value in {**UNSAID, **record.options}.items()
        if name in options and options[name] != value
    }
    if wrong:
        asked = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
        has = ", ".join(f"{name}={options[name]!r}" for name in wrong)
        raise ValueError(
            f"The weights {record.id} are for a network built with {asked}. "
            f"Received: a model with {has}"
        )
