"""Batches of arrays that fit into memory (CIFAR-10, digits), by NumPy."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.mixing import Mixing, mixed
from keras_resnet.data.order import Order, uniforms

Augment = Callable[[np.ndarray, np.ndarray], np.ndarray]


@checked()
@dataclasses.dataclass(frozen=True)
class PadCropFlip:
    """The augmentation of Sec. 4.2.

    "4 pixels are padded on each side, and a 32x32 crop is randomly sampled from the padded image
    or its horizontal flip". Padding is with zeros, so subtract the mean first.

    Args:
        pad: pixels on each side.
        flip: whether to flip half of the images.

    Call with images (n, height, width, channels) and keys (n,); returns images of the same shape
    and type.

    Example:

    >>> from keras_resnet.data.order import keys
    >>> PadCropFlip(pad=1)(np.ones((2, 2, 2, 1), "uint8"), keys(0, 0, [0, 1]))[..., 0].tolist()
    [[[..., ...], [..., ...]], [[..., ...], [..., ...]]]
    """

    pad: int = 4
    flip: bool = True

    def __call__(self, x: np.ndarray, key: np.ndarray) -> np.ndarray:
        pad, (height, width) = self.pad, x.shape[1:3]
        draws = uniforms(key, 3)
        top, left = (draws[:, :2] * (2 * pad + 1)).astype("int64").T
        columns = np.arange(width) + left[:, None]
        if self.flip:
            columns = np.where(draws[:, 2:] < 0.5, columns[:, ::-1], columns)
        rows = np.arange(height) + top[:, None]
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        every = np.arange(len(x))[:, None, None]
        return padded[every, rows[:, :, None], columns[:, None, :]]


class ArrayBatches(Order):
    """Batches of arrays, each a function of (seed, step); see `keras_resnet.data.order`.

    Args:
        x: images (n, height, width, channels).
        y: labels (n,), integers from 0.
        batch_size: images in a global batch. An incomplete last batch is dropped.
        classes: number of classes; the largest label plus one by default.
        seed: of order and augmentation.
        augment: function of images and their keys (n,) in uint64 that returns images of the same
            shape, such as `PadCropFlip()`; None for no augmentation.
        mixing: a `Mixing`; labels are then (batch, classes) in float32.
        repeats, shuffle: see `keras_resnet.data.order.Order`.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`.

    Raises:
        ValueError: `y` is not one integer for each image, or an argument is out of range.

    Example:

    >>> x = np.arange(4, dtype="float32").reshape(4, 1, 1, 1)
    >>> data = ArrayBatches(x, np.array([0, 1, 0, 1]), 2, seed=1)
    >>> data.steps_per_epoch
    2
    >>> [(images.ravel().tolist(), labels.tolist()) for images, labels in data.batches(1, 3)]
    [([..., ...], [..., ...]), ([..., ...], [..., ...])]
    """

    @checked()
    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        *,
        classes: int | None = None,
        seed: int = 0,
        augment: Augment | None = None,
        mixing: Mixing | None = None,
        repeats: int = 1,
        shuffle: bool = True,
    ):
        y = np.asarray(y)
        if len(x) != len(y) or y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
            raise ValueError(
                f"`y` must be {len(x)} integers, one for each image. "
                f"Received: shape {y.shape}, {y.dtype}"
            )
        self.x, self.y = x, y.astype("int32")
        super().__init__(
            len(x), batch_size, seed=seed, shuffle=shuffle, repeats=repeats, mixing=mixing
        )
        self.classes = int(y.max()) + 1 if classes is None else classes
        if y.min() < 0 or y.max() >= self.classes:
            raise ValueError(
                f"`y` must be from 0 to {self.classes - 1}. Received: {y.min()} to {y.max()}"
            )
        self.augment = augment

    def batches(
        self, start: int = 0, stop: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images, labels) of the global steps `start` to `stop` - 1, or without end."""
        for step in itertools.count(start) if stop is None else range(start, stop):
            chosen = self.of_steps(step, step + 1)
            x, y = self.x[chosen.image], self.y[chosen.image]
            if self.augment is not None:
                x = self.augment(x, chosen.key)
            if self.mixing is not None:
                mix = self.mixing.drawn(self.seed, step, *x.shape[1:3])
                x, y = mixed(x, y, mix, self.classes)
            yield x, y
