"""PyTorch: one operation moves all averages."""

import torch

from keras_resnet.layers.torch.internals import foreach_lerp_


def blend(averages, sources):
    """A function that moves averages a part of the way to the variables they are of."""

    @torch.no_grad()
    def run(weight: float) -> None:
        values = [average.value for average in averages]
        foreach_lerp_(values, [source.value for source in sources], weight)

    return run
