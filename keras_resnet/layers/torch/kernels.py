"""PyTorch: native batch normalization and convolutions on maps and kernels that are never copied.

A channels-last map (batch, height, width, channels) is what torch calls a tensor of shape
(batch, channels, height, width) in channels_last memory: one is a view of the other.
"""

import math

import torch

from keras_resnet.graph import channel_axis
from keras_resnet.layers.stock import relu, value_of  # noqa: F401
from keras_resnet.layers.torch.internals import (
    foreach_clamp_min_,
    foreach_pow,
    foreach_sub_,
    is_scripted,
    stored_value,
)

# Statistics of half precision maps are taken, and their parameters kept, in float32.
MAPS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


# ---- layouts ------------------------------------------------------------------------------


def channels_first(x, axis):
    """A view (batch, channels, height, width) of a map whose channels are at `axis`."""
    return x.permute(0, 3, 1, 2) if axis == 3 else x


def channels_back(x, axis):
    return x.permute(0, 2, 3, 1) if axis == 3 else x


def out_first(value):
    """The same (height, width, in, out), laid out in memory as out, height, width, in."""
    return value.permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)


def store_kernel(variable):
    value = stored_value(variable)
    if value is not None and not value.is_meta:  # None: made in a stateless scope
        value.data = out_first(value.data)


# ---- layers -------------------------------------------------------------------------------


def tensor(variable, dtype=None):
    """The value of a Keras variable, or None."""
    value = value_of(variable)
    return value if value is None or dtype is None else value.to(dtype)


def uniform(shape, generator):
    """By arithmetic on the device: for torch's own generators the host has to read the seed."""
    state = value_of(generator.state)
    seed, step = state.long().unbind()
    generator.state.assign(state + torch.arange(2, dtype=state.dtype, device=state.device))
    places = torch.arange(math.prod(shape), device=state.device)
    bits = scattered(scattered(scattered(seed) ^ step) ^ places)
    return ((bits >> 8).float() * 2**-24).reshape(shape)


def scattered(x):
    """32 bits, each of which depends on all of the given ones: Mueller's hash, as H2 has it."""
    x = (x + 0x1E3779B9) & 0xFFFFFFFF
    for _ in range(2):
        x = ((x >> 16) ^ x) * 0x45D9F3B & 0xFFFFFFFF
    return (x >> 16) ^ x


def can_normalize(x, axis):
    return x.dtype in MAPS and not x.is_meta and not is_scripted()


def statistics_dtype(x):
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def wide_scale_and_offset(x, gamma, beta):
    """gamma and beta of a map (batch, channels, height, width) in the dtype of its statistics.

    torch takes statistics in the dtype of these two, and in that of the map where both are absent.
    """
    dtype = statistics_dtype(x)
    gamma, beta = tensor(gamma, dtype), tensor(beta, dtype)
    if gamma is None and beta is None and x.dtype != dtype:
        gamma = torch.ones(x.shape[1], dtype=dtype, device=x.device)
    return gamma, beta


def normalize_batch(x, gamma, beta, axis, epsilon):
    x = channels_first(x, axis)
    gamma, beta = wide_scale_and_offset(x, gamma, beta)
    y, mean, inverse_std = torch.native_batch_norm(x, gamma, beta, None, None, True, 0.0, epsilon)
    return channels_back(y, axis), mean.detach(), variances_of([inverse_std.detach()], epsilon)[0]


def variances_of(inverse_stds, epsilon):
    """The biased variances, as Keras keeps them, that torch made inverses of."""
    variances = foreach_pow(inverse_stds, -2.0)
    foreach_sub_(variances, epsilon)
    foreach_clamp_min_(variances, 0.0)
    return variances


def normalize(x, mean, variance, gamma, beta, axis, epsilon):
    dtype = statistics_dtype(x)
    y = torch.native_batch_norm(
        channels_first(x, axis),
        tensor(gamma, dtype),
        tensor(beta, dtype),
        tensor(mean, dtype),
        tensor(variance, dtype),
        False,
        0.0,
        epsilon,
    )[0]
    return channels_back(y, axis)


def convolve(x, kernel, strides, padding, dilation, data_format):
    x, kernel = tensor(x), tensor(kernel)
    if x.is_meta or x.dtype != kernel.dtype or is_scripted():
        return NotImplemented
    axis = channel_axis(data_format)
    x = channels_first(x, axis)
    weight = kernel.permute(3, 2, 0, 1)
    border = symmetric_padding(x.shape[2:], weight.shape[2:], strides, padding, dilation)
    if border is None:
        return NotImplemented
    groups = x.shape[1] // weight.shape[1]
    return channels_back(conv2d(x, weight, None, strides, border, dilation, groups), axis)


def conv2d(x, weight, bias, strides, border, dilation, groups):
    """torch.conv2d, but never the one whose kernel gradient oneDNN writes outside of its memory.

    In torch 2.13 it does so on CPUs that have AVX2 and no AVX512: for 1x1 kernels with strides
    that divide the sides of the map, and fewer than 8 input channels. Without the places between
    the strides it is a convolution without strides.
    """
    few = weight.shape[1] < 8
    if few and weight.shape[2:] == (1, 1) and tuple(strides) != (1, 1) and not any(border):
        x, strides = x[:, :, :: strides[0], :: strides[1]], (1, 1)
    return torch.conv2d(x, weight, bias, strides, border, dilation, groups)


def symmetric_padding(sides, size, strides, padding, dilation):
    """What to add on every side, or None where "same" is lopsided."""
    if padding == "valid":
        return (0, 0)
    totals = same_padding(sides, size, strides, dilation)
    return None if any(total % 2 for total in totals) else tuple(total // 2 for total in totals)


def same_padding(sides, size, strides, dilation):
    """How much "same" adds to each side of a map, before and after it together."""
    return [
        max((-(-side // stride) - 1) * stride + step * (width - 1) + 1 - side, 0)
        for side, width, stride, step in zip(sides, size, strides, dilation, strict=True)
    ]


def max_pool(x, size, strides, padding, data_format):
    def maximum(x, size, strides, border):
        counts = [-(-side // stride) for side, stride in zip(x.shape[2:], strides, strict=True)]
        if border is None and not hangs_over(x.shape[2:], size, strides, counts):
            return NotImplemented
        pool = torch.nn.functional.max_pool2d
        return pool(x, size, strides, border or 0, ceil_mode=border is None)

    return pooled(maximum, x, size, strides, padding, data_format)


def average_pool(x, size, strides, padding, data_format):
    def average(x, size, strides, border):
        if border is None:
            return NotImplemented
        return torch.nn.functional.avg_pool2d(x, size, strides, border, count_include_pad=False)

    return pooled(average, x, size, strides, padding, data_format)


def pooled(pool, x, size, strides, padding, data_format):
    """The map of `pool`, which is given what "same" adds: Keras copies a map before its pools."""
    if x.is_meta or is_scripted():
        return NotImplemented
    axis = channel_axis(data_format)
    x = channels_first(x, axis)
    border = symmetric_padding(x.shape[2:], size, strides, padding, (1, 1))
    if tuple(size) == (1, 1):
        y = x[:, :, :: strides[0], :: strides[1]]
    else:
        y = pool(x, tuple(size), tuple(strides), border)
    return y if y is NotImplemented else channels_back(y, axis)


def hangs_over(sides, size, strides, counts):
    """Whether a max pool has so many windows if its last ones may hang over the edge."""
    return all(
        -(-(side - width) // stride) + 1 == count and (count - 1) * stride < side
        for side, width, stride, count in zip(sides, size, strides, counts, strict=True)
    )
