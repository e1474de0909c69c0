"""A model's weights as a file that other libraries load."""

import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import GRAPH, atomic_write
from keras_resnet.networks.paper import one_of
from keras_resnet.weights.convert import entries, layout_of_model, to_theirs
from keras_resnet.weights.dialects import NAMES, Dialect, dialect_of
from keras_resnet.weights.stored import required

if TYPE_CHECKING:
    import keras

NamedArrays = dict[str, np.ndarray]


def arrays_of(model, dialect: Dialect) -> NamedArrays:
    """Every weight of `model` under the dialect's names and in its conventions.

    Raises:
        ValueError: the model has a layer that the dialect has no name for.
    """
    import keras  # late, as `keras-resnet weights` lists records without

    wanted = entries(model, dialect)
    unknown = {entry.layer for entry in wanted if not entry.known}
    if unknown and dialect.name != "keras_resnet":
        raise ValueError(
            f"The dialect {dialect.name!r} has no name for {', '.join(sorted(unknown))}. "
            'A model with layers of its own can be saved with dialect="keras_resnet"'
        )
    found: NamedArrays = {}
    for entry in wanted:
        value = keras.ops.convert_to_numpy(entry.variable.value)
        if entry.conv_bias and dialect.conv_bias:
            found[entry.conv_bias] = np.zeros(value.shape, "float32")
        if entry.name in found:
            raise ValueError(
                f"The dialect {dialect.name!r} has one name, {entry.name}, for two layers. "
                f"Received: a model with {entry.layer} and another"
            )
        found[entry.name] = to_theirs(entry, dialect, value)
        if entry.kind == "moving_variance" and dialect.variables == "torch":
            tracked = entry.name.removesuffix("running_var") + "num_batches_tracked"
            found[tracked] = np.zeros((), "int64")
    return found


def write_npz(path: Path, arrays: NamedArrays, graph: str) -> None:
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    comment(path, graph)


def comment(path: Path, graph: str) -> None:
    """Notes what weights are of where no reader of arrays looks: in the archive's comment."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = graph.encode()


def write_safetensors(path: Path, arrays: NamedArrays, graph: str) -> None:
    from safetensors.numpy import save

    with open(path, "wb") as file:  # safetensors' own file could be read by its owner alone
        file.write(save(arrays, {"format": "pt"} | ({GRAPH: graph} if graph else {})))


def write_torch(path: Path, arrays: NamedArrays, graph: str) -> None:
    hint = ". Files in .safetensors do not need it, and torch libraries read them"
    torch = required("torch", "Writing torch's files", "torch", hint)
    torch.save({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, path)
    comment(path, graph)


def write_keras_2(path: Path, arrays: NamedArrays, graph: str) -> None:
    """Keras 2's layout, which Keras 3 still loads by the order of layers, or by name."""
    import h5py

    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        layer, _, variable = name.rpartition("/")
        layers.setdefault(layer, {})[variable] = array
    with h5py.File(path, "w") as file:
        names = sorted(layers, key=keras_order) if "conv1_conv" in layers else list(layers)
        file.attrs["layer_names"] = [name.encode() for name in names]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.15.0"
        if graph:
            file.attrs[GRAPH] = graph
        for layer in names:
            group = file.create_group(layer)
            variables = [v for v in VARIABLES_IN_ORDER if v in layers[layer]]
            group.attrs["weight_names"] = [f"{layer}/{v}:0".encode() for v in variables]
            for variable in variables:
                group.create_dataset(f"{layer}/{variable}:0", data=layers[layer][variable])


VARIABLES_IN_ORDER = ("kernel", "alpha", "bias", "gamma", "beta", "moving_mean", "moving_variance")
KERAS_APPLICATIONS = re.compile(r"conv(\d+)_block(\d+)_(\d|preact)_(conv|bn)")


def keras_order(layer: str) -> tuple[int, ...]:
    """The position of this layer in keras.applications' graph, which is sorted by depth.

    A projection `_0_` is as deep as the last convolution `_3_` and comes just before it.
    """
    match = KERAS_APPLICATIONS.fullmatch(layer)
    if not match:
        return (0,) if layer.startswith("conv1_") else (2, layer == "predictions")
    stage, block = map(int, match.groups()[:2])
    number = -1 if match[3] == "preact" else int(match[3])
    return (1, stage, block, number or 3, match[4] == "bn", number)


WRITERS: dict[str, Callable[[Path, NamedArrays, str], None]] = {
    ".npz": write_npz,
    ".safetensors": write_safetensors,
    ".pth": write_torch,
    ".pt": write_torch,
    ".h5": write_keras_2,
}
LAYERED = ("keras_resnet", "keras", "caffe")


@checked()
def save_weights(
    model: "keras.Model", path: str | os.PathLike, dialect: str = "torchvision"
) -> None:
    """Writes the weights of `model` so that another library loads them.

    Args:
        model: a network of this package, or one built around it.
        path: of the file. Its suffix decides the kind: `.safetensors`, `.npz`, `.pth`, `.pt`,
            or `.h5` (Keras 2's, for the dialects keras_resnet, keras and caffe).
        dialect: whose names and conventions: `"torchvision"`, `"timm"`, `"transformers"`,
            `"keras"` (keras.applications), `"caffe"`, `"akamaster"`, `"mmpretrain"`, `"osmr"`
            (a `.npz`), `"cadene"` or `"keras_resnet"`, where it has names for the network.
            The networks of keras.applications, Caffe and Cadene's BN-Inception read blue, green,
            red: conv1 is reversed for them, but not for keras.applications' V2.

    The file is written completely or not at all. It carries what the network was built as, so
    that `load_weights` refuses to load it into one that computes something else.

    Raises:
        ValueError: an unknown dialect or suffix, or a layer the dialect has no name for.
        OSError: the file cannot be written; a file that was there before is unchanged.
        ImportError: a package that writes this kind is missing; the message names it.

    Example:

    >>> import tempfile
    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", weights=None)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keras_resnet.save_weights(model, f"{folder}/resnet8.npz", dialect="akamaster")
    """
    one_of("dialect", dialect, NAMES)
    path = Path(path)
    if path.suffix not in WRITERS or path.name.endswith(".weights.h5"):
        raise ValueError(
            f"`path` must end in {', '.join(WRITERS)} (for .weights.h5 there is "
            f"model.save_weights). Received: path={str(path)!r}"
        )
    if path.suffix == ".h5" and dialect not in LAYERED:
        raise ValueError(
            f".h5 is written for the dialects {', '.join(LAYERED)}. Received: dialect={dialect!r}"
        )
    from keras_resnet.network import graph_of

    graph = graph_of(model)
    arrays = arrays_of(model, dialect_of(layout_of_model(model), dialect))
    with atomic_write(path) as beside:
        WRITERS[path.suffix](beside, arrays, json.dumps(graph) if graph else "")
