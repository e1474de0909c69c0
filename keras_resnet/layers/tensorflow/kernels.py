"""TensorFlow: one operation for batch normalization, which grappler, oneDNN and XLA all know."""

import tensorflow as tf

from keras_resnet.layers.stock import (  # noqa: F401
    average_pool,
    convolve,
    max_pool,
    normalize_together,
    prepare_optimizer,
    run_compiled,
    run_fused,
    store_kernel,
    uniform,
    value_of,
)

MAPS = (tf.float32, tf.bfloat16, tf.float16)


def can_normalize(x, axis):
    return x.dtype in MAPS


def fused(x, gamma, beta, axis, epsilon, mean=None, variance=None):
    """The outputs of FusedBatchNormV3: by the statistics of the batch unless they are given.

    The operation itself takes any epsilon; tf.nn.fused_batch_norm would raise it to 1.001e-5.
    """
    channels = [x.shape[axis]]
    training = mean is None
    gamma, beta, mean, variance = map(value_of, (gamma, beta, mean, variance))
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=tf.ones(channels) if gamma is None else tf.cast(gamma, tf.float32),
        offset=tf.zeros(channels) if beta is None else tf.cast(beta, tf.float32),
        mean=tf.zeros([0]) if training else tf.cast(mean, tf.float32),
        variance=tf.zeros([0]) if training else tf.cast(variance, tf.float32),
        epsilon=epsilon,
        data_format="NHWC" if axis == 3 else "NCHW",
        is_training=training,
    )


def normalize_batch(x, gamma, beta, axis, epsilon):
    outputs = fused(x, gamma, beta, axis, epsilon)
    # Keras keeps the variance of the batch, TensorFlow returns the estimate for a population.
    count = tf.cast(tf.size(x) // x.shape[axis], tf.float32)
    variance = outputs.batch_variance * ((count - 1.0) / count)
    return outputs.y, tf.stop_gradient(outputs.batch_mean), tf.stop_gradient(variance)


def normalize(x, mean, variance, gamma, beta, axis, epsilon):
    return fused(x, gamma, beta, axis, epsilon, mean, variance).y


def relu(x):
    """Apart from the convolution before it: oneDNN's kernel for both makes 0 of NaN.

    Grappler joins them over an identity, but not over a check of the shape.
    """
    return tf.nn.relu(x if tf.executing_eagerly() else tf.ensure_shape(x, x.shape))
