"""Pooling without copies."""

import keras

from keras_resnet.layers import kernels


@keras.saving.register_keras_serializable("keras_resnet")
class MaxPooling2D(keras.layers.MaxPooling2D):
    """`keras.layers.MaxPooling2D`, with the active backend's own pooling.

    Example:

    >>> MaxPooling2D(3, 2)(keras.Input((112, 112, 64))).shape
    (None, 55, 55, 64)
    """

    def call(self, inputs):
        outputs = NotImplemented
        if self.pool_mode == "max":
            outputs = kernels.active.max_pool(
                inputs, self.pool_size, self.strides, self.padding, self.data_format
            )
        return super().call(inputs) if outputs is NotImplemented else outputs


@keras.saving.register_keras_serializable("keras_resnet")
class AveragePooling2D(keras.layers.AveragePooling2D):
    """`keras.layers.AveragePooling2D`, with the active backend's own pooling.

    Example:

    >>> AveragePooling2D(2)(keras.Input((56, 56, 256))).shape
    (None, 28, 28, 256)
    """

    def call(self, inputs):
        outputs = NotImplemented
        if self.pool_mode == "average":
            outputs = kernels.active.average_pool(
                inputs, self.pool_size, self.strides, self.padding, self.data_format
            )
        return super().call(inputs) if outputs is NotImplemented else outputs
