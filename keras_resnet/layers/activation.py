"""ReLU through which NaN passes."""

import keras

from keras_resnet.layers import kernels


@keras.saving.register_keras_serializable("keras_resnet")
class ReLU(keras.layers.ReLU):
    """`keras.layers.ReLU`, of which NaN comes out wherever NaN goes in.

    Compiled for a CPU, Keras' own gives 0 on JAX, and on TensorFlow behind a convolution.

    Example:

    >>> ReLU()(keras.Input((32, 32, 8))).shape
    (None, 32, 32, 8)
    """

    def call(self, inputs):
        outputs = kernels.active.relu(inputs) if is_plain(self) else NotImplemented
        return super().call(inputs) if outputs is NotImplemented else outputs


def is_plain(relu: keras.layers.ReLU) -> bool:
    """Whether a ReLU of either class is max(x, 0)."""
    return relu.max_value is None and not relu.negative_slope and not relu.threshold
