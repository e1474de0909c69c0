"""Pictures in memory, whole and broken, and batches of them."""

import io

import numpy as np
import pytest

pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")
import tensorflow as tf  # noqa: E402

from keras_resnet.data.order import keys  # noqa: E402
from keras_resnet.data.pipeline import ImageBatches  # noqa: E402


def picture(number=0, height=60, width=80) -> np.ndarray:
    """Smooth, and of a color of its own: JPEG keeps it to a few gray levels."""
    y, x = np.mgrid[:height, :width]
    color = np.random.default_rng(number).integers(40, 200, 3)
    waves = 25 * np.sin(x / 9 + number)[..., None] + 25 * np.cos(y / 7)[..., None]
    return np.clip(color + waves, 0, 255).astype("uint8")


def packed(pixels: np.ndarray, form="jpeg", mode=None, **options) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    options = {"quality": 95} | options if form == "jpeg" else options
    (image.convert(mode) if mode else image).save(file, form, **options)
    return file.getvalue()


class InMemory:
    """Images as `open_images` gives them, from a list."""

    def __init__(self, files, classes=3):
        self.files, self.class_names = files, tuple("abcdefgh"[:classes])

    def __len__(self):
        return len(self.files)

    def label(self, i):
        return i % len(self.class_names)

    def name(self, i):
        return f"file {i}"

    def read(self, i):
        if isinstance(self.files[i], Exception):
            raise self.files[i]
        return self.files[i]


GOOD = [packed(picture(n, 50 + n, 80 - n)) for n in range(16)]
whole_jpeg = packed(picture(1, 200, 200))


def batches(files=GOOD, **options) -> ImageBatches:
    return ImageBatches(InMemory(files), **{"batch_size": 4, "size": 16, "seed": 5} | options)


def image(transform, data: bytes, size=16, number=0) -> np.ndarray:
    """What a transform makes of a file whose key has this number."""
    sides = np.array([Image.open(io.BytesIO(data)).size[::-1]])
    drawn = [tf.constant(part[0]) for part in transform.drawn(keys(0, 0, [number]), sides)]
    is_jpeg = tf.constant(data[:2] == b"\xff\xd8")
    return transform.image(tf.constant(data), is_jpeg, tf.constant(size), *drawn).numpy()
