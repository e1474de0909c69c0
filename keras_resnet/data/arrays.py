"""Batches from arrays that fit into memory: CIFAR, digits. NumPy only."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from keras_resnet.data.batches import Batches
from keras_resnet.data.mixing import Mixing, mixed
from keras_resnet.data.order import Order, uniforms

Augment = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class PadCropFlip:
    """The augmentation of Sec. 4.2.

    "4 pixels are padded on each side, and a 32x32 crop is randomly sampled from the padded image
    or its horizontal flip". What is padded is zeros: subtract the mean before.

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


class ArrayBatches(Batches):
    """Batches of arrays: each a function of (seed, step), each image's augmentation one of
    (seed, epoch, index).

    Args:
        x: images (n, height, width, channels).
        y: labels (n,), integers from 0.
        batch_size: images in a global batch. The remainder of an epoch sits it out.
        classes: number of classes; the greatest label and one by default.
        seed: of order and augmentation.
        augment: `augment(images, keys)` makes of images and their keys (uint64) others of the
            same shape, such as `PadCropFlip()`; None leaves them.
        mixing: a `Mixing`; labels are then (batch, classes) in float32.
        repeats, shuffle: see `keras_resnet.data.order.Order`.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`.

    Raises:
        ValueError: images and labels of different number, or an argument that cannot be.

    Example:

    >>> x = np.arange(4, dtype="float32").reshape(4, 1, 1, 1)
    >>> data = ArrayBatches(x, np.array([0, 1, 0, 1]), 2, seed=1)
    >>> data.steps_per_epoch
    2
    >>> [(images.ravel().tolist(), labels.tolist()) for images, labels in data.batches(1, 3)]
    [([..., ...], [..., ...]), ([..., ...], [..., ...])]
    """

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
        order = Order(len(x), batch_size, seed=seed, shuffle=shuffle, repeats=repeats)
        super().__init__(order, mixing)
        self.classes = int(y.max()) + 1 if classes is None else classes
        if y.min() < 0 or y.max() >= self.classes:
            raise ValueError(
                f"`y` must be from 0 to {self.classes - 1}. Received: {y.min()} to {y.max()}"
            )
        self.augment = augment

    def batches(
        self, start: int = 0, stop: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images, labels) of the global steps `start` to `stop` - 1, or for ever."""
        step, local = start, self.order.local_batch_size
        while stop is None or step < stop:
            chosen = self.order.at(np.arange(step * local, (step + 1) * local))
            x, y = self.x[chosen.image], self.y[chosen.image]
            if self.augment is not None:
                x = self.augment(x, chosen.key)
            if self.mixing is not None:
                drawn = self.mixing.drawn(self.order.seed, step, *x.shape[1:3])
                x, y = mixed(x, y, drawn, self.classes)
            yield x, y
            step += 1
