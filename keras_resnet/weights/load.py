"""Loading a file of any dialect into a model: all of its weights or none."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.networks.paper import one_of
from keras_resnet.weights.convert import (
    Entry,
    entries,
    layout_of_model,
    source_shape,
    to_ours,
    weighted_layers,
    with_channels,
)
from keras_resnet.weights.dialects import BY_FAMILY, NAMES, Dialect, dialect_of
from keras_resnet.weights.download import fetch
from keras_resnet.weights.find import list_weights
from keras_resnet.weights.matching import (
    Skip,
    check_file,
    check_graph,
    check_skip,
    records_for,
    skip_names,
)
from keras_resnet.weights.pretrained import hub_record
from keras_resnet.weights.readers import open_arrays, stored_tensor
from keras_resnet.weights.records import Record
from keras_resnet.weights.stored import Arrays, Stored, WeightsFileError

if TYPE_CHECKING:
    import keras

MOST_SHOWN = 12
WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.")


@checked()
def load_weights(
    model: "keras.Model",
    source: str | os.PathLike | Record | Mapping[str, Any],
    dialect: str = "auto",
    skip_mismatch: bool | str | Iterable[str] = False,
    other_graph: str | Iterable[str] = (),
    adapt_channels: bool = False,
) -> tuple[str, ...]:
    """Loads weights of any known dialect into `model`, all of them or none.

    Args:
        model: a network of this package, or a model built around one: layers are found by name,
            and those around the network stay as they are where the source has nothing for them.
        source: path of a `.safetensors`, `.weights.h5`, Keras-2 `.h5`, `.pth`, `.th` or `.npz`
            file, whose kind is recognized by its content; the name of a record of this network;
            a `Record`; or a mapping from names to arrays. Pickles are read with
            `weights_only=True`.
        dialect: whose names the file has, one of `"torchvision"`, `"timm"`, `"transformers"`,
            `"keras"`, `"caffe"`, `"akamaster"`, `"osmr"`, `"mmpretrain"`, `"keras_hub"`,
            `"keras_resnet"`, `"cadene"` (BN-Inception); `"auto"` recognizes it by the names.
        skip_mismatch: layers that may keep their values: a name, names (`"fc"` for a head with
            other classes), or True for any. A layer that only the file has is named as there.
        other_graph: options, such as `"output_stride"`, in which the model is meant to differ
            from the network that the file says it is of.
        adapt_channels: whether a model of other than 3 input channels takes a file for RGB: one
            channel gets the sum of the three, more repeat them in turn, times 3 / channels.

    Returns:
        The layers that were skipped.

    Raises:
        ValueError: weights are missing, left over or of another shape, all listed in one
            message; or the weights are for a network that computes something else. The model is
            unchanged.
        WeightsFileError: the file is damaged, or is not a file of weights.
        DownloadError: the file of a record could not be downloaded.
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
    one_of("dialect", dialect, ("auto", *NAMES))
    skip = skip_names(skip_mismatch)
    if isinstance(source, Mapping):
        arrays = {name: stored_in_mapping(name, array) for name, array in source.items()}
        return load_arrays(model, arrays, dialect, skip, "The mapping", adapt_channels)
    record = source if isinstance(source, Record) else record_for(model, source)
    if record is not None:
        check_graph(model, record.options, f"The weights {record.id}")
        source, dialect = fetch(record), record.dialect
    with open_arrays(source) as arrays:  # type: ignore[arg-type]
        if record is None:
            check_file(model, source, other_graph)  # type: ignore[arg-type]
        what = os.fspath(source)  # type: ignore[arg-type]
        return load_arrays(model, arrays, dialect, skip, what, adapt_channels)


def stored_in_mapping(name, array) -> Stored:
    """An array of a mapping: a tensor of torch of any kind, or anything that NumPy takes."""
    return stored_tensor(name, array) if hasattr(array, "untyped_storage") else Stored.of(array)


def record_for(model, name: str | os.PathLike) -> Record | None:
    """The record of that name whose network this model is; None for a path.

    Raises:
        ValueError: the text is neither a path nor such a record.
    """
    if not isinstance(name, str):
        return None
    if name.startswith("hf://"):
        return hub_record(name)
    known = records_for(model, list_weights())
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


def load_arrays(
    model, arrays: Arrays, dialect: str, skip: Skip, what: str, adapt: bool = False
) -> tuple[str, ...]:
    """Sets every variable of `model` from `arrays`, or none where anything is wrong."""
    arrays = unwrapped(arrays, what)
    if dialect == "auto":
        chosen = recognized(model, arrays, what)
    else:
        chosen = dialect_of(layout_of_model(model), dialect)
    arrays = with_prefix(arrays, chosen)
    every = entries(model, chosen)
    wanted = own_left_out(model, every, arrays)
    arrays = with_channels(arrays, wanted, chosen) if adapt else arrays
    problems, skipped = compare(wanted, arrays, chosen, skip)
    if problems:
        raise ValueError(
            f"{what}, read as {chosen.name!r}, does not fit the model {model.name!r}; "
            f"nothing was loaded.\n{problems}\nA layer may be left as it is with "
            f"skip_mismatch=[its name]; list_weights() says which graph weights are for."
        )
    check_skip(skip, {entry.layer for entry in every}, {layer_of(x, chosen) for x in arrays})
    values = []
    for entry in wanted:
        if entry.layer in skipped:
            continue
        bias = numbers(arrays, entry.conv_bias, what) if entry.conv_bias in arrays else None
        values.append((entry, to_ours(entry, chosen, numbers(arrays, entry.name, what), bias)))
    check_values(values, what)
    for entry, value in values:
        entry.variable.assign(value)
    return tuple(skipped)


