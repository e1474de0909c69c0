"""Which images are in which batch, and the random numbers of each image: functions without state.

A batch is a function of (seed, step), and an image's augmentation is a function of (seed, epoch,
index). So a run that is resumed at step k sees the same batches as one that was never stopped,
and so does any number of workers, processes and devices.
"""

import copy
import functools
from typing import Any, NamedTuple, Self

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def scrambled(x: np.ndarray) -> np.ndarray:
    """SplitMix64's output function: Steele, Lea and Flood, OOPSLA 2014, Fig. 16."""
    x = (x ^ (x >> np.uint64(30))) * MULTIPLIERS[0]
    x = (x ^ (x >> np.uint64(27))) * MULTIPLIERS[1]
    return x ^ (x >> np.uint64(31))


def keys(*parts) -> np.ndarray:
    """A 64-bit key for each combination of integers, which are broadcast.

    Example:

    >>> keys(0, 1, [5, 6]).tolist()
    [14270486241361653252, 12662179714537058647]
    """
    with np.errstate(over="ignore"):
        key = np.zeros((), "uint64")
        for part in parts:
            key = scrambled(key + np.asarray(part, "int64").astype("uint64") + GOLDEN)
    return key


def uniforms(key: np.ndarray, count: int) -> np.ndarray:
    """The first `count` draws of SplitMix64 from each key, in [0, 1): (..., count) in float64."""
    with np.errstate(over="ignore"):
        stream = np.asarray(key)[..., None] + GOLDEN * np.arange(1, count + 1, dtype="uint64")
        return (scrambled(stream) >> np.uint64(11)) * 2.0**-53


def normals(uniform: np.ndarray) -> np.ndarray:
    """Standard normal draws (..., n) from uniform ones (..., 2n), by Box and Muller."""
    first, second = uniform[..., ::2], uniform[..., 1::2]
    return np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)


@functools.lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    """The order of an epoch, by Philox keyed with (seed, epoch)."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(length)


class Chosen(NamedTuple):
    """Images at some positions of the sequence: each field is an array (n,)."""

    image: np.ndarray  # number of the image in the collection
    step: np.ndarray
    epoch: np.ndarray
    weight: np.ndarray  # 1, or 0 for an image that only fills the last batch; float32
    key: np.ndarray  # of the image's augmentation, uint64


class Order:
    """Which images are in which batch, and the keys of their augmentation: all batches have one.

    Args:
        length: number of images.
        batch_size: images in a global batch, those of all processes together.
        seed: of the order and of the augmentation, from 0 to 2**63 - 1.
        shuffle: whether every epoch has a new order; otherwise the order is the collection's.
        repeats: how many times an image is used in a row, each time augmented differently
            (Hoffer et al. 2020, arXiv:1901.09335). As in timm and torchvision, an epoch keeps
            its number of batches and contains one in `repeats` of the images.
        drop_remainder: whether the incomplete last batch of an epoch is dropped; otherwise it is
            filled with images of weight 0.
        mixing: a `keras_resnet.data.Mixing`, or None.

    Raises:
        ValueError: fewer images than one batch, an odd batch that is mixed in pairs, or an
            argument is out of range.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        repeats: int = 1,
        drop_remainder: bool = True,
        mixing: Any = None,
    ):
        for name, value in (("batch_size", batch_size), ("repeats", repeats)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if not 0 <= seed < 2**63:
            raise ValueError(f"`seed` must be from 0 to 2**63 - 1. Received: seed={seed}")
        if length < (batch_size if drop_remainder else 1):
            raise ValueError(
                f"There must be as many images as a batch has. Received: {length} images, "
                f"batch_size={batch_size}"
            )
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.shuffle, self.repeats, self.mixing = shuffle, repeats, mixing
        self.steps_per_epoch = length // batch_size if drop_remainder else -(-length // batch_size)
        self.part, self.parts = 0, 1
        self.check_pairs()

    @property
    def local_batch_size(self) -> int:
        """Images of a batch that this process has."""
        return self.batch_size // self.parts

    def check_pairs(self) -> None:
        if self.mixing is not None and self.local_batch_size % 2:
            raise ValueError(
                "Images are mixed in pairs: a process must have an even part of the batch. "
                f"Received: {self.local_batch_size}"
            )

    def shard(self, index: int, count: int) -> Self:
        """The same batches for process `index` of `count`, which has its part of each.

        Raises:
            ValueError: `batch_size` is not a multiple of `count`, or the part is odd and mixed.
        """
        if count < 1 or not 0 <= index < count:
            raise ValueError(f"`index` must be in [0, count). Received: {index=}, {count=}")
        if self.parts != 1:
            raise ValueError(f"This is part {self.part} of {self.parts} already")
        if self.batch_size % count:
            raise ValueError(
                "`batch_size` must be a multiple of the number of processes. "
                f"Received: batch_size={self.batch_size}, {count=}"
            )
        part = copy.copy(self)
        part.part, part.parts = index, count
        part.check_pairs()
        return part

    def of_steps(self, start: int, stop: int) -> Chosen:
        """The images of this process in the global steps `start` to `stop` - 1."""
        return self.at(np.arange(start * self.local_batch_size, stop * self.local_batch_size))

    def at(self, positions: np.ndarray) -> Chosen:
        """The images at positions of this process' sequence: step * local_batch_size + place."""
        step, place = np.divmod(np.asarray(positions, "int64"), self.local_batch_size)
        place = place + self.part * self.local_batch_size
        epoch, within = np.divmod(step, self.steps_per_epoch)
        image, repetition = self.repeated(within, place)
        weight = (image < self.length).astype("float32")
        image = np.minimum(image, self.length - 1)
        if self.shuffle:
            for one in np.unique(epoch):
                of_epoch = epoch == one
                order = permutation(self.seed, int(one), self.length)
                image[of_epoch] = order[image[of_epoch]]
        return Chosen(image, step, epoch, weight, keys(self.seed, epoch, image, repetition))

    def repeated(self, within: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An image's place in the order of the epoch, and the number of its repetition."""
        if self.repeats == 1:
            return within * self.batch_size + place, np.zeros_like(place)
        # First all images of a batch once, then all a second time: neighbors are different images.
        sequence = np.empty_like(place)
        for one in np.unique(within):
            of_batch = one * self.batch_size + np.arange(self.batch_size)
            arranged = of_batch[np.argsort(of_batch % self.repeats, kind="stable")]
            sequence[within == one] = arranged[place[within == one]]
        return np.divmod(sequence, self.repeats)
