"""Mixup and cutmix: what is drawn once for a batch, and applied to pairs of neighbours."""

import dataclasses

import numpy as np

from keras_resnet.data.order import keys

PURPOSE = 0x6D6978  # keeps these draws apart from those of images


@dataclasses.dataclass(frozen=True)
class Mixing:
    """Mixup (Zhang et al. 2018), cutmix (Yun et al. 2019), or one of the two by chance.

    What is mixed is drawn for each batch from (seed, step), as timm draws it: one mixing
    coefficient, and for cutmix one box. An image is mixed with its neighbour, the first with the
    second and the second with the first: their order is random, and a part of the batch that
    another process has is not needed. That is why keras.layers.MixUp and CutMix, which draw for
    every image and shuffle within the batch, are not used.

    Args:
        mixup: alpha of the beta distribution of the coefficient; 0 for none.
        cutmix: the same of the part of the image that is kept; 0 for none.
        switch: probability of cutmix where both are above 0.

    Example, the setting of ResNet strikes back's A2 and A3:

    >>> Mixing(mixup=0.1, cutmix=1.0).drawn(seed=0, step=0, height=4, width=4)
    Drawn(kept=..., box=(..., ..., ..., ...))
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
        if not 0 <= self.switch <= 1:
            raise ValueError(f"`switch` must be from 0 to 1. Received: switch={self.switch}")

    def drawn(self, seed: int, step: int, height: int, width: int) -> "Drawn":
        """What a batch of images of this size is mixed by."""
        random = np.random.Generator(np.random.Philox(key=int(keys(seed, step, PURPOSE))))
        cut = random.random() < (self.switch if self.mixup and self.cutmix else bool(self.cutmix))
        alpha = self.cutmix if cut else self.mixup
        kept = random.beta(alpha, alpha)
        if not cut:
            return Drawn(float(kept), (0, 0, 0, 0))
        # A box of the part 1 - kept, around any pixel; what hangs over the edge is cut off.
        half = np.sqrt(1 - kept) / 2
        y, x = random.integers(height), random.integers(width)
        top, bottom = np.clip([y - int(half * height), y + int(half * height)], 0, height)
        left, right = np.clip([x - int(half * width), x + int(half * width)], 0, width)
        box = (int(top), int(bottom), int(left), int(right))
        return Drawn(1 - (bottom - top) * (right - left) / (height * width), box)


@dataclasses.dataclass(frozen=True)
class Drawn:
    """How a batch is mixed.

    Args:
        kept: part of an image's own label that it keeps.
        box: top, bottom, left, right of what is put in from the neighbour; an empty one for
            mixup.
    """

    kept: float
    box: tuple[int, int, int, int]

    @property
    def cuts(self) -> bool:
        return self.box != (0, 0, 0, 0)


def mixed(x: np.ndarray, y: np.ndarray, drawn: Drawn, classes: int):
    """Mixes a batch.

    Args:
        x: images (n, height, width, channels), n even, of any number type.
        y: labels (n,).
        drawn: by what.
        classes: number of classes.

    Returns:
        Images of the same type, integers being rounded, and labels (n, classes) in float32.
    """
    partner = np.arange(len(x)) ^ 1
    labels = np.eye(classes, dtype="float32")[y]
    labels = np.float32(drawn.kept) * labels + np.float32(1 - drawn.kept) * labels[partner]
    if drawn.cuts:
        top, bottom, left, right = drawn.box
        cut = x.copy()
        cut[:, top:bottom, left:right] = x[partner, top:bottom, left:right]
        return cut, labels
    blended = np.float32(drawn.kept) * x + np.float32(1 - drawn.kept) * x[partner]
    if np.issubdtype(x.dtype, np.integer):
        blended = np.floor(blended + 0.5)
    return blended.astype(x.dtype), labels
