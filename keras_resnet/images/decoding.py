"""Image files as RGB arrays, by Pillow."""

import io
import math
from typing import Any

import numpy as np

# Above this an image is taken for an attack or an accident; Pillow's own limit for opening one.
MOST_PIXELS = 89_478_485
# Modes of Pillow of which convert("RGB") would keep 8 of 16 or 32 bits, and the wrong ones.
DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "F")


def decoded(file: bytes, name: str) -> np.ndarray:
    """The pixels of an image file as RGB, uint8 (height, width, 3).

    Grey, palette, CMYK and transparent images become RGB as Pillow converts them; the
    orientation that a camera noted is not applied, as ImageNet's protocols do not.

    Raises:
        ValueError: no image, a damaged one, or one larger than Pillow takes; names the file.
        ImportError: Pillow is missing.
    """
    Image = pillow()  # noqa: N806
    try:
        with Image.open(io.BytesIO(file)) as image:
            if image.mode in DEEP_GREY:
                raise ValueError(f"grey levels of more than 8 bits (mode {image.mode})")
            if math.prod(image.size) > MOST_PIXELS:
                raise ValueError(f"{image.size} pixels are more than {MOST_PIXELS}")
            if image.mode == "P" and "transparency" in image.info:
                return np.asarray(image.convert("RGBA").convert("RGB"))
            return np.asarray(image.convert("RGB"))
    # A damaged file may raise nearly anything, SyntaxError and struct.error among others.
    except Exception as error:
        raise ValueError(
            f"{name} cannot be read as an image: {type(error).__name__}: {error}"
        ) from error


def pillow() -> Any:
    """Pillow's module `Image`.

    Raises:
        ImportError: it is missing.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            'Image files are read and resized with Pillow: pip install "keras3-resnet[weights]"'
        ) from None
    return Image
