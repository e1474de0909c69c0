"""Batch normalization folded into the convolutions beside it.

In inference it is y = scale * x + shift per channel, and a convolution is linear: scale and
shift become part of its kernel and bias. Where no convolution stands beside it, it becomes one
of its own, of one pixel and one channel at a time: runtimes join that with the ReLU after it.
"""

from typing import Any

import keras
import numpy as np

from keras_resnet import layers as ours
from keras_resnet.exporting.linear import Change, is_linear, reads_without_padding, scale_and_shift
from keras_resnet.exporting.rewrite import (
    copied,
    functional,
    is_channels_first,
    keep_values,
    same,
)
from keras_resnet.graph import is_functional, nodes_of

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
)


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
    graph = functional(model)
    plan = Folds(graph)
    if strict and plan.refused:
        reasons = "\n".join(f"  {name!r}: {why}" for name, why in plan.refused.items())
        raise ValueError(
            f"These batch normalizations of {model.name!r} cannot be folded:\n{reasons}\n"
            "strict=False keeps them and folds the others."
        )

    def make(layer):
        if layer in plan.folded:
            return None
        if layer in plan.alone:
            return depthwise(layer)
        if is_functional(layer) or isinstance(layer, keras.Sequential):
            return fold_batch_norm(layer, strict)
        if layer in plan.changed:
            return with_bias(layer)
        return same(layer)

    def fill(old, new):
        if old in plan.alone:
            scale, shift = scale_and_shift(old)
            new.kernel.assign(scale.reshape(new.kernel.shape).astype(np.float32))
            new.bias.assign(shift.astype(np.float32))
        elif old in plan.changed:
            plan.changed[old].fill(old, new)
        elif not is_functional(new):
            keep_values(old, new)

    return copied(graph, make, fill)


def with_bias(layer):
    """The same layer with a bias; what LoRA added is in its kernel already."""
    config = {**layer.get_config(), "use_bias": True}
    for name in ("lora_rank", "lora_alpha"):
        config.pop(name, None)
    return type(layer).from_config(config)


def depthwise(norm):
    """The convolution that a normalization of maps is in inference."""
    first = norm.axis % 4 == 1
    return keras.layers.DepthwiseConv2D(
        1,
        data_format="channels_first" if first else "channels_last",
        dtype=norm.dtype_policy,
        name=norm.name,
    )


class Folds:
    """Which normalizations of a graph go into which layers.

    `changed` maps linear layers to their `Change`, `folded` holds the normalizations that go,
    `alone` those that become a convolution, and `refused` tells why each of the others stays.
    """

    def __init__(self, model):
        self.changed: dict[Any, Change] = {}
        self.folded: set[Any] = set()
        self.alone: set[Any] = set()
        self.refused: dict[str, str] = {}
        self.outputs = {id(x) for x in model.outputs}
        self.maker: dict[int, Any] = {}
        self.readers: dict[int, list] = {}
        self.calls: dict[Any, list] = {}
        nodes = nodes_of(model)
        for node in nodes:
            self.calls.setdefault(node.operation, []).append(node)
            for tensor in node.output_tensors:
                self.maker[id(tensor)] = node
            for tensor in node.input_tensors:
                self.readers.setdefault(id(tensor), []).append(node)
        channels = 1 if is_channels_first(model) else 3
        for norm in dict.fromkeys(node.operation for node in nodes if is_norm(node.operation)):
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
        layer, *others = {self.source(call).operation for call in self.calls[norm]}
        if others:
            return "it is shared by several layers"
        if not is_linear(layer):
            return f"it follows {layer.name!r} ({type(layer).__name__}), which is not linear"
        if not normalizes_channels(norm, layer):
            return f"its axis {norm.axis} is not that of the channels of {layer.name!r}"
        for call in self.calls[layer]:
            for reader in self.users(call):
                if reader is None or reader.operation is not norm:
                    return f"others read the output of {layer.name!r} too"
        self.change(layer).after = norm
        self.folded.add(norm)
        return None

    def fold_on(self, norm, reason: str) -> str | None:
        """Folds into the layers after, or says why not."""
        users = [user for call in self.calls[norm] for user in self.users(call)]
        for user in users:
            if user is None:
                return f"{reason}, and it is an output of the model"
            layer = user.operation
            if not reads_without_padding(layer):
                return f"{reason}, and {layer.name!r} ({type(layer).__name__}) reads it"
            if not normalizes_channels(norm, layer) or layer in self.folded:
                return f"{reason}, and {layer.name!r} reads another axis"
            if any(self.source(call).operation is not norm for call in self.calls[layer]):
                return f"{reason}, and {layer.name!r} reads other maps as well"
        for user in users:
            self.change(user.operation).before = norm
        self.folded.add(norm)
        return None

    def change(self, layer) -> Change:
        return self.changed.setdefault(layer, Change())

    def source(self, node):
        """The node whose output `node` reads, but for layers that do nothing in inference."""
        node = self.maker[id(node.input_tensors[0])]
        while isinstance(node.operation, IDENTITIES):
            node = self.maker[id(node.input_tensors[0])]
        return node

    def users(self, node) -> list:
        """The nodes that read an output, likewise; None where it is one of the model's."""
        tensor = id(node.output_tensors[0])
        found: list = [None] if tensor in self.outputs else []
        for reader in self.readers.get(tensor, ()):
            if isinstance(reader.operation, IDENTITIES):
                found += self.users(reader)
            else:
                found.append(reader)
        return found


def is_norm(layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def rank_of(norm) -> int:
    return norm.input_spec.ndim if norm.input_spec is not None else len(norm.input.shape)


def normalizes_channels(norm, layer) -> bool:
    """Whether a normalization beside a linear layer is along the axis of its channels."""
    rank = rank_of(norm)
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return norm.axis % rank == (1 if first else rank - 1)
