"""Stochastic depth: residual branches that are left out, image by image."""

import math

import keras
from keras import ops

from keras_resnet.common.arguments import checked
from keras_resnet.layers import kernels


@keras.saving.register_keras_serializable("keras_resnet")
class PathDraws(keras.layers.Layer):
    """A number from 0 to 1 for every image and every branch, all drawn at once in a step.

    `DropPath` reads them. From a batch of anything it makes (batch, 1, 1, branches); in inference,
    zeros.

    Args:
        branches: how many there are.
        seed: of the draws; by default one that `keras.utils.set_random_seed` decides.

    Example:

    >>> PathDraws(16)(keras.Input((32, 32, 3))).shape
    (None, 1, 1, 16)
    """

    @checked(branches=(1, math.inf), seed=(0, 2**31 - 1))
    def __init__(self, branches: int, seed: int | None = None, **kwargs):
        super().__init__(autocast=False, **kwargs)  # of what it reads, only the size counts
        self.branches, self.seed = branches, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        shape = ops.shape(inputs)[0], 1, 1, self.branches
        if not training:
            return ops.zeros(shape, "float32")
        return kernels.active.uniform(shape, self.seed_generator)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor((inputs.shape[0], 1, 1, self.branches), "float32")

    def get_config(self):
        return {**super().get_config(), "branches": self.branches, "seed": self.seed}


@keras.saving.register_keras_serializable("keras_resnet")
class DropPath(keras.layers.Layer):
    """Stochastic depth (arXiv:1603.09382): a branch is 0 in some images while training.

    Where it is kept it is divided by the probability of that, so that its mean stays.

    It is called on the branch, a map (batch, height, width, channels) or (batch, channels, height,
    width), and what `PathDraws` has drawn. In inference it gives the branch.

    Args:
        rate: the probability that the branch is left out, below 1.
        branch: its number among those that are drawn for, from 0.

    Example:

    >>> image = keras.Input((32, 32, 3))
    >>> DropPath(0.1, 2)([image, PathDraws(3)(image)]).shape
    (None, 32, 32, 3)
    """

    @checked(rate=(0, math.nextafter(1, 0)), branch=(0, math.inf))
    def __init__(self, rate: float, branch: int, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.rate, self.branch = rate, branch

    def call(self, inputs, training=False):
        y, draws = inputs
        if not training:
            return y
        # Half precision has no such number as 1 / 0.95.
        wide = keras.backend.result_type(y.dtype, "float32")
        kept = ops.cast(self.keeps(draws), wide) / (1.0 - self.rate)
        return ops.cast(ops.cast(y, wide) * kept, y.dtype)

    def keeps(self, draws):
        """In which images the branch is kept: (batch, 1, 1, 1)."""
        return draws[..., self.branch : self.branch + 1] >= self.rate

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "branch": self.branch}
