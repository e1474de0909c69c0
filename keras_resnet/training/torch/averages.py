"""PyTorch: one operation moves all averages."""

import torch

from keras_resnet.layers.torch.internals import foreach_lerp_


class Blend:
    """Moves averages towards the variables they are of."""

    def __init__(self, model, averages, sources):
        self.averages, self.sources = averages, sources

    @torch.no_grad()
    def __call__(self, weight: float) -> None:
        averages = [average.value for average in self.averages]
        foreach_lerp_(averages, [source.value for source in self.sources], weight)


def synchronize(model) -> None:
    """Nothing to do: variables hold their values."""
