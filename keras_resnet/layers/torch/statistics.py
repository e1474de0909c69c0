"""PyTorch: the moving statistics of all normalizations of a network, moved at once."""

from collections import defaultdict

import torch

from keras_resnet.layers.torch.internals import foreach_add_, foreach_mul
from keras_resnet.layers.torch.kernels import tensor, variances_of


class Statistics:
    """Those of a batch in all normalizations of a network, kept together at the end of a step.

    Moving them one by one takes longer than the arithmetic of a small network.
    """

    def __init__(self):
        self.groups: dict[tuple, dict] = defaultdict(dict)

    def add(self, norm, mean, inverse_std):
        how = norm.momentum, norm.epsilon
        if norm in self.groups[how]:  # a layer that is called twice moves twice
            self.keep()
        self.groups[how][norm] = mean, inverse_std

    @torch.no_grad()
    def keep(self):
        for (momentum, epsilon), rows in self.groups.items():
            means, inverse_stds = zip(*rows.values(), strict=True)
            batch = [*means, *variances_of(inverse_stds, epsilon)]
            moving = [norm.moving_mean for norm in rows] + [norm.moving_variance for norm in rows]
            values = foreach_mul(
                [tensor(v, b.dtype) for v, b in zip(moving, batch, strict=True)], momentum
            )
            foreach_add_(values, batch, alpha=1.0 - momentum)
            for variable, value in zip(moving, values, strict=True):
                variable.assign(value)
        self.groups.clear()
