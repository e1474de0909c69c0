"""Batch normalization by the statistics of the whole batch, where devices hold parts of it."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

# Adds up a vector over all replicas, with a gradient; None where there is only one, and on JAX,
# whose arrays are the whole batch. Set by keras_resnet.training.distribution.
sum_over_replicas: Callable[[Any], Any] | None = None


def normalize_batch(x, gamma, beta, axis, epsilon):
    """The map normalized, mean and biased variance, of all replicas: one message for each map.

    Each takes its mean, and squares around it. Merged (Chan, Golub and LeVeque, 1983) they are
    sums over all replicas, which float64 keeps where the mean is large beside the spread.

    Args:
        x: this replica's part of a map, with channels at `axis`.
    """
    assert sum_over_replicas is not None
    rank, channels = len(x.shape), x.shape[axis]
    axes = [n for n in range(rank) if n != axis]
    per_channel = [channels if n == axis else 1 for n in range(rank)]
    wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    mean = ops.mean(wide, axes)
    around = wide - ops.reshape(mean, per_channel)
    squares = ops.sum(ops.square(around), axes)
    own, squares = ops.cast(mean, "float64"), ops.cast(squares, "float64")
    count = ops.cast(ops.size(x) // channels, "float64")
    sums = [own * count, squares + ops.square(own) * count, ops.reshape(count, [1])]
    total = sum_over_replicas(ops.concatenate(sums))
    mean = total[:channels] / total[-1]
    variance = ops.maximum(total[channels:-1] / total[-1] - ops.square(mean), 0)
    offset, variance = ops.cast(own - mean, wide.dtype), ops.cast(variance, wide.dtype)
    scale = ops.rsqrt(variance + epsilon)
    scale = scale if gamma is None else scale * gamma
    y = (around + ops.reshape(offset, per_channel)) * ops.reshape(scale, per_channel)
    y = y if beta is None else y + ops.reshape(beta, per_channel)
    mean = ops.cast(mean, wide.dtype)
    return ops.cast(y, x.dtype), ops.stop_gradient(mean), ops.stop_gradient(variance)
