"""A convolution or fully connected layer, and what normalizations beside it make of it."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

LINEAR = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
TRANSPOSED = tuple(x for x in LINEAR if x.__name__.endswith("Transpose"))
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)


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
            new.pointwise_kernel.assign(kernel)
        else:
            new.kernel.assign(kernel.astype(np.float32))
        new.bias.assign(bias.astype(np.float32))


def array(variable) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32")), "float64")


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
    if not isinstance(layer, LINEAR) or isinstance(layer, TRANSPOSED + DEPTHWISE + SEPARABLE):
        return False
    if getattr(layer, "quantization_mode", None) is not None:
        return False
    if isinstance(layer, keras.layers.Dense):
        return True
    one_pixel = all(side == 1 for side in layer.kernel_size)
    return layer.groups == 1 and (layer.padding == "valid" or one_pixel)
