"""Reading of image files before tf.data decodes them: bad files are found, listed and replaced."""

import logging
import math
import re
from typing import Literal

import numpy as np

from keras_resnet.data.decoding import MOST_PIXELS
from keras_resnet.data.pixels import tf
from keras_resnet.data.sources import Images

JPEG = b"\xff\xd8\xff"
END_OF_IMAGE = b"\xff\xd9"
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; not DHT, JPG and DAC
TAIL = 1024  # the last bytes, which contain a JPEG's end marker: some files have bytes after it
log = logging.getLogger("keras_resnet.data")


class BadImageError(ValueError):
    """A file is not an image or is incomplete; the message names it."""


class Reader:
    """Reads images and replaces bad ones.

    Args:
        images: the collection.
        on_bad_image: `"skip"` logs a bad image and uses the next good one in its place,
            `"fatal"` raises.

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
        """Image i, or the next good one: its number, its file, its height and width.

        Raises:
            BadImageError: the image is bad and bad ones are not skipped, or all images are bad.
        """
        for other in range(i, i + len(self.images)):
            n = other % len(self.images)
            if n in self.bad:
                continue
            try:
                data = self.images.read(n)
                sides = checked(data)
            except Exception as error:  # a disk, an archive or a decoder may raise any error
                self.found(n, error)
            else:
                return n, data, sides
        raise self.fatal(f"None of {len(self.images)} images can be read")

    def decodable(self, numbers) -> bool:
        """Whether all images with these numbers can be decoded. New bad ones are added to `bad`."""
        known = len(self.bad)
        for i in set(map(int, numbers)):
            while not self.decodes(i):
                pass  # what takes its place may be bad as well
        return len(self.bad) == known

    def decodes(self, i: int) -> bool:
        """Whether image i, or what is in its place, can be decoded; else it is added to `bad`."""
        n, data, _ = self.good(i)
        try:
            decode(data)
        except Exception as error:
            self.found(n, error)
            return False
        return True

    def found(self, n: int, error: Exception) -> None:
        """Adds a bad image to `bad`, or raises."""
        # The first line of the message, without TensorFlow's call stack and names of operations.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(" [Op:")[0]
        reason = re.sub(r"\{\{.*?\}\} *", "", reason)[:200]
        if self.on_bad_image == "fatal":
            raise self.fatal(f"{self.name(n)} is not a complete image: {reason}")
        if n not in self.bad:
            self.bad[n] = reason
            log.warning("%s is not a complete image and is skipped: %s", self.name(n), reason)

    def fatal(self, message: str) -> BadImageError:
        self.error = BadImageError(message)
        return self.error

    def name(self, n: int) -> str:
        try:
            return self.images.name(n)
        except Exception:  # the name is part of a record that cannot be read
            return f"image {n}"


def checked(data: bytes) -> tuple[int, int]:
    """Height and width; raises an error if `data` is not a complete image.

    Of a JPEG only the beginning and the end are checked: other damage is found when it is
    decoded, see `FileBatches.batches`. All other files, which are rare, are decoded here.
    """
    sides = sides_of(data)
    if sides is not None and math.prod(sides) > MOST_PIXELS:
        raise BadImageError(f"{sides[0]} x {sides[1]} pixels are more than {MOST_PIXELS}")
    if sides is not None and data[:3] == JPEG and data.rfind(END_OF_IMAGE, -TAIL) >= 0:
        return sides
    height, width, _ = decode(data).shape
    return height, width


def sides_of(data: bytes) -> tuple[int, int] | None:
    """Height and width by the header of a JPEG, PNG, GIF or BMP, before memory is taken."""
    if data[:3] == JPEG:
        return jpeg_sides(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    elif data[:4] == b"GIF8":
        width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
    elif data[:2] == b"BM":  # a negative height: from top to bottom
        width, height = (
            abs(int.from_bytes(data[at : at + 4], "little", signed=True)) for at in (18, 22)
        )
    else:
        return None
    return height, width


def jpeg_sides(data: bytes) -> tuple[int, int] | None:
    """Height and width in the frame header (ITU T.81, B.2.2), or None if there is no such header.

    `tf.io.extract_jpeg_shape` takes several times as long.
    """
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
        tensorflow.errors.InvalidArgumentError: the file is not a complete image.
    """
    if not data:
        raise BadImageError("the file is empty")
    with tf.device("CPU:0"):
        return tf.io.decode_image(data, channels=3, expand_animations=False).numpy()
