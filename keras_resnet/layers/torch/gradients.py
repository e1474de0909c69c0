"""PyTorch: normalization, addition and ReLU as one step of autograd, which writes in place."""

import torch

from keras_resnet.layers.torch.compiled import is_compiled
from keras_resnet.layers.torch.internals import reference_counts

aten = torch.ops.aten


class NormalizeAddRelu(torch.autograd.Function):
    """Batch normalization, an optional addition and an optional ReLU, in one map of memory.

    The forward pass writes one map. On a CPU the backward pass writes over the gradient it is
    given where nothing else holds it: a new map costs more in page faults than arithmetic. Other
    devices keep freed memory at hand, and their kernel reads each map once less.
    """

    @staticmethod
    def forward(ctx, x, gamma, beta, other, epsilon, relu, kept=None, scale=1.0):
        y, mean, inverse_std = torch.native_batch_norm(
            x, gamma, beta, None, None, True, 0.0, epsilon
        )
        add_and_relu_(y, other, relu, kept, scale)
        ctx.epsilon, ctx.relu, ctx.adds = epsilon, relu, other is not None
        ctx.scale = scale
        ctx.may_write = x.is_cpu and not is_compiled()
        ctx.save_for_backward(x, gamma, mean, inverse_std, y if relu else None, kept)
        ctx.mark_non_differentiable(mean, inverse_std)
        ctx.set_materialize_grads(False)
        return y, mean, inverse_std

    @staticmethod
    @torch.compiler.disable
    def backward(ctx, gradient, *_):
        if gradient is None:
            return (None,) * 8
        x, gamma, mean, inverse_std, y, kept = ctx.saved_tensors
        # Gradients of gradients need every step on the tape.
        may_write = ctx.may_write and not torch.is_grad_enabled()
        ours = may_write and is_exclusive(gradient) and same_layout(gradient, x)
        if ctx.relu and ours:
            aten.threshold_backward.grad_input(gradient, y, 0, grad_input=gradient)
        elif ctx.relu:
            gradient = aten.threshold_backward(gradient, y, 0)
            ours = may_write and same_layout(gradient, x)
        if torch.is_grad_enabled() and gamma is None:
            # torch's second derivatives by beta are only those beside a gamma.
            gamma = torch.ones_like(mean)
        needs_x, needs_gamma, needs_beta = ctx.needs_input_grad[:3]
        # In half precision the kernel rounds once, two passes over the map would round twice.
        write_over = ours and not ctx.adds and needs_x and x.dtype in (torch.float32, torch.float64)
        dx, dgamma, dbeta = aten.native_batch_norm_backward(
            times(gradient, kept, ctx.scale),
            x,
            gamma,
            None,
            None,
            mean,
            inverse_std,
            True,
            ctx.epsilon,
            [needs_x and not write_over, needs_gamma or write_over, needs_beta or write_over],
        )
        if write_over:
            dx = gradient_of_input_(gradient, x, gamma, mean, inverse_std, dgamma, dbeta)
        return asked_for(ctx, dx, dgamma, dbeta, gradient)


def add_and_relu_(y, other, relu, kept, scale):
    """Adds `other` to a map, which is first multiplied by `scale` in images `kept`, else by 0."""
    if other is not None and kept is not None:
        torch.addcmul(other, y, kept, value=scale, out=y)
    elif other is not None:
        y.add_(other)
    if relu:
        y.relu_()


def times(gradient, kept, scale):
    """Rounded once, where `kept` is of half precision and `scale` no number of it."""
    if kept is None:
        return gradient
    return torch.addcmul(gradient.new_zeros(()), gradient, kept, value=scale)


def asked_for(ctx, *gradients):
    """Of x, gamma, beta and what is added, those that are asked for; none of the settings."""
    needs = ctx.needs_input_grad
    wanted = [x if need else None for x, need in zip(gradients, needs, strict=False)]
    return *wanted, *[None] * (len(needs) - len(wanted))


def gradient_of_input_(gradient, x, gamma, mean, inverse_std, dgamma, dbeta):
    """Writes the gradient of a normalized map's input over that of its output."""
    count = x.numel() // x.shape[1]
    scale, slope, shift = multipliers(gamma, mean, inverse_std, dgamma, dbeta, count)
    torch.addcmul(shift, gradient, scale, out=gradient)
    return gradient.addcmul_(x, slope)


def multipliers(gamma, mean, inverse_std, dgamma, dbeta, count):
    """Of the gradient of a normalized map, of its input, and what is added to both.

    Ioffe and Szegedy, arXiv:1502.03167, Sec. 3, gathered into one multiplier for each map.
    """
    scale = inverse_std if gamma is None else gamma * inverse_std
    slope = -scale * inverse_std * dgamma / count
    shift = -scale * dbeta / count - slope * mean
    return [vector.view(1, -1, 1, 1) for vector in (scale, slope, shift)]


def is_exclusive(gradient):
    """Whether nothing but the running backward pass holds this tensor or its memory."""
    return REFERENCES_ALONE is not None and reference_counts(gradient) == REFERENCES_ALONE


class Probe(torch.autograd.Function):
    """Counts the references of a gradient that nobody else can hold."""

    counted: tuple[int, ...] | None = None

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    @torch.compiler.disable
    def backward(ctx, gradient, *_):
        Probe.counted = Probe.count(gradient)
        return gradient

    @staticmethod
    def count(gradient):
        return reference_counts(gradient)


def references_alone():
    """The `reference_counts` that `is_exclusive` sees of a gradient that nothing else holds.

    They depend on the versions of Python and torch. None where torch no longer counts.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(2, 2, requires_grad=True)
        (Probe.apply(x) @ torch.ones(2, 2)).sum().backward()
    return Probe.counted


REFERENCES_ALONE = references_alone()


def same_layout(gradient, x):
    return gradient.dtype == x.dtype and gradient.stride() == x.stride()
