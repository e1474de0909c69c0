"""Image files as RGB arrays, by Pillow."""

import io
import math

import numpy as np

# Pillow's own limit: a larger image is probably an attack or an accident.
MOST_PIXELS = 89_478_485
# Modes of Pillow with 16 or 32 bits a pixel, of which convert("RGB") keeps the wrong 8.
DEEP_GRAY = ("I", "I;16", "I;16L", "I;16B", "F")


def decoded(file: bytes, name: str) -> np.ndarray:
    """The pixels of an image file as RGB, uint8 (height, width, 3).

    Pillow converts gray, palette, CMYK and transparent images to RGB. The EXIF orientation is
    not applied, because ImageNet's evaluation protocols do not apply it.

    Raises:
        ValueError: the file is not an image, is damaged, or has more pixels than Pillow's limit.
            The message contains `name`.
        ImportError: Pillow is not installed.
    """
    from PIL import Image  # late: it is slow to import

    try:
        with Image.open(io.BytesIO(file)) as image:
            if image.mode in DEEP_GRAY:
                raise ValueError(f"gray levels of more than 8 bits (mode {image.mode})")
            if math.prod(image.size) > MOST_PIXELS:
                raise ValueError(f"{image.size} pixels are more than {MOST_PIXELS}")
            if image.mode == "P" and "transparency" in image.info:
                return np.asarray(image.convert("RGBA").convert("RGB"))
            return np.asarray(image.convert("RGB"))
    # A damaged file may raise nearly any error, for example SyntaxError or struct.error.
    except Exception as error:
        raise ValueError(
            f"{name} cannot be read as an image: {type(error).__name__}: {error}"
        ) from error
