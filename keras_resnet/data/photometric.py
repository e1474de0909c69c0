"""Photometric distortions, after Howard, "Some Improvements on Deep Convolutional Neural Network
Based Image Classification", arXiv:1312.5402, as GoogLeNet and BN-Inception were trained with.
"""

import dataclasses

import numpy as np

from keras_resnet.data.randaugment import OPERATIONS

DISTORTED = np.array([OPERATIONS.index(name) for name in ("contrast", "brightness", "color")])


@dataclasses.dataclass(frozen=True)
class Photometric:
    """Contrast, brightness and colour, one after the other in any order, as PIL enhances them.

    Args:
        strength: each is multiplied by a factor from 1 - strength to 1 + strength.

    Example:

    >>> Photometric(0.5).drawn(np.array([[0.1, 0.5, 0.2, 0.9, 0.4, 0.6]]))[1].round(2)
    array([[1. , 0.7, 0.6]], dtype=float32)
    """

    strength: float

    def __post_init__(self):
        if not 0 < self.strength <= 1:
            raise ValueError(
                f"`strength` must be above 0 and at most 1. Received: strength={self.strength}"
            )

    @property
    def draws(self) -> int:
        return 2 * len(DISTORTED)

    def drawn(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers in OPERATIONS and their factors, each (n, 3), from (n, 6)."""
        factor, place = np.split(uniform, 2, axis=1)
        order = np.argsort(place, axis=1)
        factor = 1 + self.strength * (2 * factor - 1)
        numbers = DISTORTED[order].astype("int32")
        return numbers, np.take_along_axis(factor, order, axis=1).astype("float32")
