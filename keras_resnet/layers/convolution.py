"""2-D convolution without copies."""

import keras

from keras_resnet.layers import kernels


@keras.saving.register_keras_serializable("keras_resnet")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, with the active backend's own convolution.

    Arguments, variables, shapes, config and results are those of `keras.layers.Conv2D`. On
    torch the kernel keeps its logical shape (height, width, in, out) but is stored in the order
    out, height, width, in, so that neither it nor the map is copied.

    Example:

    >>> Conv2D(8, 3, padding="same")(keras.Input((32, 32, 3))).shape
    (None, 32, 32, 8)
    """

    def build(self, input_shape):
        super().build(input_shape)
        kernels.active.store_kernel(self._kernel)

    def convolution_op(self, inputs, kernel):
        outputs = kernels.active.convolve(
            inputs, kernel, self.strides, self.padding, self.dilation_rate, self.data_format
        )
        if outputs is NotImplemented:
            return super().convolution_op(inputs, kernel)
        return outputs
