"""Batch normalization by the statistics of the whole batch, where devices hold parts of it."""

from collections.abc import Callable
from typing import Any

from keras import ops

# Adds up a vector over all replicas, with a gradient; None where there is only one, and on JAX,
# whose arrays are the whole batch. Set by keras_resnet.training.distribution.
sum_over_replicas: Callable[[Any], Any] | None = None


def normalize_batch(x, gamma, beta, axis, epsilon, guess):
    """The map normalized, mean and biased variance, of all replicas: one message for each map.

    Args:
        x: this replica's part of a map, with channels at `axis`.
        guess: near the mean, and the same on all replicas: around it no digits cancel.
    """
    assert sum_over_replicas is not None
    rank, channels = len(x.shape), x.shape[axis]
    axes = [n for n in range(rank) if n != axis]
    per_channel = [channels if n == axis else 1 for n in range(rank)]
    wide = x if x.dtype == guess.dtype else ops.cast(x, guess.dtype)
    guess = ops.stop_gradient(ops.convert_to_tensor(guess))
    around = wide - ops.reshape(guess, per_channel)
    count = ops.cast(ops.size(x) // channels, wide.dtype)
    sums = [ops.sum(around, axes), ops.sum(ops.square(around), axes), ops.reshape(count, [1])]
    total = sum_over_replicas(ops.concatenate(sums))
    offset = total[:channels] / total[-1]
    variance = ops.maximum(total[channels:-1] / total[-1] - ops.square(offset), 0)
    scale = ops.rsqrt(variance + epsilon)
    scale = scale if gamma is None else scale * gamma
    y = (around - ops.reshape(offset, per_channel)) * ops.reshape(scale, per_channel)
    y = y if beta is None else y + ops.reshape(beta, per_channel)
    mean = guess + offset
    return ops.cast(y, x.dtype), ops.stop_gradient(mean), ops.stop_gradient(variance)
