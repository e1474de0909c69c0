"""Batches of image files for training and evaluation, by tf.data and the same on every backend.

`ImageBatches` and `EvaluationBatches` read any collection that `open_images` opens. For arrays
there is `keras_resnet.data.ArrayBatches`. All have `steps_per_epoch`, `batch_size`, `classes`,
`shard(index, count)` and `batches(start, stop)`.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from keras_resnet.data.augmentation import Augmentation, CenterCrop
from keras_resnet.data.mixing import Mix, Mixing
from keras_resnet.data.order import Order
from keras_resnet.data.pixels import mixed_pair, tensorflow, tf
from keras_resnet.data.reading import JPEG, BadImageError, Reader
from keras_resnet.data.sources import Images
from keras_resnet.files.arguments import checked

CHUNK = 32  # images that are read by one call of Python
READERS = 2  # parallel calls: reading waits for the disk, not for the processor
Size = int | Callable[[int], int]


class FileBatches(Order):
    """What training and evaluation have in common."""

    def __init__(
        self,
        images: Images,
        batch_size: int,
        transform: Augmentation | CenterCrop,
        size: Size,
        on_bad_image: Literal["skip", "fatal"],
        workers: int | None,
        **order: Any,
    ):
        tensorflow()
        if workers is not None and workers < 1:
            raise ValueError(f"`workers` must be at least 1. Received: workers={workers}")
        if not callable(size) and size < 1:
            raise ValueError(f"`size` must be positive. Received: size={size}")
        super().__init__(len(images), batch_size, **order)
        self.images, self.transform = images, transform
        self.size, self.workers = size, workers or os.cpu_count() or 1
        self.side = None if callable(size) else size  # of the images, if known in advance
        self.reader = Reader(images, on_bad_image)

    @property
    def classes(self) -> int:
        return len(self.images.class_names)

    @property
    def bad_images(self) -> dict[str, str]:
        """Why images were skipped until now, by their names."""
        return {self.reader.name(n): reason for n, reason in dict(self.reader.bad).items()}

    def fetched(self, positions: np.ndarray) -> list[np.ndarray]:
        """Files and all random choices for them; runs in a thread of tf.data."""
        chosen = self.at(positions)
        numbers, files, sides = zip(*map(self.reader.good, chosen.image.tolist()), strict=True)
        size = self.size if callable(self.size) else lambda epoch: self.size
        sizes = [int(size(epoch)) for epoch in chosen.epoch.tolist()]
        mixes = self.mixes(chosen.step.tolist(), sizes)
        return [
            np.array([*files, None], dtype=object)[:-1],
            np.array([file[:3] == JPEG for file in files]),
            np.array(sizes, "int32"),
            *self.transform.drawn(chosen.key, np.array(sides)),
            np.array([self.images.label(n) for n in numbers], "int32"),
            np.where(np.array(numbers) == chosen.image, chosen.weight, np.float32(0)),
            np.array([mix.kept for mix in mixes], "float32"),
            np.array([mix.box for mix in mixes], "int32"),
        ]

    def mixes(self, steps: list[int], sizes: list[int]) -> list[Mix]:
        if self.mixing is None:
            return [Mix(1.0)] * len(steps)
        drawn = {
            step: self.mixing.drawn(self.seed, step, size, size)
            for step, size in dict(zip(steps, sizes, strict=True)).items()
        }
        return [drawn[step] for step in steps]

    def decoded(self, *fetched):
        *file, label, weight, kept, box = fetched
        x = self.transform.image(*file)
        x.set_shape([self.side, self.side, 3])
        return x, label, weight, kept, box

    def dataset(self, start: int = 0, stop: int | None = None) -> Any:
        """A tf.data.Dataset of the batches of the global steps `start` to `stop` - 1.

        Its elements are those of `batches`, as tensors. If a file is found to be damaged only
        when it is decoded, the data set raises an error, whereas `batches` continues.
        """
        local = self.local_batch_size
        end = 2**62 if stop is None else stop * local

        # What `fetched` returns: file, JPEG or not, size; the transform's draws; label, weight,
        # and how the image is mixed.
        draws = self.transform.drawn(np.zeros(1, "uint64"), np.ones((1, 2), int))
        kinds = ["string", "bool", "int32", *(array.dtype for array in draws)]
        kinds += ["int32", "float32", "float32", "int32"]
        shapes = [(), (), (), *(array.shape[1:] for array in draws), (), (), (), (4,)]

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
        """Batches of the elements that `decoded` returns."""
        raise NotImplementedError

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches of the global steps `start` to `stop` - 1, or without end.

        Arrays are read-only views of TensorFlow's memory.

        Raises:
            BadImageError: a file is bad and `on_bad_image` is `"fatal"`, or all files are bad.
        """
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
                # If this finds bad images, the step is repeated without them.
                if self.reader.decodable(self.of_steps(step, step + 1).image):
                    raise


