"""How batches of image files are made, whether to train or to evaluate: order, files, tf.data."""

import os
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from keras_resnet.data.augmentation import Augmentation, CentreCrop, tensorflow
from keras_resnet.data.batches import Batches
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.order import Order
from keras_resnet.data.reading import JPEG, BadImageError, Reader, decode, reason_of
from keras_resnet.data.sources import Images

CHUNK = 32  # images read by one call of Python
READERS = 2  # such calls at a time: reading waits for the disk, not for the processor
Size = int | Callable[[int], int]


class FileBatches(Batches):
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
        super().__init__(order, mixing)
        self.images, self.transform = images, transform
        self.size, self.workers = size, workers or os.cpu_count() or 1
        self.reader = Reader(images, on_bad_image)

    @property
    def classes(self) -> int:
        return len(self.images.class_names)

    @property
    def bad_images(self) -> dict[str, str]:
        """Why images were skipped until now, by their names."""
        return {self.reader.name(n): reason for n, reason in dict(self.reader.bad).items()}

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
        """Looks closely at the images of a step at which decoding failed.

        Returns:
            Whether there are any bad ones that were not known: the batches can be made again.
        """
        known = len(self.reader.bad)
        local = self.order.local_batch_size
        for n in self.order.at(np.arange(step * local, (step + 1) * local)).image:
            if int(n) not in self.reader.bad:
                try:
                    n, data, _ = self.reader.good(int(n))
                    decode(data)
                except BadImageError:
                    raise
                except Exception as error:
                    self.reader.found(n, reason_of(error))
        return len(self.reader.bad) > known
