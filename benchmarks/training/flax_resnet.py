"""Residual networks as a flax.linen module: ImageNet v1.5 and CIFAR option A."""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn


class Unit(nn.Module):
    """A convolution and its batch normalization, with ReLU or without."""

    filters: int
    side: int
    stride: int = 1
    relu: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.Conv(
            self.filters,
            (self.side, self.side),
            strides=self.stride,
            padding=self.side // 2,
            use_bias=False,
            dtype=self.dtype,
        )(x)
        x = nn.BatchNorm(not train, momentum=0.9, epsilon=1e-5, dtype=self.dtype)(x)
        return nn.relu(x) if self.relu else x


class ResNet(nn.Module):
    """Images (batch, height, width, 3) to logits (batch, classes)."""

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    bottleneck: bool
    classes: int
    cifar: bool
    dtype: Any = jnp.float32

    def shortcut(self, x, filters: int, stride: int, train: bool):
        if x.shape[-1] == filters:
            return x
        if not self.cifar:
            return Unit(filters, 1, stride, relu=False, dtype=self.dtype)(x, train)
        zeros = filters - x.shape[-1]
        return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, zeros)))

    def block(self, x, width: int, stride: int, train: bool):
        # (filters, side, stride) of each convolution; v1.5 strides the 3x3 of a bottleneck
        units = [(width, 3, stride), (width, 3, 1)]
        if self.bottleneck:
            units = [(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
        y = x
        for position, unit in enumerate(units, 1):
            y = Unit(*unit, relu=position < len(units), dtype=self.dtype)(y, train)
        return nn.relu(y + self.shortcut(x, y.shape[-1], stride, train))

    @nn.compact
    def __call__(self, x, train: bool):
        x = jnp.asarray(x, self.dtype)
        if self.cifar:
            x = Unit(self.widths[0], 3, dtype=self.dtype)(x, train)
        else:
            x = Unit(self.widths[0], 7, 2, dtype=self.dtype)(x, train)
            x = nn.max_pool(x, (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for stage, (width, blocks) in enumerate(zip(self.widths, self.blocks, strict=True)):
            for position in range(blocks):
                x = self.block(x, width, 2 if stage and not position else 1, train)
        return nn.Dense(self.classes)(jnp.mean(x, (1, 2), dtype=jnp.float32))
