"""PyTorch: padding and bias inside convolutions and pools, for exporters that write what they see.

Keras pads, convolves and adds the bias in three operations. Runtimes join them again where they
can; around a max pool, or between two layouts, they cannot.
"""

from collections.abc import Callable
from typing import Any

import keras

from keras_resnet.exporting.copying import copied, same
from keras_resnet.graph import Graph
from keras_resnet.layers.fusion import foldable_padding, pools_what_is_padded


def joined(model: keras.Model) -> keras.Model:
    """A copy for torch whose convolutions and pools pad by themselves."""
    borders, absorbed = borders_of(Graph(model))

    def make(layer):
        if layer in absorbed:
            return None
        if type(layer) is keras.layers.GlobalAveragePooling2D and not layer.keepdims:
            return TorchMean.from_config(layer.get_config())
        border = borders.get(layer) or own_border(layer)
        if border is None:
            return same(layer)
        new = JOINED[type(layer)].from_config({**layer.get_config(), "padding": "valid"})
        new.border = border
        return new

    return copied(model, make, joined)


def borders_of(graph: Graph) -> tuple[dict[Any, tuple[int, ...]], set[Any]]:
    """What each layer pads instead of a ZeroPadding2D before it, and these, which go away."""
    borders, absorbed = {}, set()
    for layer, (node, *others) in graph.calls.items():
        pad = graph.before(node) if type(layer) in JOINED and not others else None
        if pad is None or len(graph.calls[pad.operation]) > 1 or graph.only_reader(pad) is not node:
            continue
        # A pool pads with minus infinity: the same as zeros only after a ReLU.
        is_pool = isinstance(layer, keras.layers.MaxPooling2D)
        if pools_what_is_padded(pad, node, graph.maker) if is_pool else foldable_padding(pad, node):
            borders[layer] = tuple(before for before, _ in pad.operation.padding)
            absorbed.add(pad.operation)
    return borders, absorbed


def own_border(layer) -> tuple[int, ...] | None:
    """What a convolution or pool adds on every side; None if that is not symmetric, or another."""
    if type(layer) not in JOINED:
        return None
    if layer.padding == "valid":
        return (0, 0)
    if isinstance(layer, keras.layers.MaxPooling2D) or set(layer.strides) != {1}:
        return None
    totals = [
        step * (size - 1) for size, step in zip(layer.kernel_size, layer.dilation_rate, strict=True)
    ]
    return None if any(total % 2 for total in totals) else tuple(total // 2 for total in totals)


class Bordered:
    """A layer that pads its maps by `border` on every side. `run` takes channels first."""

    border: tuple[int, ...] = (0, 0)
    data_format: str
    run: Callable[[Any], Any]

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        first = 2 if self.data_format == "channels_first" else 1
        for axis, border in enumerate(self.border, first):
            shape[axis] = None if shape[axis] is None else shape[axis] + 2 * border
        return super().compute_output_shape(tuple(shape))  # type: ignore[misc]

    def call(self, x):
        last = self.data_format == "channels_last"
        y = self.run(x.permute(0, 3, 1, 2) if last else x)
        return y.permute(0, 2, 3, 1) if last else y


class TorchConv2D(Bordered, keras.layers.Conv2D):
    """torch's own convolution, with its bias."""

    def run(self, x):
        import torch

        weight = self.kernel.value.permute(3, 2, 0, 1)
        bias = None if self.bias is None else self.bias.value
        y = torch.nn.functional.conv2d(
            x, weight, bias, self.strides, self.border, self.dilation_rate, self.groups
        )
        return self.activation(y)


class TorchMaxPooling2D(Bordered, keras.layers.MaxPooling2D):
    """torch's own max pool."""

    def run(self, x):
        import torch

        size, strides = tuple(self.pool_size), tuple(self.strides)
        return torch.nn.functional.max_pool2d(x, size, strides, self.border)


class TorchMean(keras.layers.GlobalAveragePooling2D):
    """The mean of maps of channels first, so that runtimes need no transposition before it."""

    def call(self, x):
        last = self.data_format == "channels_last"
        return (x.permute(0, 3, 1, 2) if last else x).mean((2, 3))


JOINED: dict[Any, Any] = {
    keras.layers.Conv2D: TorchConv2D,
    keras.layers.MaxPooling2D: TorchMaxPooling2D,
}
