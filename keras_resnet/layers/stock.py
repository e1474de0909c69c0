"""What a backend leaves to Keras: its file imports from here what it has no better kernel for."""

import keras

from keras_resnet.layers.replicas import normalize_batch as normalize_together  # noqa: F401


def value_of(variable):
    """The tensor a Keras variable holds; anything else, None too, is returned unchanged."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def scale_and_offset(norm):
    """gamma and beta of a batch normalization, None where it does not use them."""
    return norm.gamma if norm.scale else None, norm.beta if norm.center else None


def convolve(x, kernel, strides, padding, dilation, data_format):
    return NotImplemented


def max_pool(x, size, strides, padding, data_format):
    return NotImplemented


def uniform(shape, generator):
    return keras.random.uniform(shape, seed=generator)


def average_pool(x, size, strides, padding, data_format):
    return NotImplemented


def relu(x):
    return NotImplemented


def store_kernel(variable):
    """Nothing to do: the backend reads (height, width, in, out), or lays kernels out itself."""


def prepare_optimizer(model):
    """Nothing to do: the compiler fuses a step, and `store_kernel` lays nothing out."""


def run_fused(model, inputs, training, plan_of):
    return NotImplemented


def run_compiled(model, args, kwargs):
    """Nothing to do: XLA and `tf.function` see the whole graph of a model."""
    return NotImplemented
