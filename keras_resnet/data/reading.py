"""Files on their way into tf.data: what is no image is found here, counted and replaced."""

import logging
from typing import Literal

import numpy as np

from keras_resnet.data.augmentation import tensorflow
from keras_resnet.data.sources import Images

JPEG = b"\xff\xd8\xff"
END_OF_IMAGE = b"\xff\xd9"
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; not DHT, JPG and DAC
TAIL = 1024  # bytes in which the end of a JPEG is looked for: some carry a few more behind it
log = logging.getLogger("keras_resnet.data")


class BadImageError(ValueError):
    """A file that is no image, or not all of one; the message names it."""


class Reader:
    """Reads images and knows the bad ones.

    Args:
        images: the collection.
        on_bad_image: `"skip"` takes the next good image in its place and remembers, `"fatal"`
            raises.

    Attributes:
        bad: why an image was skipped, by its number.
    """

    def __init__(self, images: Images, on_bad_image: Literal["skip", "fatal"]):
        if on_bad_image not in ("skip", "fatal"):
            raise ValueError(
                f"`on_bad_image` must be 'skip' or 'fatal'. Received: on_bad_image={on_bad_image!r}"
            )
        self.images, self.on_bad_image = images, on_bad_image
        self.bad: dict[int, str] = {}
        self.error: BadImageError | None = None

    def good(self, i: int) -> tuple[int, bytes, tuple[int, int]]:
        """Image i, or the next that is one: its number, its file, its height and width.

        Raises:
            BadImageError: images are not to be skipped, or none is good.
        """
        for other in range(i, i + len(self.images)):
            n = other % len(self.images)
            if n in self.bad:
                continue
            try:
                data = self.images.read(n)
                sides = checked(data)
            except Exception as error:  # whatever a disk, an archive or a decoder may say
                self.found(n, reason_of(error))
            else:
                return n, data, sides
        raise self.fatal(f"None of {len(self.images)} images can be read")

    def found(self, n: int, reason: str) -> None:
        """Takes note of a bad image."""
        name = self.name(n)
        if self.on_bad_image == "fatal":
            raise self.fatal(f"{name} is no whole image: {reason}")
        if n not in self.bad:
            self.bad[n] = reason
            log.warning("%s is no whole image and is skipped: %s", name, reason)

    def fatal(self, message: str) -> BadImageError:
        self.error = BadImageError(message)
        return self.error

    def name(self, n: int) -> str:
        try:
            return self.images.name(n)
        except Exception:  # a name that stands in a record that cannot be read
            return f"image {n}"


def reason_of(error: Exception) -> str:
    """The first line, without TensorFlow's call stack."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200].split(" [Op:")[0]


def checked(data: bytes) -> tuple[int, int]:
    """Height and width; an error where data are no whole image.

    A JPEG that begins and ends like one is let pass: decoding it finds the rest, see
    `FileBatches.batches`. All else is decoded here and now, which is rare.
    """
    if data[:3] == JPEG and data.rfind(END_OF_IMAGE, -TAIL) >= 0 and (sides := jpeg_sides(data)):
        return sides
    height, width, _ = decode(data).shape
    return height, width


def jpeg_sides(data: bytes) -> tuple[int, int] | None:
    """Height and width by the frame header (ITU T.81, B.2.2), None where there is none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in FRAMES:
            sides = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            return sides if min(sides) > 0 else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def decode(data: bytes) -> np.ndarray:
    """All pixels of an image of any format.

    Raises:
        BadImageError: the file is empty.
        tensorflow.errors.InvalidArgumentError: it is no image, or not all of one.
    """
    if not data:
        raise BadImageError("the file is empty")
    tf = tensorflow()
    with tf.device("CPU:0"):
        return tf.io.decode_image(data, channels=3, expand_animations=False).numpy()
