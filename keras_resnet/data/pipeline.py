"""Batches of image files for training and evaluation, the same on every backend.

`ImageBatches` and `EvaluationBatches` read any collection that `open_images` opens; arrays have
`keras_resnet.data.arrays.ArrayBatches`. All have `steps_per_epoch`, `batch_size`, `classes`,
`shard(index, count)` and `batches(start, stop)`.
"""

import copy
import os
from collections.abc import Callable, Iterator
from typing import Any, Literal, Self

import numpy as np

from keras_resnet.data.arrays import check_pairs
from keras_resnet.data.augmentation import Augmentation, CentreCrop, tensorflow
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.order import Order
from keras_resnet.data.reading import JPEG, BadImageError, Reader, decode, reason_of
from keras_resnet.data.sources import Images

CHUNK = 32  # images read by one call of Python
READERS = 2  # such calls at a time: reading waits for the disk, not for the processor
Size = int | Callable[[int], int]


class FileBatches:
    """What training and evaluation have in common."""

    def __init__(
        self,
        images: Images,
        order: Order,
        transform: Augmentation | CentreCrop,
        size: Size,
        mixing: Mixing | None,
        on_bad_image: Literal["skip", "fatal"],
        workers: int | None,
    ):
        tensorflow()
        if workers is not None and workers < 1:
            raise ValueError(f"`workers` must be at least 1. Received: workers={workers}")
        if not callable(size) and size < 1:
            raise ValueError(f"`size` must be positive. Received: size={size}")
        check_pairs(mixing, order)
        self.images, self.order, self.transform, self.mixing = images, order, transform, mixing
        self.size, self.workers = size, workers or os.cpu_count() or 1
        self.reader = Reader(images, on_bad_image)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return self.order.steps_per_epoch

    @property
    def batch_size(self) -> int:
        """Images in a global batch, those of all processes."""
        return self.order.batch_size

    @property
    def classes(self) -> int:
        return len(self.images.class_names)

    @property
    def bad_images(self) -> dict[str, str]:
        """Why images were skipped until now, by their names."""
        return {self.reader.name(n): reason for n, reason in dict(self.reader.bad).items()}

    def shard(self, index: int, count: int) -> Self:
        """The same batches, of which process `index` of `count` yields its part.

        Raises:
            ValueError: `batch_size` is no multiple of `count`.
        """
        part = copy.copy(self)
        part.order = self.order.shard(index, count)
        check_pairs(part.mixing, part.order)
        return part

    def size_at(self, epoch: int) -> int:
        """Side of the images in an epoch, in pixels."""
        return int(self.size(epoch)) if callable(self.size) else self.size

    def fetched(self, positions: np.ndarray) -> list[np.ndarray]:
        """Files, and all that chance decides about them; runs in a thread of tf.data."""
        chosen = self.order.at(positions)
        numbers, files, sides = zip(*map(self.reader.good, chosen.image.tolist()), strict=True)
        drawn = self.transform.drawn(chosen.key, np.array(sides))
        sizes = np.array([self.size_at(epoch) for epoch in chosen.epoch.tolist()], "int32")
        kept, boxes = self.mixes(chosen.step, sizes)
        return [
            np.array([*files, None], dtype=object)[:-1],
            np.array([file[:3] == JPEG for file in files]),
            sizes,
            drawn.window,
            drawn.flip,
            drawn.shift,
            drawn.operations,
            drawn.arguments,
            np.array([self.images.label(n) for n in numbers], "int32"),
            np.where(np.array(numbers) == chosen.image, chosen.weight, np.float32(0)),
            kept,
            boxes,
        ]

    def mixes(self, steps: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.mixing is None:
            return np.ones(len(steps), "float32"), np.zeros((len(steps), 4), "int32")
        by_step = {
            int(step): self.mixing.drawn(self.order.seed, int(step), int(size), int(size))
            for step, size in zip(steps, sizes, strict=True)
        }
        drawn = [by_step[int(step)] for step in steps]
        kept = np.array([one.kept for one in drawn], "float32")
        return kept, np.array([one.box for one in drawn], "int32")

    def decoded(self, *fetched):
        *file, label, weight, kept, box = fetched
        x = self.transform.image(*file)
        side = None if callable(self.size) else self.size
        x.set_shape([side, side, 3])
        return x, label, weight, kept, box

    def dataset(self, start: int = 0, stop: int | None = None) -> Any:
        """A tf.data.Dataset of the batches of the global steps from `start` to before `stop`.

        Its elements are those of `batches`, as tensors. A file that turns out to be damaged only
        while it is decoded ends it with an error; `batches` goes on.
        """
        tf = tensorflow()
        local = self.order.local_batch_size
        end = 2**62 if stop is None else stop * local

        # Of file, JPEG or not, size, window, flip, shift, operations, their arguments, label,
        # weight, and how the image is mixed.
        k = self.transform.drawn(np.zeros(1, "uint64"), np.ones((1, 2), int)).operations.shape[1]
        kinds = ("string", "bool", "int32", "int32", "bool", "float32", "int32", "float32",
                 "int32", "float32", "float32", "int32")  # fmt: skip
        shapes: tuple = ((), (), (), (4,), (), (3,), (k,), (k,), (), (), (), (4,))

        def fetch(positions):
            found = tf.numpy_function(self.fetched, [positions], kinds, stateful=False)
            for tensor, shape in zip(found, shapes, strict=True):
                tensor.set_shape([None, *shape])
            return tuple(found)

        data = tf.data.Dataset.range(start * local, end).batch(CHUNK)
        data = data.map(fetch, num_parallel_calls=READERS, deterministic=True).unbatch()
        data = data.map(self.decoded, num_parallel_calls=self.workers, deterministic=True)
        data = self.batched(data).prefetch(2)
        options = tf.data.Options()
        options.deterministic = True
        options.autotune.enabled = False
        options.experimental_optimization.inject_prefetch = False
        options.threading.private_threadpool_size = self.workers + READERS
        options.threading.max_intra_op_parallelism = 1
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        return data.with_options(options)

    def batched(self, data):
        """Images with what belongs to them, put together to batches."""
        raise NotImplementedError

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches of the global steps from `start` to before `stop`, or for ever.

        Arrays are views of TensorFlow's memory, which cannot be written to.

        Raises:
            BadImageError: a file is no image and `on_bad_image` is `"fatal"`, or no file is one.
        """
        tf = tensorflow()
        step = start
        while stop is None or step < stop:
            with tf.device("CPU:0"):
                iterator = iter(self.dataset(step, stop))
            try:
                for batch in iterator:
                    yield tuple(np.asarray(memoryview(tensor)) for tensor in batch)
                    step += 1
                return
            except tf.errors.OpError as error:
                if self.reader.error is not None:
                    raise self.reader.error from error
                if not self.find_bad(step):
                    raise

    def find_bad(self, step: int) -> bool:
        """Looks closely at the images near a step at which decoding failed.

        Returns:
            Whether there are any bad ones that were not known: the batches can be made again.
        """
        known = len(self.reader.bad)
        local = self.order.local_batch_size
        for n in self.order.at(np.arange(step * local, (step + 8) * local)).image:
            if int(n) not in self.reader.bad:
                try:
                    n, data, _ = self.reader.good(int(n))
                    decode(data)
                except BadImageError:
                    raise
                except Exception as error:
                    self.reader.found(n, reason_of(error))
        return len(self.reader.bad) > known


class ImageBatches(FileBatches):
    """Batches of augmented images to train on.

    Each batch is a function of (seed, step), and each image's augmentation one of (seed, epoch,
    index): resuming is `batches(step)`. Nothing depends on the number of workers or processes.

    Args:
        images: an `Images`; see `keras_resnet.data.open_images`.
        batch_size: images in a global batch. The remainder of an epoch sits it out.
        augmentation: an `Augmentation`.
        size: side of the images in pixels, or a function of the epoch (from 0), for progressive
            resizing.
        seed: of order and augmentation, from 0 to 2**63 - 1.
        mixing: a `Mixing`; labels are then (batch, classes) in float32.
        repeats: how often an image is taken in a row, differently augmented; see
            `keras_resnet.data.order.Order`.
        on_bad_image: `"skip"` counts a file that is no whole image, logs its name and takes the
            next good one in its place; `"fatal"` raises a `BadImageError`.
        workers: threads that decode; as many as there are processors by default.

    `batches` yields (images, labels): (batch, size, size, 3) in uint8, RGB, channels last; and
    (batch,) in int32. Normalise on the device: `include_preprocessing=True` of a builder, or
    `keras_resnet.preprocess_input`.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`, `bad_images`.

    Raises:
        ValueError: fewer images than a batch has, or another argument that cannot be.
        ImportError: TensorFlow, which decodes on every backend, is not installed.
    """

    def __init__(
        self,
        images: Images,
        batch_size: int,
        *,
        augmentation: Augmentation | None = None,
        size: Size = 224,
        seed: int = 0,
        mixing: Mixing | None = None,
        repeats: int = 1,
        on_bad_image: Literal["skip", "fatal"] = "skip",
        workers: int | None = None,
    ):
        order = Order(len(images), batch_size, seed=seed, repeats=repeats)
        transform = augmentation or Augmentation()
        super().__init__(images, order, transform, size, mixing, on_bad_image, workers)

    def batched(self, data):
        tf = tensorflow()
        local = self.order.local_batch_size
        if self.mixing is None:
            return data.map(lambda x, label, *_: (x, label)).batch(local, drop_remainder=True)

        def mix(x, label, _, kept, box):
            return mixed_pair(x, label, kept[0], box[0], self.classes)

        def flat(x, labels):
            side = None if callable(self.size) else self.size
            shape = tf.shape(x)
            x = tf.reshape(x, tf.concat([[local], shape[2:]], axis=0))
            x.set_shape([local, side, side, 3])
            return x, tf.reshape(labels, [local, self.classes])

        pairs = data.batch(2, drop_remainder=True)
        pairs = pairs.map(mix, num_parallel_calls=self.workers, deterministic=True)
        return pairs.batch(local // 2, drop_remainder=True).map(flat)


def mixed_pair(x, label, kept, box, classes: int):
    """`keras_resnet.data.mixing.mixed` of two images, in tf.data."""
    tf = tensorflow()
    labels = tf.one_hot(label, classes)
    labels = kept * labels + (1 - kept) * labels[::-1]

    def cut():
        rows, columns = tf.range(tf.shape(x)[1]), tf.range(tf.shape(x)[2])
        inside = ((rows >= box[0]) & (rows < box[1]))[:, None]
        inside &= ((columns >= box[2]) & (columns < box[3]))[None]
        return tf.where(inside[None, ..., None], x[::-1], x)

    def blend():
        pixels = tf.cast(x, "float32")
        return tf.cast(tf.floor(kept * pixels + (1 - kept) * pixels[::-1] + 0.5), "uint8")

    return tf.cond(tf.reduce_any(box != 0), cut, blend), labels


class EvaluationBatches(FileBatches):
    """Batches in which every image stands once, in the order of the collection.

    The last batch is filled up to the size of the others with images of weight 0: no shape is
    new to a compiled function, and no image counts twice. A bad image that is skipped has
    weight 0, too.

    Args:
        images, batch_size, on_bad_image, workers: see `ImageBatches`.
        crop: a `CentreCrop`.
        size: side of the images in pixels.

    `batches` yields (images, labels, weights): (batch, size, size, 3) in uint8, (batch,) in
    int32, (batch,) in float32, 1 or 0. `batches(0, steps_per_epoch)` are all of them.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`, `bad_images`.
    """

    def __init__(
        self,
        images: Images,
        batch_size: int,
        *,
        crop: CentreCrop | None = None,
        size: int = 224,
        on_bad_image: Literal["skip", "fatal"] = "skip",
        workers: int | None = None,
    ):
        order = Order(len(images), batch_size, shuffle=False, whole=True)
        transform = crop or CentreCrop()
        super().__init__(images, order, transform, size, None, on_bad_image, workers)

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches from `start` to before `stop`, by default to the last image."""
        return super().batches(start, self.steps_per_epoch if stop is None else stop)

    def batched(self, data):
        kept = data.map(lambda x, label, weight, *_: (x, label, weight))
        return kept.batch(self.order.local_batch_size, drop_remainder=True)


__all__ = ["BadImageError", "EvaluationBatches", "ImageBatches"]
