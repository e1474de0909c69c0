"""What a built model is and costs, read off its own graph so that it cannot drift."""

import functools
import json
import math
import pathlib
import re
from dataclasses import dataclass

import keras

from keras_resnet.paper import TABLE_1, TABLE_6
from keras_resnet.systems import NETWORKS, PRINTED

# Counts of built models, which `python tools/golden.py` writes and tests compare with new ones.
FAMILY = pathlib.Path(__file__).with_name("family.json")


@dataclass(frozen=True)
class Costs:
    """Parameters that train, all parameters, and multiply-adds for one image."""

    trainable: int
    total: int
    macs: int


def check_model(model) -> None:
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a functional or Sequential Keras model. "
            f"Received: model of type {type(model).__name__}"
        )


def leaves(model):
    """The layers of a model, those of nested models included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def count(model: keras.Model, input_shape: tuple[int, ...] | None = None) -> Costs:
    """Counts parameters and multiply-adds.

    Args:
        model: any functional or Sequential model.
        input_shape: one image, for a model whose sides are None.

    Returns:
        `Costs`: `.trainable` and `.total` parameters, BN statistics being the difference of
        the two, and `.macs`, the multiply-adds of convolutions and fully connected layers for
        one image: what the paper calls FLOPs (Table 1). Bias, BN, ReLU, pooling and addition
        are not counted.

    Raises:
        ValueError: this is no model, or it has sides of unknown size and no `input_shape`
            is given.

    Example:

    >>> import keras_resnet
    >>> keras_resnet.count(keras_resnet.ResNet20())
    Costs(trainable=269722, total=271098, macs=40551040)
    """
    check_model(model)
    if input_shape is not None:
        model = keras.models.clone_model(model, input_tensors=keras.Input(input_shape))
    return Costs(
        trainable=sum(math.prod(v.shape) for v in model.trainable_weights),
        total=sum(math.prod(v.shape) for v in model.weights),
        macs=sum(macs(layer) for layer in leaves(model)),
    )


def macs(layer) -> int:
    """Multiply-adds of one layer for one image."""
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
        return 0
    last = layer.data_format == "channels_last"
    sides = layer.output.shape[1:3] if last else layer.output.shape[2:4]
    if None in sides:
        raise ValueError(
            f"Multiply-adds depend on the size of the image, and {layer.name!r} has an output "
            f"of shape {layer.output.shape}. Pass input_shape, for example (224, 224, 3)"
        )
    return math.prod(layer.kernel.shape) * math.prod(sides)


# A layer and its activation give one name: the later of the two stands.
ENDS = re.compile(
    r"(conv[12]|fc[1267])(?:_p?relu)?|(inception_\d[a-e]|spp)|(conv\d+)_\d+(?:_p?relu)?"
)


def endpoints(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """The outputs of conv1, conv2_x, ..., by the papers' names, for feature extraction.

    Args:
        model: a network of this package, of any options, loaded or cloned.

    Returns:
        A dict from `"conv1"` (after BN and ReLU), `"conv2_x"`, ... to symbolic tensors: the
        last output of every stage. VGG's and PReLU-net's are their groups' and their fully
        connected layers', GoogLeNet's and BN-Inception's `"conv1"`, `"conv2"` and
        `"inception_3a"` to `"inception_5b"`.

    Raises:
        ValueError: the model has no layers of these names.

    Example:

    >>> import keras, keras_resnet
    >>> base = keras_resnet.ResNet20(include_top=False, input_shape=(32, 32, 3))
    >>> features = keras.Model(base.input, keras_resnet.endpoints(base))
    >>> list(features.output)
    ['conv1', 'conv2_x', 'conv3_x', 'conv4_x']
    """
    check_model(model)
    ends = {}
    for layer in model.layers:
        if match := ENDS.fullmatch(layer.name):
            ends[match[1] or match[2] or f"{match[3]}_x"] = layer.output
    if not ends:
        shown = ", ".join(layer.name for layer in model.layers[:5])
        raise ValueError(
            "The model must be one of keras_resnet's, with layers named conv1_relu, conv2_1, ... "
            f"Received: {model.name!r} with layers {shown}, ..."
        )
    return ends


def measured(model: keras.Model) -> dict[str, int]:
    """The counts of a model, as `family.json` holds them."""
    costs = count(model)
    return {"trainable": costs.trainable, "total": costs.total, "macs": costs.macs}


@functools.cache
def family() -> dict[str, Costs]:
    """The costs of every network of `list_models()`, without building one."""
    return {name: Costs(**row) for name, row in json.loads(FAMILY.read_text()).items()}


COLUMNS = ("network", "layers", "blocks", "shortcut", "parameters", "multiply-adds", "paper")


def summary_rows(names: list[str] | tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    """What `summary_table` prints: one tuple a network, in the order of `COLUMNS`."""
    names = list(NETWORKS) if names is None else names
    if isinstance(names, str) or not all(name in family() for name in names):
        raise ValueError(
            f"`names` must be a list of names of list_models(): {', '.join(family())}. "
            f"Received: names={names!r}"
        )
    return [summary_row(name) for name in names]


def summary_row(name: str) -> tuple[str, ...]:
    row, costs = NETWORKS[name], family()[name]
    return (
        name,
        str(row.depth),
        row.kind,
        row.shortcut or "none",
        f"{costs.trainable:,}",
        f"{costs.macs / 1e9:.3f} G" if costs.macs >= 1e9 else f"{costs.macs / 1e6:.1f} M",
        published(name),
    )


def published(name: str) -> str:
    """What its paper prints for this network; Table 1 has residual and plain nets in one."""
    row = NETWORKS[name]
    if row.preactivated or row.family != "resnet":
        return PRINTED.get(name, "")
    if row.stem == "imagenet":
        printed = row.shortcut is not None or row.depth in (18, 34)
        return f"{TABLE_1[row.depth][-1] / 1e9:.1f} G multiply-adds" if printed else ""
    return f"{TABLE_6[row.depth][0] / 1e6:.3g} M parameters" if row.shortcut else ""


def summary_table(names: list[str] | tuple[str, ...] | None = None) -> str:
    """The family as a Markdown table, with exact counts and the paper's own.

    Args:
        names: networks of `list_models()`, all of them by default.

    Returns:
        Lines of Markdown: name, layers, blocks, shortcut option, trainable parameters,
        multiply-adds for one image of the paper's size, and what the paper prints.

    Raises:
        ValueError: a name that is not in `list_models()`.

    Example:

    >>> import keras_resnet
    >>> print(keras_resnet.summary_table(["resnet50"]).splitlines()[-1])
    | resnet50 | 50 | 3+4+6+3 bottleneck | B | 25,557,032 | 3.858 G | 3.8 G multiply-adds |
    """
    rule = ("---", "---:", "---", "---", "---:", "---:", "---")
    return "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, rule, *summary_rows(names)))
