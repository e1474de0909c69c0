"""From a dialect's arrays to a model's variables and back; every difference is folded exactly."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_resnet.weights.dialects import Dialect
from keras_resnet.weights.layout import Layout, layout_of
from keras_resnet.weights.stored import Arrays, Stored


@dataclass(frozen=True)
class Entry:
    """One variable of a model and the array of a dialect that holds its value.

    Args:
        layer: name of our layer.
        variable: the Keras variable that is set.
        kind: kernel, bias, gamma, beta, moving_mean or moving_variance.
        name: of the array in the dialect.
        conv_bias: name of the bias that the dialect's convolution may have, for a moving mean.
        flip: the dialect's kernel reads blue, green, red.
        epsilon: of the layer, for a moving variance.
        known: whether the dialect has a name for the layer; if not, the layer keeps its own.
        flattened: height, width and channels of the map that a fully connected layer reads.
    """

    layer: str
    variable: Any
    kind: str
    name: str
    conv_bias: str | None = None
    flip: bool = False
    epsilon: float = 0.0
    known: bool = True
    flattened: tuple[int, int, int] | None = None


def layers_by_name(model) -> dict[str, Any]:
    """Every layer of the model by name, those inside nested models too."""
    from keras_resnet.graph import all_layers  # late: records are listed without loading Keras

    return {layer.name: layer for layer in all_layers(model)}


def weighted_layers(model) -> dict[str, Any]:
    """The layers that have weights of their own, by name, inside nested models too.

    Where two have one name, as those of two networks in one model, all go by their paths.
    """
    from keras_resnet.graph import leaf_layers

    found = {path: layer for path, layer in leaf_layers(model) if layer.weights}
    by_name = {layer.name: layer for layer in found.values()}
    return by_name if len(by_name) == len(set(found.values())) else found


def entries(model, dialect: Dialect) -> list[Entry]:
    """Every variable of the model with its name in the dialect.

    A layer that the dialect has no name for keeps its own.
    """
    layers = weighted_layers(model)
    layout = layout_of_model(model)
    flattened = flattened_map(model)
    found = []
    for name, layer in layers.items():
        spelled = dialect.layer(name, layout)
        bias = bias_before(name, layers, dialect, layout)
        for variable in layer.weights:
            kind = variable.path.rsplit("/", 1)[-1]
            found.append(
                Entry(
                    layer=name,
                    variable=variable,
                    kind=kind,
                    name=name_in(dialect, spelled or name, kind),
                    conv_bias=bias if kind == "moving_mean" else None,
                    flip=dialect.bgr and name in FIRST and tuple(variable.shape)[2:3] == (3,),
                    epsilon=getattr(layer, "epsilon", 0.0),
                    known=spelled is not None,
                    flattened=flattened if name == "fc6" and kind == "kernel" else None,
                )
            )
    return found


# The convolution that reads the image: the first of these that a network has.
FIRST = ("conv1_a", "conv1", "conv1_1")


def with_channels(arrays: Arrays, wanted: list[Entry], dialect: Dialect) -> Arrays:
    """The arrays, with a first kernel for RGB made one for as many channels as the model has.

    As timm does (`adapt_input_conv`): one channel gets the sum over red, green and blue, so that
    a gray image gives what it gives as RGB; n channels repeat the three in turn, times 3 / n.
    """
    entry = next(e for layer in FIRST for e in wanted if (e.layer, e.kind) == (layer, "kernel"))
    channels = entry.variable.shape[2]
    axis = 1 if dialect.variables == "torch" else 2
    stored = arrays.get(entry.name)
    if channels == 3 or stored is None or stored.shape[axis : axis + 1] != (3,):
        return arrays

    def read():
        kernel = np.asarray(stored.read(), "float32")
        rgb = np.flip(kernel, axis) if dialect.bgr else kernel
        if channels == 1:
            return rgb.sum(axis, keepdims=True)
        return np.take(rgb, np.arange(channels) % 3, axis) * np.float32(3 / channels)

    shape = (*stored.shape[:axis], channels, *stored.shape[axis + 1 :])
    return {**arrays, entry.name: Stored(shape, read)}


def bias_before(name: str, layers, dialect: Dialect, layout: Layout) -> str | None:
    """The name of the bias of the convolution that the normalization `name` follows."""
    conv = name.removesuffix("_bn")
    if conv == name or conv not in layers or layers[conv].use_bias:
        return None
    spelled = dialect.layer(conv, layout)
    return spelled and dialect.variable(spelled, "bias")


def flattened_map(model) -> tuple[int, int, int] | None:
    """Height, width and channels of the map that VGG's fc6 reads."""
    layer = layers_by_name(model).get("flatten")
    if layer is None:
        return None
    sides = tuple(layer.input.shape[1:])
    return (*sides[1:], sides[0]) if layer.data_format == "channels_first" else sides


