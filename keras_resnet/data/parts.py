"""Part of a collection of images."""

from collections.abc import Sequence

import numpy as np

from keras_resnet.data.sources import Images


class Part:
    """Some images of a collection.

    Args:
        images: an `Images`.
        chosen: their numbers in it.
    """

    def __init__(self, images: Images, chosen: Sequence[int]):
        self.images, self.chosen = images, [int(i) for i in chosen]

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.images.class_names

    def __len__(self) -> int:
        return len(self.chosen)

    def label(self, i: int) -> int:
        return self.images.label(self.chosen[i])

    def name(self, i: int) -> str:
        return self.images.name(self.chosen[i])

    def read(self, i: int) -> bytes:
        return self.images.read(self.chosen[i])


def hold_out(images: Images, fraction: float = 0.2, seed: int = 0) -> tuple[Part, Part]:
    """Images to learn from and images to be measured on, the latter of every class alike.

    Args:
        images: an `Images`.
        fraction: of each class that is held out, at least one image of it.
        seed: of the choice.

    Raises:
        ValueError: a class with a single image, or a fraction that is none.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"`fraction` must be between 0 and 1. Received: fraction={fraction}")
    labels = np.array([images.label(i) for i in range(len(images))])
    held = np.zeros(len(images), bool)
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        if len(mine) < 2:
            raise ValueError(
                "Each class must have at least two images, one to learn from and one to be "
                f"measured on. Received: one of {images.class_names[label]!r}, "
                f"{images.name(int(mine[0]))}"
            )
        held[mine[: max(1, round(fraction * len(mine)))]] = True
    return Part(images, np.flatnonzero(~held).tolist()), Part(images, np.flatnonzero(held).tolist())
