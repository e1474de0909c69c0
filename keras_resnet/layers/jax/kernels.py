"""JAX: normalization in as few passes as XLA can fuse; on a CPU what XLA has slow loops for."""

import functools
import math

import jax.numpy as jnp
import keras
from jax import lax

from keras_resnet.layers.stock import (  # noqa: F401
    average_pool,
    normalize_together,
    prepare_optimizer,
    run_compiled,
    run_fused,
    store_kernel,
    uniform,
    value_of,
)


def can_normalize(x, axis):
    return jnp.issubdtype(x.dtype, jnp.floating)


def wide(x):
    """Half precision maps are computed with in float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def per_channel(x, vector, axis):
    return vector.reshape([-1 if n == axis else 1 for n in range(x.ndim)])


def normalize_batch(x, gamma, beta, axis, epsilon):
    axes = [n for n in range(x.ndim) if n != axis]
    # One pass gives both sums. Around the mean of the first of n images, at most n + 1 times the
    # rounding error of two passes is left: that image's part of the variance bounds its distance.
    guess = lax.stop_gradient(jnp.mean(wide(x[:1] if axis else x), axes))
    around = wide(x) - per_channel(x, guess, axis)
    offset = jnp.mean(around, axes)
    variance = jnp.mean(jnp.square(around), axes) - jnp.square(offset)
    variance = jnp.where(variance < 0, 0, variance)
    mean = guess + offset
    y = normalize(x, mean, variance, gamma, beta, axis, epsilon)
    return y, lax.stop_gradient(mean), lax.stop_gradient(variance)


def normalize(x, mean, variance, gamma, beta, axis, epsilon):
    gamma, beta, mean, variance = map(value_of, (gamma, beta, mean, variance))
    scale = lax.rsqrt(wide(variance) + epsilon)
    scale = scale if gamma is None else scale * wide(gamma)
    y = (wide(x) - per_channel(x, wide(mean), axis)) * per_channel(x, scale, axis)
    y = y if beta is None else y + per_channel(x, wide(beta), axis)
    return y.astype(x.dtype)


def convolve(x, kernel, strides, padding, dilation, data_format):
    """A 1x1 convolution as a product of matrices, where XLA does not do so.

    XLA's CPU backend has its own loops for the gradients of a convolution, several times
    slower than the products they are; on GPU and TPU its convolutions are the faster. Which is
    taken is known when a program is lowered, and so in one exported for another device.
    """
    kernel = value_of(kernel)
    is_product = math.prod(kernel.shape[:2]) == 1 and kernel.shape[2] == x.shape[-1]
    if not is_product or data_format != "channels_last":
        return NotImplemented
    rows, columns = strides

    def product(x, kernel):
        return jnp.einsum("nhwc,cd->nhwd", x[:, ::rows, ::columns], kernel[0, 0])

    def convolution(x, kernel):
        return keras.ops.conv(x, kernel, strides, padding, data_format, dilation)

    return lax.platform_dependent(x, kernel, cpu=product, default=convolution)


def max_pool(x, size, strides, padding, data_format):
    """Rows first, then columns, as maxima of strided slices.

    The gradient that XLA's CPU backend has for windows takes longer than all of ResNet-18's
    normalizations together. Of equal values the first is taken, as XLA does.
    """
    if padding != "valid" or not jnp.issubdtype(x.dtype, jnp.floating):
        return NotImplemented
    first = 1 if data_format == "channels_last" else 2

    def slices(x):
        for n in (1, 0):
            x = max_along(x, first + n, size[n], strides[n])
        return x

    def windows(x):
        return keras.ops.max_pool(x, size, strides, padding, data_format)

    return lax.platform_dependent(x, cpu=slices, default=windows)


def relu(x):
    """XLA's maximum, compiled for a CPU, makes 0 of NaN."""
    return jnp.where(x <= 0, jnp.zeros([], x.dtype), x)


def max_along(x, axis, size, stride):
    reach = x.shape[axis] - size
    parts = [lax.slice_in_dim(x, n, n + reach + 1, stride, axis) for n in range(size)]
    return functools.reduce(lambda a, b: jnp.where((a >= b) | jnp.isnan(a), a, b), parts)
