"""PyTorch: 1x1 convolutions of maps of few pixels, as products of pixels and kernel.

On a CPU oneDNN's convolution brings a kernel and its gradient into an order of its own and back,
which costs more than the arithmetic where a map is small beside the kernel.
"""

import torch


def is_product(x, weight, strides, border, groups):
    """Whether a convolution costs less as a product of matrices.

    So it is where the larger map has at most 8 times the numbers of the kernel: found for the
    convolutions of ResNet-50 in float32 and bfloat16, forward and backward together.
    """
    outputs, inputs, *size = weight.shape
    places = x.shape[0] * -(-x.shape[2] // strides[0]) * -(-x.shape[3] // strides[1])
    return (
        x.device.type == "cpu"
        and size == [1, 1]
        and not any(border)
        and groups == 1
        and places <= 8 * min(inputs, outputs)
        and x.is_contiguous(memory_format=torch.channels_last)
        and not torch.is_autocast_enabled("cpu")
    )


def rows(x):
    """A map (batch, channels, height, width) as a matrix (places, channels)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def every(x, strides):
    return x[:, :, :: strides[0], :: strides[1]]


def empty_map(x, channels):
    """Memory for a map at the places of `x`."""
    shape = x.shape[0], channels, *x.shape[2:]
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)


class Product(torch.autograd.Function):
    """A 1x1 convolution as a product of matrices.

    Not torch's linear: the gradients of maps that it makes are views, which torch_gradients does
    not write over.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, strides):
        ctx.save_for_backward(x, weight)
        ctx.strides = strides
        x = every(x, strides)
        y = empty_map(x, weight.shape[0])
        kernel = weight.flatten(1).T
        if bias is None:
            torch.mm(rows(x), kernel, out=rows(y))
        else:
            torch.addmm(bias, rows(x), kernel, out=rows(y))
        return y

    @staticmethod
    @torch.compiler.disable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        dy = rows(gradient)
        dx = gradient_of_map(dy, x, weight, ctx.strides) if needs_x else None
        dweight = (dy.T @ rows(every(x, ctx.strides))).view_as(weight) if needs_weight else None
        return dx, dweight, dy.sum(0) if needs_bias else None, None


def gradient_of_map(dy, x, weight, strides):
    kernel = weight.flatten(1)
    # Gradients of gradients are not those of an operation that writes into given memory.
    if tuple(strides) == (1, 1) and not torch.is_grad_enabled():
        dx = torch.empty_like(x)
        torch.mm(dy, kernel, out=rows(dx))
        return dx
    dx = torch.zeros_like(x)
    places = every(dx, strides).permute(0, 2, 3, 1)
    places.copy_((dy @ kernel).view(places.shape))
    return dx
