"""Mixup and cutmix: one random choice for each batch, applied to pairs of neighbors."""

import dataclasses
from typing import NamedTuple

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.order import keys

PURPOSE = 0x6D6978  # keeps these draws apart from those of images


class Mix(NamedTuple):
    """How a batch is mixed."""

    kept: float  # part of its own label that an image keeps
    box: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, bottom, left, right of what cutmix copies

    @property
    def cuts(self) -> bool:
        return self.box != (0, 0, 0, 0)


@checked(switch=(0, 1))
@dataclasses.dataclass(frozen=True)
class Mixing:
    """Mixup (Zhang et al. 2018), cutmix (Yun et al. 2019), or a random one of the two.

    The mixing coefficient, and for cutmix the box, are drawn once for each batch from (seed,
    step), as timm does. An image is mixed with its neighbor, the first with the second and the
    second with the first: their order is random, and no process needs images of another one.
    (keras.layers.MixUp and CutMix draw for every image and shuffle within the batch.)

    Args:
        mixup: alpha of the beta distribution of the coefficient; 0 for none.
        cutmix: alpha of the distribution of the part of the image that is kept; 0 for none.
        switch: probability of cutmix if both are above 0.

    Raises:
        ValueError: an argument is out of range, or both alphas are 0.

    Example, the setting of A2 and A3 of ResNet strikes back:

    >>> Mixing(mixup=0.1, cutmix=1.0).drawn(seed=0, step=0, height=4, width=4)
    Mix(kept=..., box=(..., ..., ..., ...))
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    switch: float = 0.5

    def __post_init__(self):
        if min(self.mixup, self.cutmix) < 0 or self.mixup == self.cutmix == 0:
            raise ValueError(
                "`mixup` and `cutmix` must be at least 0, and one of them more. "
                f"Received: mixup={self.mixup}, cutmix={self.cutmix}"
            )

    def drawn(self, seed: int, step: int, height: int, width: int) -> Mix:
        """How the batch of a step is mixed, if its images have this size."""
        random = np.random.Generator(np.random.Philox(key=int(keys(seed, step, PURPOSE))))
        cut = random.random() < (self.switch if self.mixup and self.cutmix else bool(self.cutmix))
        alpha = self.cutmix if cut else self.mixup
        kept = random.beta(alpha, alpha)
        if not cut:
            return Mix(float(kept))
        # A box with the part 1 - kept of the area around a random pixel, cut off at the edges.
        half = np.sqrt(1 - kept) / 2
        y, x = random.integers(height), random.integers(width)
        top, bottom = np.clip([y - int(half * height), y + int(half * height)], 0, height).tolist()
        left, right = np.clip([x - int(half * width), x + int(half * width)], 0, width).tolist()
        kept = 1 - (bottom - top) * (right - left) / (height * width)
        return Mix(kept, (top, bottom, left, right))


def mixed(x: np.ndarray, y: np.ndarray, mix: Mix, classes: int):
    """Mixes a batch.

    Args:
        x: images (n, height, width, channels), n even, of any number type.
        y: labels (n,).
        mix: how.
        classes: number of classes.

    Returns:
        Images of the same type (integers are rounded) and labels (n, classes) in float32.
    """
    kept, other = np.float32(mix.kept), np.float32(1 - mix.kept)
    partner = np.arange(len(x)) ^ 1
    labels = np.eye(classes, dtype="float32")[y]
    labels = kept * labels + other * labels[partner]
    if mix.cuts:
        top, bottom, left, right = mix.box
        cut = x.copy()
        cut[:, top:bottom, left:right] = x[partner, top:bottom, left:right]
        return cut, labels
    blended = kept * x + other * x[partner]
    if np.issubdtype(x.dtype, np.integer):
        blended = np.floor(blended + 0.5)
    return blended.astype(x.dtype), labels