def name_in(dialect: Dialect, layer: str, kind: str) -> str:
    """The full name of a variable, also of a kind that torch's libraries do not have."""
    try:
        return dialect.variable(layer, kind)
    except KeyError:
        return f"{layer}/{kind}"


def layout_of_model(model) -> Layout:
    """What the names of the model's layers say."""
    return layout_of(layers_by_name(model))


def source_shape(entry: Entry, dialect: Dialect) -> tuple[int, ...]:
    """The shape the entry's array has in the dialect."""
    shape = tuple(entry.variable.shape)
    if dialect.variables == "torch" and len(shape) > 1:
        shape = (shape[-1], shape[-2], *shape[:-2])
        return (*shape, 1, 1) if dialect.fc_is_1x1 and entry.layer == "fc" else shape
    return shape


def to_ours(entry: Entry, dialect: Dialect, array, conv_bias=None) -> np.ndarray:
    """The value of our variable, from the dialect's array.

    BN(conv(x) + bias) is BN'(conv(x)) with the bias subtracted from the moving mean; the
    difference of two epsilons is added to the variance. Both are exact.
    """
    array = np.asarray(array)
    if entry.kind == "kernel" and dialect.variables == "torch":
        array = from_torch(entry, array)
    if entry.flip:
        array = array[:, :, ::-1]
    if entry.kind == "moving_mean" and conv_bias is not None:
        array = array.astype("float64") - np.asarray(conv_bias, "float64")
    if entry.kind == "moving_variance" and dialect.epsilon != entry.epsilon:
        array = array.astype("float64") + (dialect.epsilon - entry.epsilon)
    return np.ascontiguousarray(array, "float32")


def from_torch(entry: Entry, kernel: np.ndarray) -> np.ndarray:
    """From (out, in, height, width) or (out, in). PyTorch flattens channels first."""
    if len(entry.variable.shape) == 4:
        return kernel.transpose(2, 3, 1, 0)
    kernel = kernel.reshape(kernel.shape[:2]).T
    if entry.flattened:
        height, width, channels = entry.flattened
        kernel = kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
    return kernel.reshape(entry.variable.shape)


def to_torch(entry: Entry, kernel: np.ndarray) -> np.ndarray:
    """The inverse of `from_torch`."""
    if kernel.ndim == 4:
        return kernel.transpose(3, 2, 0, 1)
    if entry.flattened:
        kernel = kernel.reshape(*entry.flattened, -1).transpose(2, 0, 1, 3)
    return kernel.reshape(entry.variable.shape).T


def to_theirs(entry: Entry, dialect: Dialect, array) -> np.ndarray:
    """The dialect's array for our variable's value: the inverse of `to_ours`."""
    array = np.asarray(array, "float32")
    if entry.flip:
        array = array[:, :, ::-1]
    if entry.kind == "moving_variance" and dialect.epsilon != entry.epsilon:
        array = array.astype("float64") - (dialect.epsilon - entry.epsilon)
    if entry.kind == "kernel" and dialect.variables == "torch":
        array = to_torch(entry, array).reshape(source_shape(entry, dialect))
    return np.ascontiguousarray(array, "float32")
