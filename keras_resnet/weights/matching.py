"""What the layers of a model show: the options it was built with, and the weights that fit it."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_resnet.networks.options import UNSAID
from keras_resnet.weights.convert import layers_by_name
from keras_resnet.weights.layout import layout_of
from keras_resnet.weights.records import Record


def graph_options(model) -> dict[str, Any]:
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


def check_graph(model, record: Record) -> None:
    """Raises where the weights are for a graph that computes something else."""
    # UNSAID is what neither a record nor `graph_options` mentions.
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
