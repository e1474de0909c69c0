"""Batches of image files for training and evaluation, the same on every backend.

`ImageBatches` and `EvaluationBatches` read any collection that `open_images` opens; arrays have
`keras_resnet.data.arrays.ArrayBatches`. All have `steps_per_epoch`, `batch_size`, `classes`,
`shard(index, count)` and `batches(start, stop)`.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from keras_resnet.data.augmentation import Augmentation, CentreCrop, tensorflow
from keras_resnet.data.file_batches import FileBatches, Size
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.order import Order
from keras_resnet.data.reading import BadImageError
from keras_resnet.data.sources import Images


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
