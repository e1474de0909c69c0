"""Small collections of image files that need no download, to test an ImageNet recipe."""

from typing import Literal

import numpy as np

from keras_resnet.data import digits
from keras_resnet.data.pixels import tf

SIDE = 64  # of a digit, in pixels: large enough for nets with five halvings


class EncodedImages:
    """Images in memory as PNG files: an `Images` like those on a disk.

    Args:
        x: (n, height, width, 3) in uint8.
        y: (n,), integers from 0.
        class_names: of all classes.

    Example:

    >>> images = EncodedImages(np.zeros((1, 8, 8, 3), "uint8"), [0], ("black",))
    >>> len(images), images.label(0), images.read(0)[1:4]
    (1, 0, b'PNG')
    """

    def __init__(self, x: np.ndarray, y, class_names: tuple[str, ...]):
        self.files = [tf.io.encode_png(image).numpy() for image in x]
        self.labels = [int(label) for label in y]
        self.class_names = class_names

    def __len__(self) -> int:
        return len(self.files)

    def label(self, i: int) -> int:
        return self.labels[i]

    def name(self, i: int) -> str:
        return f"{self.class_names[self.labels[i]]} {i}"

    def read(self, i: int) -> bytes:
        return self.files[i]


def handwritten(split: Literal["train", "test"]) -> EncodedImages:
    """The digits of `keras_resnet.data.digits`, 64 pixels on each side."""
    train, test = digits.load_data()
    x, y = train if split == "train" else test
    gray = np.squeeze(x, axis=1 if x.shape[1] == 1 else -1)
    wide = (255 * gray).round().astype("uint8")
    times = SIDE // gray.shape[1]
    wide = wide.repeat(times, axis=1).repeat(times, axis=2)
    names = tuple(str(digit) for digit in range(digits.CLASSES))
    return EncodedImages(np.stack([wide] * 3, axis=-1), y, names)


def noise(count: int, classes: int, seed: int) -> EncodedImages:
    """Random images whose classes differ only in their brightness."""
    y, step = np.arange(count) % classes, 256 // classes
    x = np.random.default_rng(seed).integers(0, step, (count, SIDE, SIDE, 3))
    x = (x + step * y[:, None, None, None]).astype("uint8")
    return EncodedImages(x, y, tuple(f"class {i}" for i in range(classes)))
