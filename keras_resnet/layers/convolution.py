"""2-D convolution without copies."""

import json
from typing import Any

import keras

from keras_resnet.common.files import GRAPH, check_same, parsed
from keras_resnet.layers import kernels
from keras_resnet.layers.calls import stored_attributes


class Config(dict):
    """A layer's config, Keras' own as a dictionary, which a clone of the layer sees more of."""

    built_as: str | None = None


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

    # What the network that the layer begins was built as: see `network.carry`. A clone has it
    # from the config, a layer that was loaded from the file.
    built_as: str | None = None

    def get_config(self):
        config = Config(super().get_config())
        config.built_as = self.built_as
        return config

    @classmethod
    def from_config(cls, config):
        layer = super().from_config(config)
        layer.built_as = getattr(config, "built_as", None)
        return layer

    # Those of a stock layer are replaced by these, too.
    def save_own_variables(self, store):
        keras.layers.Conv2D.save_own_variables(self, store)
        if built_as := getattr(self, "built_as", None):
            stored_attributes(store)[GRAPH] = built_as

    def load_own_variables(self, store):
        if text := stored_attributes(store).get(GRAPH):
            graph: Any = parsed(text, "The file")
            self.built_as = self.built_as or json.dumps(graph)
            check_same(graph, json.loads(self.built_as), "The file", f"the layer {self.name!r}")
        keras.layers.Conv2D.load_own_variables(self, store)

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