def own_left_out(model, wanted: list[Entry], arrays: Arrays) -> list[Entry]:
    """Without the layers around the network in a model of which the arrays have nothing."""
    from keras_resnet.network import networks_in  # late, as in `convert`

    networks = networks_in(model)
    inside = {name for network in networks for name in weighted_layers(network)}
    if not networks or model in networks:
        return wanted
    given = {entry.layer for entry in wanted if entry.name in arrays}
    return [x for x in wanted if x.layer in given or x.layer.rpartition("/")[2] in inside]


def unwrapped(arrays: Arrays, what: str) -> Arrays:
    """Without the prefixes that DataParallel, torch.compile and others put before every name.

    Raises:
        WeightsFileError: a name is no text.
    """
    if odd := [name for name in arrays if not isinstance(name, str)]:
        raise WeightsFileError(f"{what} holds an array whose name is no text: {odd[0]!r}")
    common = (p for p in WRAPPERS if arrays and all(name.startswith(p) for name in arrays))
    if prefix := next(common, None):
        inner = {name.removeprefix(prefix): stored for name, stored in arrays.items()}
        return unwrapped(inner, what)
    return arrays


def numbers(arrays: Arrays, name: str | None, what: str) -> np.ndarray:
    """The array of this name.

    Raises:
        WeightsFileError: it holds something else than integers and floating-point numbers.
    """
    array = np.asarray(arrays[name or ""].read())
    if array.dtype.kind not in "fiu" and not array.dtype.name.startswith(("bfloat", "float")):
        raise WeightsFileError(f"{name} in {what} is {array.dtype}; real numbers are needed")
    return array


def with_prefix(arrays: Arrays, dialect: Dialect) -> Arrays:
    """With the prefix that some of the dialect's models leave out."""
    optional = dialect.optional
    if not optional or any(name.startswith(optional) for name in arrays):
        return arrays
    return {
        name if name.startswith(dialect.fc) else optional + name: stored
        for name, stored in arrays.items()
    }


def recognized(model, arrays: Arrays, what: str) -> Dialect:
    """The dialect that shares most names with the file."""
    scores = {}
    known = BY_FAMILY[layout_of_model(model).family]
    for name, dialect in known.items():
        found = with_prefix(arrays, dialect)
        names = {entry.name for entry in entries(model, dialect)}
        # The classifier's name differs between dialects, whether or not the model has one.
        names |= {dialect.variable(dialect.fc, "kernel"), dialect.variable(dialect.fc, "bias")}
        scores[name] = len(names & found.keys())
    best = max(scores, key=lambda name: scores[name], default="")
    if not best or not scores[best]:
        given = sorted(arrays)
        raise ValueError(
            f"The names in {what} are of no dialect known ({', '.join(known)}) for the model "
            f"{model.name!r}. Received: {', '.join(given[:MOST_SHOWN])}"
            f"{', ...' if len(given) > MOST_SHOWN else ''}"
        )
    return known[best]


def compare(
    wanted: list[Entry], arrays: Arrays, dialect: Dialect, skip: Skip
) -> tuple[str, list[str]]:
    """What is missing, left over and misshapen, in words; and the layers that are skipped."""
    problems: list[tuple[str, str, str]] = []  # what is wrong, the layer, and a line of text
    known = set()
    for entry in wanted:
        shape, layer = source_shape(entry, dialect), entry.layer
        if entry.name not in arrays:
            problems.append(("missing", layer, f"{entry.name} {shape} for {layer}"))
        for name in (entry.name, entry.conv_bias):
            if name in arrays and arrays[name].shape != shape:
                line = f"{name} is {arrays[name].shape}, {layer} takes {shape}"
                problems.append(("misshapen", layer, line))
        known |= {entry.name, entry.conv_bias}
        if dialect.variables == "torch" and entry.kind == "moving_mean":
            known.add(entry.name.removesuffix("running_mean") + "num_batches_tracked")
    for name, array in arrays.items():
        if name not in known:
            problems.append(("left over", layer_of(name, dialect), f"{name} {array.shape}"))
    wrong = dict.fromkeys(layer for _, layer, _ in problems)
    skipped = [layer for layer in wrong if skip is True or layer in skip]
    text = []
    for title in ("missing", "left over", "misshapen"):
        lines = [line for what, layer, line in problems if what == title and layer not in skipped]
        text += [f"{title} ({len(lines)}): {'; '.join(lines)}"] if lines else []
    return "\n".join(text), skipped


def layer_of(name: str, dialect: Dialect) -> str:
    """The layer of a left-over array, as `skip_mismatch` names it: `fc` if it is the classifier."""
    layer = name.rpartition("/" if dialect.variables == "keras" else ".")[0]
    return "fc" if layer == dialect.fc else layer


def check_values(values, what: str) -> None:
    """Raises where values are not finite, or a variance is negative."""
    wrong = []
    for entry, value in values:
        if not np.isfinite(value).all():
            wrong.append(f"{entry.name} is not finite")
        elif entry.kind == "moving_variance" and (value + entry.epsilon <= 0).any():
            wrong.append(f"{entry.name} has a negative variance")
    if wrong:
        raise ValueError(
            f"{what} holds numbers no network works with; nothing was loaded: {'; '.join(wrong)}"
        )
