"""What a network was built as, what the layers of a model show of it, and what weights fit it."""

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import GRAPH, graph_in_hdf5, parsed
from keras_resnet.common.zips import open_zip
from keras_resnet.networks.family import network_row
from keras_resnet.networks.options import OPTIONS, UNSAID
from keras_resnet.networks.paper import Architecture
from keras_resnet.weights.convert import layers_by_name
from keras_resnet.weights.layout import layout_of
from keras_resnet.weights.readers import damage_named, is_safetensors, open_safetensors, regular
from keras_resnet.weights.records import Record
from keras_resnet.weights.transfer import identity

if TYPE_CHECKING:
    import keras

# The layers that need not fit: all, or those of these names.
Skip = Literal[True] | frozenset[str]


def graph_record(
    network: Any, row: Any, options: Any, classes: int | None, weights: Record | None
) -> dict[str, Any]:
    """What a network was built as, for the files of its weights.

    Args:
        network: the name or the row that `build` was given.
        row: the row that came of it.
        options: the `Options` that were chosen.
        classes: of its head; None without.
        weights: a public set that it starts from.

    Returns:
        `row` and `options`, by which other networks compute something else; `pixels`, the mean
        and standard deviation by which it normalizes inside; the call that builds it; `classes`,
        `preprocessing` and `version`, which say more.
    """
    base = network_row(network)
    chosen = {
        name: getattr(row if option.is_field else options, name)
        for name, option in OPTIONS.items()
        if option.graph and not option.lacks(row)
    }
    usual = {
        name: getattr(base, name) if OPTIONS[name].is_field else OPTIONS[name].default_of(row)
        for name in chosen
    }
    said = {name: value for name, value in chosen.items() if value != usual[name]}
    if classes not in (None, row.classes):
        said["classes"] = classes
    arguments = "".join(f", {name}={value!r}" for name, value in said.items())
    inside = options.include_preprocessing
    fields = dataclasses.asdict(row)
    fields.pop("conv_bias", None)  # what a normalization follows: other files are folded exactly
    return {
        "row": {"kind": type(row).__name__, **fields},
        "options": {name: chosen[name] for name in chosen if not OPTIONS[name].is_field},
        "pixels": [list(options.mean), list(options.std)] if inside else None,
        "call": f"keras_resnet.build({network!r}{arguments})",
        "network": network if isinstance(network, str) else row.name,
        "classes": classes,
        "preprocessing": dataclasses.asdict(weights.image) if weights else None,
        "version": identity()[1],
    }


def note_graph(model, *built_as) -> None:
    """Has a model remember what it was built as: `graph_record` of these arguments."""
    from keras_resnet.network import carry  # late: records are listed without loading Keras

    carry(model, graph_record(*built_as))


