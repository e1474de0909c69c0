"""Local response normalization, across channels."""

import math

import keras
from keras import ops

from keras_resnet.common.arguments import checked


@keras.saving.register_keras_serializable("keras_resnet")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by a power of the squares of its neighbors in channel.

    y = x / (k + alpha / size * sum of x^2 over `size` channels around)^beta: Caffe's LRN across
    channels (Krizhevsky et al. 2012, Sec. 3.3, except for alpha, which is divided by the size).
    `tf.nn.lrn(x, size // 2, k, alpha / size, beta)` and
    `torch.nn.LocalResponseNorm(size, alpha, beta, k)` are the same.

    Args:
        size: channels in a neighborhood, an odd number.
        alpha, beta, k: as above; the defaults are those of GoogLeNet's Caffe model.
        axis: of the channels; None is that of the configured data format.

    Raises:
        ValueError: `size` is not an odd positive integer.

    Example:

    >>> LocalResponseNormalization()(keras.Input((56, 56, 64))).shape
    (None, 56, 56, 64)
    """

    @checked(size=(1, math.inf))
    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        axis: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if size % 2 == 0:
            raise ValueError(f"`size` must be an odd positive integer. Received: size={size!r}")
        last = keras.config.image_data_format() == "channels_last"
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        self.axis = (3 if last else 1) if axis is None else axis

    def call(self, inputs):
        channels = inputs.shape[self.axis]
        # Squares of half precision overflow at 256.
        wide = "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype
        x = ops.cast(inputs, wide)
        widths = [(0, 0)] * len(inputs.shape)
        widths[self.axis] = (self.size // 2, self.size // 2)
        squares = ops.pad(ops.square(x), widths)
        parts = [self.shifted(squares, start, channels) for start in range(self.size)]
        total = sum(parts[1:], parts[0])
        # Not ops.power: Keras would send the device its exponent as a tensor.
        scale = (self.k + self.alpha / self.size * total) ** -self.beta
        return ops.cast(x * scale, self.compute_dtype)

    def shifted(self, squares, start, channels):
        index = [slice(None)] * len(squares.shape)
        index[self.axis] = slice(start, start + channels)
        return squares[tuple(index)]

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("size", "alpha", "beta", "k", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
