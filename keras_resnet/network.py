"""The model class: a Keras functional model of any depth."""

import keras

from keras_resnet.graph import deep_graph
from keras_resnet.layers import kernels
from keras_resnet.layers.fusion import plan_of


@keras.saving.register_keras_serializable("keras_resnet")
class Network(keras.Model):
    """A functional model of any depth that runs several layers as one where it may.

    It is built, cloned, saved and loaded like any `keras.Model`. Stock Keras walks the graph
    recursively and stops at about 300 weighted layers with a RecursionError. On torch,
    convolution, normalization, addition and ReLU run as one operation; on TensorFlow and JAX
    the compilers see the whole graph themselves. The graph, its layers and their results stay
    those of an ordinary functional model.
    """

    # The argument names are Functional's own: that is how Keras knows it may
    # rebuild this class from a graph.
    def __init__(self, inputs, outputs, name=None, **kwargs):
        with deep_graph():
            super().__init__(inputs, outputs, name=name, **kwargs)

    @kernels.active.uncompiled
    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def call(self, inputs, training=None, mask=None, **kwargs):
        if mask is None and not kwargs:
            outputs = kernels.active.run_fused(self, inputs, training, plan_of)
            if outputs is not NotImplemented:
                return outputs
        return super().call(inputs, training=training, mask=mask, **kwargs)

    def train_step(self, *args, **kwargs):
        kernels.active.store_slots(self)
        return super().train_step(*args, **kwargs)


# The class that files of version 0.1 name.
keras.saving.get_custom_objects()["keras_resnet>FusedNetwork"] = Network
