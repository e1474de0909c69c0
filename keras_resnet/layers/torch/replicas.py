"""PyTorch: normalization by the statistics of all replicas, addition and ReLU as one step."""

import torch
from torch.autograd.function import once_differentiable

from keras_resnet.layers import replicas
from keras_resnet.layers.torch.gradients import (
    add_and_relu_,
    asked_for,
    multipliers,
    same_layout,
    times,
)
from keras_resnet.layers.torch.internals import STATISTICS_DEVICES
from keras_resnet.layers.torch.kernels import (
    channels_back,
    channels_first,
    statistics_dtype,
    variances_of,
    wide_scale_and_offset,
)

aten = torch.ops.aten


class NormalizeTogether(torch.autograd.Function):
    """What `gradients.NormalizeAddRelu` does, by the statistics of all replicas.

    On a GPU it takes the kernels of torch.nn.SyncBatchNorm, on a CPU the formulas they compute.
    """

    @staticmethod
    def forward(ctx, x, gamma, beta, other, epsilon, relu, kept=None, scale=1.0):
        mean, inverse_std, count = statistics_of_all(x, epsilon)
        y = normalized(x, gamma, beta, mean, inverse_std, epsilon)
        add_and_relu_(y, other, relu, kept, scale)
        ctx.relu, ctx.epsilon, ctx.scale = relu, epsilon, scale
        ctx.save_for_backward(x, gamma, mean, inverse_std, count, y if relu else None, kept)
        ctx.mark_non_differentiable(mean, inverse_std)
        ctx.set_materialize_grads(False)
        return y, mean, inverse_std

    @staticmethod
    @torch.compiler.disable
    @once_differentiable
    def backward(ctx, gradient, *_):
        if gradient is None:
            return (None,) * 8
        x, gamma, mean, inverse_std, count, y, kept = ctx.saved_tensors
        if ctx.relu:
            gradient = aten.threshold_backward(gradient, y, 0)
        if not same_layout(gradient, x):  # the kernels walk through both in one order
            gradient = torch.empty_like(x).copy_(gradient)
        branch = times(gradient, kept, ctx.scale)
        sums, around, dgamma, dbeta = reduced(branch, x, gamma, mean, inverse_std, ctx.epsilon)
        dx = None
        if ctx.needs_input_grad[0]:
            sums, around = sum_over_replicas(torch.cat([sums, around])).chunk(2)
            dx = gradient_of_input(branch, x, gamma, mean, inverse_std, sums, around, count)
        return asked_for(ctx, dx, dgamma, dbeta, gradient)


def normalize_together(x, gamma, beta, axis, epsilon):
    x = channels_first(x, axis)
    gamma, beta = wide_scale_and_offset(x, gamma, beta)
    y, mean, inverse_std = NormalizeTogether.apply(x, gamma, beta, None, epsilon, False)
    return channels_back(y, axis), mean, variances_of([inverse_std], epsilon)[0]


def sum_over_replicas(x):
    assert replicas.sum_over_replicas is not None
    return replicas.sum_over_replicas(x)


def has_kernels(x):
    return x.device.type in STATISTICS_DEVICES


def own_statistics(x, epsilon):
    """The mean and variance of a map (batch, channels, height, width), in float64."""
    if has_kernels(x):
        mean, inverse_std = torch.batch_norm_stats(x, epsilon)
        return mean.double(), inverse_std.double().pow_(-2).sub_(epsilon)
    variance, mean = torch.var_mean(x.to(statistics_dtype(x)), (0, 2, 3), correction=0)
    return mean.double(), variance.double()


def statistics_of_all(x, epsilon):
    """Mean, inverse standard deviation and count of all replicas: see layers/replicas.py."""
    mean, variance = own_statistics(x, epsilon)
    count = x.numel() // x.shape[1]
    sums = torch.cat([mean, variance + mean * mean, torch.ones_like(mean[:1])])
    total = sum_over_replicas(sums.mul_(count))
    means, count = total[:-1] / total[-1:], total[-1:].int()
    mean, squares = means.chunk(2)
    variance = (squares - mean * mean).clamp_min_(0)
    dtype = statistics_dtype(x)
    return mean.to(dtype), torch.rsqrt(variance.add_(epsilon)).to(dtype), count


def normalized(x, gamma, beta, mean, inverse_std, epsilon):
    if has_kernels(x):
        return torch.batch_norm_elemt(x, gamma, beta, mean, inverse_std, epsilon)
    (variance,) = variances_of([inverse_std], epsilon)
    return torch.native_batch_norm(x, gamma, beta, mean, variance, False, 0.0, epsilon)[0]


def reduced(gradient, x, gamma, mean, inverse_std, epsilon):
    """For each channel: sum of the gradient, the same times x - mean, and of gamma and beta."""
    if has_kernels(x):
        return torch.batch_norm_backward_reduce(
            gradient, x, mean, inverse_std, gamma, True, True, True
        )
    (variance,) = variances_of([inverse_std], epsilon)
    _, dgamma, dbeta = aten.native_batch_norm_backward(
        gradient, x, gamma, mean, variance, None, None, False, epsilon, [False, True, True]
    )
    return dbeta, dgamma / inverse_std, dgamma, dbeta


def gradient_of_input(gradient, x, gamma, mean, inverse_std, sums, around, count):
    """The gradient of a normalized map's input, by sums over all replicas."""
    if has_kernels(x):
        return torch.batch_norm_backward_elemt(
            gradient, x, mean, inverse_std, gamma, sums, around, count
        )
    dgamma = around * inverse_std
    scale, slope, shift = multipliers(gamma, mean, inverse_std, dgamma, sums, count)
    return (gradient * scale).addcmul_(x, slope).add_(shift).to(x.dtype)
