"""Batch normalization folded into the convolutions beside it.

In inference it is y = scale * x + shift per channel, and a convolution is linear: scale and
shift become part of its kernel and bias. Where there is no convolution beside it, it becomes one
of its own, of one pixel and one channel at a time: runtimes join that with the ReLU after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_resnet import layers as ours
from keras_resnet.common.arguments import checked
from keras_resnet.exporting.copying import copied, copy_values, is_channels_first, same
from keras_resnet.graph import Graph

NORMS = (keras.layers.BatchNormalization, ours.BatchNormalization)
# Layers that do nothing in inference.
IDENTITIES = (
    keras.layers.Identity,
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.GaussianNoise,
    keras.layers.GaussianDropout,
    ours.DropPath,
)
TRANSPOSED = tuple(getattr(keras.layers, f"Conv{n}DTranspose") for n in (1, 2, 3))
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
# Layers whose every output is a weighted sum of inputs and whose every input may be scaled.
PLAIN = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
LINEAR = PLAIN + TRANSPOSED + DEPTHWISE + SEPARABLE


@checked()
def fold_batch_norm(model: keras.Model, strict: bool = True) -> keras.Model:
    """A copy of a model for inference, without its batch normalizations.

    Each is folded into the convolution or fully connected layer before it, or, where that is
    exact, into those after it: they must read nothing but the normalized map, and pad nothing.
    What is left on maps, as before the ReLU of a pre-activation block, becomes a
    `DepthwiseConv2D` of one pixel.

    Args:
        model: a network of this package, or any functional or Sequential model. It stays as
            it is; models nested in it are folded as well.
        strict: False keeps the normalizations that cannot be folded, such as those of vectors
            between two ReLUs.

    Returns:
        A model of the same class, with the names of the layers that are left. Its outputs in
        inference are those of `model` to float rounding; it is not meant to be trained.

    Raises:
        ValueError: a normalization cannot be folded (named, with the reason), or the model is
            neither functional nor Sequential.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8")
    >>> len(model.layers), len(fold_batch_norm(model).layers)
    (33, 26)
    """
    plan = Folds(model)
    if strict and plan.refused:
        reasons = "\n".join(f"  {name!r}: {why}" for name, why in plan.refused.items())
        raise ValueError(
            f"These batch normalizations of {model.name!r} cannot be folded:\n{reasons}\n"
            "strict=False keeps them and folds the others."
        )

    def make(layer):
        if layer in plan.folded or isinstance(layer, ours.DropPath):
            return None
        if layer in plan.alone:
            return depthwise(layer)
        return with_bias(layer) if layer in plan.changed else same(layer)

    def fill(old, new):
        if old in plan.alone:
            scale, shift = scale_and_shift(old)
            assign(new.kernel, scale.reshape(new.kernel.shape))
            assign(new.bias, shift)
        elif old in plan.changed:
            plan.changed[old].fill(old, new)
        else:
            copy_values(old, new)

    return copied(model, make, lambda layer: fold_batch_norm(layer, strict), fill)


def with_bias(layer):
    """The same layer with a bias; what LoRA added is in its kernel already."""
    config = {k: v for k, v in layer.get_config().items() if k not in ("lora_rank", "lora_alpha")}
    return type(layer).from_config({**config, "use_bias": True})


def depthwise(norm):
    """The convolution that a normalization of maps is in inference."""
    data_format = "channels_first" if norm.axis % 4 == 1 else "channels_last"
    return keras.layers.DepthwiseConv2D(
        1, data_format=data_format, dtype=norm.dtype_policy, name=norm.name
    )


class Folds:
    """Which normalizations of a model go into which layers.

    `changed` maps linear layers to their `Change`, `folded` holds the normalizations that are left
    out, `alone` those that become a convolution, and `refused` why each of the others stays.
    """

    def __init__(self, model):
        self.graph = Graph(model)
        self.changed: dict[Any, Change] = {}
        self.folded: set[Any] = set()
        self.alone: set[Any] = set()
        self.refused: dict[str, str] = {}
        channels = 1 if is_channels_first(model) else 3
        for norm in self.graph.layers:
            if not isinstance(norm, keras.layers.BatchNormalization):
                continue
            if type(norm) not in NORMS:
                self.refused[norm.name] = f"its class {type(norm).__name__} is not Keras' own"
                continue
            reason = self.fold_back(norm)
            reason = reason and self.fold_on(norm, reason)
            if reason and rank_of(norm) == 4 and norm.axis % 4 == channels:
                self.alone.add(norm)
            elif reason:
                self.refused[norm.name] = reason

    def fold_back(self, norm) -> str | None:
        """Folds into the layer before, or says why not."""
        layer, *others = self.sources(norm)
        if others:
            return "it is shared by several layers"
        if not is_linear(layer):
            return f"it follows {layer.name!r} ({type(layer).__name__}), which is not linear"
        if not normalizes_channels(norm, layer):
            return f"its axis {norm.axis} is not that of the channels of {layer.name!r}"
        if self.readers(layer) != [norm]:
            return f"others read the output of {layer.name!r} too"
        self.changed.setdefault(layer, Change()).after = norm
        self.folded.add(norm)
        return None

    def fold_on(self, norm, reason: str) -> str | None:
        """Folds into the layers after, or says why not."""
        readers = self.readers(norm)
        for layer in readers:
            if layer is None:
                return f"{reason}, and it is an output of the model"
            if not reads_without_padding(layer):
                return f"{reason}, and {layer.name!r} ({type(layer).__name__}) reads it"
            if not normalizes_channels(norm, layer) or layer in self.folded:
                return f"{reason}, and {layer.name!r} reads another axis"
            if self.sources(layer) != [norm]:
                return f"{reason}, and {layer.name!r} reads other maps as well"
        for layer in readers:
            self.changed.setdefault(layer, Change()).before = norm
        self.folded.add(norm)
        return None

    def sources(self, layer) -> list[Any]:
        """The layers whose output a layer reads, except for those that do nothing in inference."""
        calls = self.graph.calls[layer]
        return unique(self.graph.before(call, IDENTITIES) for call in calls)

    def readers(self, layer) -> list[Any]:
        """The layers that read a layer's output, likewise; None if it is one of the model's."""
        calls = self.graph.calls[layer]
        return unique(node for call in calls for node in self.graph.after(call, IDENTITIES))


def unique(nodes: Iterable[Any]) -> list[Any]:
    """The layer of each node, once."""
    return list(dict.fromkeys(node and node.operation for node in nodes))


@dataclass
class Change:
    """The normalizations before and after one linear layer."""

    before: Any = None
    after: Any = None

    def fill(self, old, new) -> None:
        """Sets kernel and bias of `new`."""
        kernel = array(old.pointwise_kernel if isinstance(old, SEPARABLE) else old.kernel)
        bias = np.zeros(new.bias.shape) if old.bias is None else array(old.bias)
        if self.before is not None:
            scale, shift = scale_and_shift(self.before)
            # Of a convolution every tap of the kernel sees the shift.
            taps = kernel.reshape(-1, *kernel.shape[-2:])
            bias = bias + shift @ taps.sum(axis=0)
            kernel = kernel * scale[:, None]
        if self.after is not None:
            scale, shift = scale_and_shift(self.after)
            kernel = kernel * scale_of_outputs(old, kernel, scale)
            bias = bias * scale + shift
        if isinstance(old, SEPARABLE):
            new.depthwise_kernel.assign(keras.ops.copy(old.depthwise_kernel))
        assign(new.pointwise_kernel if isinstance(old, SEPARABLE) else new.kernel, kernel)
        assign(new.bias, bias)


def array(variable) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32")), "float64")


def assign(variable, value: np.ndarray) -> None:
    variable.assign(value.astype(np.float32))


def scale_and_shift(norm) -> tuple[np.ndarray, np.ndarray]:
    """What the layer does in inference (arXiv:1502.03167, Alg. 2), in double precision."""
    scale = 1 / np.sqrt(array(norm.moving_variance) + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * array(norm.gamma)
    shift = -array(norm.moving_mean) * scale
    return scale, shift if norm.beta is None else shift + array(norm.beta)


def scale_of_outputs(layer, kernel, scale):
    """The scale of the output channels, as it multiplies the kernel."""
    if isinstance(layer, TRANSPOSED):
        return scale[:, None]  # (..., out, in)
    if isinstance(layer, DEPTHWISE):
        return scale.reshape(kernel.shape[-2:])  # (..., in, multiplier)
    return scale


def is_linear(layer) -> bool:
    """Whether kernel and bias are all there is to the layer."""
    return (
        isinstance(layer, LINEAR)
        and layer.activation is keras.activations.linear
        and getattr(layer, "quantization_mode", None) is None
    )


def reads_without_padding(layer) -> bool:
    """Whether a shift of the layer's whole input is a shift of its output."""
    if not isinstance(layer, PLAIN) or getattr(layer, "quantization_mode", None) is not None:
        return False
    if isinstance(layer, keras.layers.Dense):
        return True
    one_pixel = all(side == 1 for side in layer.kernel_size)
    return layer.groups == 1 and (layer.padding == "valid" or one_pixel)


def rank_of(norm) -> int:
    return norm.input_spec.ndim if norm.input_spec is not None else len(norm.input.shape)


def normalizes_channels(norm, layer) -> bool:
    """Whether a normalization beside a linear layer is along the axis of its channels."""
    rank = rank_of(norm)
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return norm.axis % rank == (1 if first else rank - 1)
