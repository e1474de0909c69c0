"""PyTorch: padding and bias inside convolutions and pools, for exporters that write what they see.

Keras pads, convolves and adds the bias in three operations. Runtimes join them again where they
can; around a max pool, or between two layouts, they cannot.
"""

from typing import Any

import keras

from keras_resnet.exporting.rewrite import copied, functional, keep_values
from keras_resnet.graph import is_functional, nodes_of
from keras_resnet.layers.fusion import foldable_padding, plain_relu


def joined(model: keras.Model) -> keras.Model:
    """A copy for torch whose convolutions and pools pad by themselves."""
    graph = functional(model)
    borders, absorbed = borders_of(graph)

    def make(layer):
        if is_functional(layer):
            return joined(layer)
        if layer in absorbed:
            return None
        if type(layer) is keras.layers.GlobalAveragePooling2D and not layer.keepdims:
            return TorchMean.from_config(layer.get_config())
        if type(layer) in JOINED and (layer in borders or own_border(layer) is not None):
            new = JOINED[type(layer)].from_config(layer.get_config())
            new.border = borders.get(layer) or own_border(layer)
            return new
        return type(layer).from_config(layer.get_config())

    def fill(old, new):
        if not is_functional(new):
            keep_values(old, new)

    return copied(graph, make, fill)


def borders_of(graph) -> tuple[dict, set]:
    """What each layer pads instead of a ZeroPadding2D before it that nobody else reads."""
    nodes = nodes_of(graph)
    maker = {id(x): node for node in nodes for x in node.output_tensors}
    readers: dict[int, list] = {}
    calls: dict = {}
    for node in nodes:
        calls.setdefault(node.operation, []).append(node)
        for x in node.input_tensors:
            readers.setdefault(id(x), []).append(node)
    borders, absorbed = {}, set()
    for node in nodes:
        layer = node.operation
        if type(layer) not in JOINED or len(calls[layer]) > 1:
            continue
        pad = maker.get(id(node.input_tensors[0]))
        if pad is None or not foldable_padding(pad, node) or len(calls[pad.operation]) > 1:
            continue
        if len(readers[id(pad.output_tensors[0])]) > 1:
            continue
        border = tuple(before for before, _ in pad.operation.padding)
        if isinstance(layer, keras.layers.MaxPooling2D):
            # A pool pads with minus infinity: the same, behind a ReLU, as zeros.
            before = maker[id(pad.input_tensors[0])].operation
            fits = all(2 * b <= size for b, size in zip(border, layer.pool_size, strict=True))
            if not (type(before) is keras.layers.ReLU and plain_relu(before) and fits):
                continue
        borders[layer] = border
        absorbed.add(pad.operation)
    return borders, absorbed


def own_border(layer) -> tuple[int, int] | None:
    """What a layer adds on every side, or None where that is not symmetric."""
    if layer.padding == "valid":
        return (0, 0)
    if isinstance(layer, keras.layers.MaxPooling2D) or set(layer.strides) != {1}:
        return None
    totals = [
        step * (size - 1) for size, step in zip(layer.kernel_size, layer.dilation_rate, strict=True)
    ]
    return None if any(total % 2 for total in totals) else (totals[0] // 2, totals[1] // 2)


class Bordered:
    """A layer that pads its maps by `border`, whatever its config says."""

    border = (0, 0)
    data_format: str
    padding: str

    def run(self, x):
        """The layer on maps (batch, channels, height, width)."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        first = 2 if self.data_format == "channels_first" else 1
        for side, border in enumerate(self.border):
            if shape[first + side] is not None:
                shape[first + side] += 2 * border
        self.padding, given = "valid", self.padding
        try:
            return super().compute_output_shape(tuple(shape))  # type: ignore[misc]
        finally:
            self.padding = given

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

        return torch.nn.functional.max_pool2d(
            x, tuple(self.pool_size), tuple(self.strides), self.border
        )


class TorchMean(keras.layers.GlobalAveragePooling2D):
    """The mean of maps of channels first, so that runtimes need no transposition before it."""

    def call(self, x):
        last = self.data_format == "channels_last"
        return (x.permute(0, 3, 1, 2) if last else x).mean((2, 3))


JOINED: dict[Any, Any] = {
    keras.layers.Conv2D: TorchConv2D,
    keras.layers.MaxPooling2D: TorchMaxPooling2D,
}