class ImageBatches(FileBatches):
    """Batches of augmented images for training.

    Each batch is a function of (seed, step), and each image's augmentation is a function of
    (seed, epoch, index): `batches(step)` resumes a run. Nothing depends on the number of workers
    or processes.

    Args:
        images: an `Images`; see `keras_resnet.data.open_images`.
        batch_size: images in a global batch. An incomplete last batch is dropped.
        augmentation: an `Augmentation`.
        size: side of the images in pixels, or a function of the epoch (from 0), for progressive
            resizing.
        seed: of order and augmentation, from 0 to 2**63 - 1.
        mixing: a `Mixing`; labels are then (batch, classes) in float32.
        repeats: how many times an image is used in a row, each time augmented differently; see
            `keras_resnet.data.order.Order`.
        on_bad_image: `"skip"` counts a file that is not a complete image, logs its name and uses
            the next good one in its place; `"fatal"` raises a `BadImageError`.
        workers: threads that decode; the number of processors by default.

    `batches` yields (images, labels): (batch, size, size, 3) in uint8, RGB, channels last; and
    (batch,) in int32. Normalize on the device, with `include_preprocessing=True` of a builder or
    with `keras_resnet.preprocess_input`.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`, `bad_images`.

    Raises:
        ValueError: there are fewer images than a batch has, or an argument is out of range.
        ImportError: TensorFlow, which decodes on every backend, is not installed.
    """

    @checked()
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
        transform = augmentation or Augmentation()
        order = {"seed": seed, "repeats": repeats, "mixing": mixing}
        super().__init__(images, batch_size, transform, size, on_bad_image, workers, **order)

    def batched(self, data):
        local, side = self.local_batch_size, self.side
        if self.mixing is None:
            return data.map(lambda x, label, *_: (x, label)).batch(local, drop_remainder=True)

        def mix(x, label, _, kept, box):
            return mixed_pair(x, label, kept[0], box[0], self.classes)

        def flat(x, labels):
            x = tf.reshape(x, tf.concat([[local], tf.shape(x)[2:]], axis=0))
            x.set_shape([local, side, side, 3])
            return x, tf.reshape(labels, [local, self.classes])

        pairs = data.batch(2, drop_remainder=True)
        pairs = pairs.map(mix, num_parallel_calls=self.workers, deterministic=True)
        return pairs.batch(local // 2, drop_remainder=True).map(flat)


class EvaluationBatches(FileBatches):
    """Batches that contain every image once, in the order of the collection.

    The last batch is filled with images of weight 0, so that all batches have the same shape and
    no image counts twice. A bad image that is skipped has weight 0, too.

    Args:
        images, batch_size, on_bad_image, workers: see `ImageBatches`.
        crop: a `CenterCrop`.
        size: side of the images in pixels.

    `batches` yields (images, labels, weights): (batch, size, size, 3) in uint8, (batch,) in
    int32, (batch,) in float32, 1 or 0. By default it ends after the last image.

    Attributes: `steps_per_epoch`, `batch_size`, `classes`, `bad_images`.
    """

    @checked()
    def __init__(
        self,
        images: Images,
        batch_size: int,
        *,
        crop: CenterCrop | None = None,
        size: int = 224,
        on_bad_image: Literal["skip", "fatal"] = "skip",
        workers: int | None = None,
    ):
        transform = crop or CenterCrop()
        order = {"shuffle": False, "drop_remainder": False}
        super().__init__(images, batch_size, transform, size, on_bad_image, workers, **order)

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches `start` to `stop` - 1, by default to the last image."""
        return super().batches(start, self.steps_per_epoch if stop is None else stop)

    def batched(self, data):
        kept = data.map(lambda x, label, weight, *_: (x, label, weight))
        return kept.batch(self.local_batch_size, drop_remainder=True)


__all__ = ["BadImageError", "EvaluationBatches", "ImageBatches"]