def options_in(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a builder in the record of a file."""
    said = {**graph["row"], **graph["options"]}
    return {name: said[name] for name, option in OPTIONS.items() if option.graph and name in said}


def applicable(row: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options said that a network has, with the shortcut that they say."""
    if "shortcut" in said and isinstance(row, Architecture):
        row = dataclasses.replace(row, shortcut=said["shortcut"])
    return {
        name: value
        for name, value in said.items()
        if value is not None and not OPTIONS[name].lacks(row)
    }


def graph_in(path: str | os.PathLike) -> dict[str, Any] | None:
    """What the weights in a file are of; None where it does not say so.

    Raises:
        WeightsFileError: it is damaged.
    """
    with damage_named(regular(path)):
        return graph_in_sound(path)


def graph_in_sound(path: str | os.PathLike) -> dict[str, Any] | None:
    with open(path, "rb") as file:
        start = file.read(9)
    text: Any = None
    if start.startswith(b"\x89HDF"):
        return graph_in_hdf5(path)
    if start.startswith(b"PK"):
        with open_zip(path) as archive:
            text = archive.comment if archive.comment.startswith(b"{") else None
    elif is_safetensors(start):
        with open_safetensors(Path(path)) as tensors:
            text = (tensors.metadata() or {}).get(GRAPH)
    return None if text is None else parsed(text, str(path))


@checked()
def graph_options(model: "keras.Model") -> dict[str, Any]:
    """The options of its builder that the layers of `model` show: those that weights can imply."""
    layers = layers_by_name(model)
    found: dict[str, Any] = {}
    if "inception_3a_double_3x3_1" in layers:
        width = layers["conv1"].filters
        found["pool_proj"] = layers["inception_4c_pool_proj"].filters * 64 // width
        found["conv1"] = "separable" if "conv1_depthwise" in layers else "dense"
    # Where no public weights ask for an option, only a value that is not the paper's is listed.
    if any(name.endswith("_blur") for name in layers):
        found["blur_pool"] = True
    rate = max(getattr(layer, "dilation_rate", (1,))[0] for layer in layers.values())
    if rate > 1:
        stem_stride = 4 if "pool1" in layers else 1
        found["output_stride"] = stem_stride * 2 ** (len(layout_of(layers).blocks) - 1) // rate
    if "inception_3a" in layers and "conv1_depthwise" in layers:
        found["conv1"] = "separable"
    if "spp" in layers and layers["spp"].rule != "window":
        found["spp"] = layers["spp"].rule
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


def check_graph(model, said: Mapping[str, Any], what: str, meant: Iterable[str] = ()) -> None:
    """Raises where weights are for a graph that computes something else than a model shows.

    Args:
        said: options that the weights imply.
        what: they are, for the message.
        meant: differences that are asked for.
    """
    # UNSAID is what neither a record nor `graph_options` mentions.
    options = {**UNSAID, **graph_options(model)}
    wrong = {
        name: value
        for name, value in {**UNSAID, **said}.items()
        if name in options and options[name] != value and name not in meant
    }
    if wrong:
        asked = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
        has = ", ".join(f"{name}={options[name]!r}" for name in wrong)
        raise ValueError(
            f"{what} are for a network built with {asked}. Received: a model with {has}"
        )


def records_for(model, records: Iterable[Record]) -> list[Record]:
    """Those of the records whose network has the layers and kernels that this model has."""
    layers = layers_by_name(model)
    return [record for record in records if has_layers_of(layers, record.architecture)]


def has_layers_of(layers: Mapping[str, Any], row: Any) -> bool:
    """Whether a model with these layers is the network of a row, whatever its options.

    Blocks are not enough: a network with wider or grouped convolutions has the same names.
    """
    layout = layout_of(layers)
    if layout.family != ("preact" if row.preactivated else row.family):
        return False
    vgg, residual = row.family == "vgg", row.family == "resnet"
    first = layers.get("conv1_1" if vgg else "conv1")
    if getattr(first, "filters", None) != row.width:
        return False
    if not residual:
        return not vgg or row.convolutions == layout.blocks
    kind = (row.stem == "cifar", row.blocks, row.block == "bottleneck")
    if kind != (layout.stem == "cifar", layout.blocks, layout.bottleneck):
        return False
    kernel = (3, 3, row.convolved // row.groups, row.convolved)
    return tuple(layers["conv2_1_b"].kernel.shape) == kernel


def check_skip(skip: Skip, of_model: set[str], of_file: set[str]) -> None:
    """Raises where a layer is of neither. `build` names the head in any case."""
    if skip is not True and (unknown := skip - of_model - of_file - {"fc"}):
        raise ValueError(
            "`skip_mismatch` must name layers of the model or the file. "
            f"Received: {', '.join(map(repr, sorted(unknown)))}"
        )


def check_file(model, path: str | os.PathLike, meant: str | Iterable[str]) -> None:
    """Raises where a file says that it is of a network that computes something else."""
    from keras_resnet.network import check_same_graph, graph_of  # late, as in `convert`

    meant = {meant} if isinstance(meant, str) else set(meant)
    if unknown := meant - OPTIONS.keys():
        raise ValueError(f"`other_graph` must be options of a builder. Received: {unknown}")
    if (graph := graph_in(path)) is None:
        return
    if graph_of(model) is not None:
        check_same_graph(model, graph, str(path), meant)
    else:
        check_graph(model, options_in(graph), f"{path}, of {graph.get('call')},", meant)


def skip_names(skip_mismatch) -> Skip:
    """Which layers `skip_mismatch` names.

    Raises:
        ValueError: it is neither a flag nor names.
    """
    if skip_mismatch is True:
        return True
    if isinstance(skip_mismatch, str):
        return frozenset((skip_mismatch,))
    if not skip_mismatch:
        return frozenset()
    try:
        names = frozenset(skip_mismatch)
    except TypeError:
        names = frozenset((None,))
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`skip_mismatch` must be True, False, or names of layers. "
            f"Received: skip_mismatch={skip_mismatch!r}"
        )
    return names
