"""Cuts out of an image, in whole gray levels: what a protocol shows to a network.

Everything here is before normalization: uint8 arrays (height, width, 3). Lengths and positions
are rounded as torchvision's Resize, CenterCrop and TenCrop round them.
"""

import math
from dataclasses import dataclass

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.decoding import MOST_PIXELS
from keras_resnet.evaluation.protocols import CROP, Protocol
from keras_resnet.weights.records import ImageRule, Interpolation


@checked(size=(1, math.inf), resize=(1, math.inf))
@dataclass(frozen=True)
class Geometry:
    """How images become views: a protocol, for a network that takes squares of `size`.

    Args:
        protocol: of `PROTOCOLS`, or the user's own.
        size: side of the square in pixels; None leaves images as they are.
        resize: length of the shorter side, where the protocol leaves it to the record.
        interpolation: of the resizing, `"bilinear"` or `"bicubic"`.
    """

    protocol: Protocol
    size: int | None
    resize: int | None
    interpolation: Interpolation = "bilinear"

    @classmethod
    def of(cls, protocol: Protocol, rule: ImageRule) -> "Geometry":
        """The geometry of a protocol for the images that a set of weights expects.

        Raises:
            ValueError: the weights take images as they are, which only "1-crop" does.
        """
        if rule.size is None and protocol.views != "center":
            raise ValueError(
                "These weights take images as they are, and so only the protocol '1-crop'; pass "
                "an ImageRule with a `size` for others. "
                f"Received: protocol={protocol.name!r}"
            )
        if rule.size is not None and not rule.antialias:
            raise ValueError("Images are resized with antialiasing only. Received: antialias=False")
        return cls(protocol, rule.size, rule.resize, rule.interpolation)

    def scales(self) -> list[int]:
        """Lengths of the shorter side in pixels, in proportion to the network's own size."""
        if self.size is None:
            return []
        if not self.protocol.scales:
            return [self.resize or self.size]
        return [max(self.size, round(scale * self.size / CROP)) for scale in self.protocol.scales]


@checked()
def views(image: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """All views of one image; the mean of a network's scores over them is its score.

    Args:
        image: uint8 (height, width, 3), of any size.
        geometry: what to cut.

    Returns:
        uint8 arrays (height, width, 3), squares except for dense views.

    Raises:
        ValueError: the image would become too large.

    Example:

    >>> from keras_resnet.evaluation.protocols import PROTOCOLS
    >>> image = np.zeros((300, 400, 3), "uint8")
    >>> len(views(image, Geometry(PROTOCOLS["144-crop"], 224, 256)))
    144
    >>> [view.shape[:2] for view in views(image, Geometry(PROTOCOLS["dense"], 224, 256))]
    [(256, 341), (256, 341)]
    """
    if geometry.size is None:
        return [image]
    found = []
    for scale in geometry.scales():
        resized = resize(image, scale, geometry.interpolation)
        if geometry.protocol.views == "center":
            found.append(center(resized, geometry.size))
        elif geometry.protocol.views == "ten":
            found += ten_crop(resized, geometry.size)
        elif geometry.protocol.views == "144":
            found += googlenet_crops(resized, geometry)
        else:
            whole = trimmed(resized, geometry.protocol.multiple)
            found += [whole, whole[:, ::-1]]
    return found


def resize(image: np.ndarray, shorter: int, interpolation: str = "bilinear") -> np.ndarray:
    """The image with its shorter side brought to a length, as PIL resizes.

    Raises:
        ValueError: the longer side would take more memory than an image is worth.
    """
    height, width = image.shape[:2]
    least = min(height, width)
    size = (shorter * width // least, shorter * height // least)
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(
            f"An image of {width}x{height} pixels would become one of {size[0]}x{size[1]}, and "
            f"more than {MOST_PIXELS} pixels are not taken"
        )
    return resize_to(image, size, interpolation)


def resize_to(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    if image.shape[1::-1] == size:
        return image
    from PIL import Image

    resampling = getattr(Image.Resampling, interpolation.upper())
    return np.asarray(Image.fromarray(image).resize(size, resampling))


def center(image: np.ndarray, size: int) -> np.ndarray:
    """The square in the middle, as torchvision rounds it: half to even."""
    height, width = image.shape[:2]
    top, left = round((height - size) / 2), round((width - size) / 2)
    return image[top : top + size, left : left + size]


def five_crop(image: np.ndarray, size: int) -> list[np.ndarray]:
    corners = (image[:size, :size], image[:size, -size:], image[-size:, :size])
    return [*corners, image[-size:, -size:], center(image, size)]


def ten_crop(image: np.ndarray, size: int) -> list[np.ndarray]:
    """Four corners and the middle, then those of the mirrored image: torchvision's TenCrop.

    Example:

    >>> image = np.arange(12, dtype="uint8").reshape(3, 4, 1)
    >>> [int(crop[0, 0, 0]) for crop in ten_crop(image, 2)]
    [0, 2, 4, 6, 1, 3, 1, 7, 5, 2]
    """
    return five_crop(image, size) + five_crop(image[:, ::-1], size)


def googlenet_crops(image: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """Left, middle and right square; of each four corners, the middle, and all of it made small.

    "for each square, we then take the 4 corners and the center 224x224 crop as well as the
    square resized to 224x224, and their mirrored versions" (arXiv:1409.4842, Sec. 7). Of an
    upright image the squares are top, middle and bottom.
    """
    size = geometry.size or CROP
    side = min(image.shape[:2])
    found = []
    for square in (image[:side, :side], center(image, side), image[-side:, -side:]):
        small = resize_to(square, (size, size), geometry.interpolation)
        crops = [*five_crop(square, size), small]
        found += crops + [crop[:, ::-1] for crop in crops]
    return found


def trimmed(image: np.ndarray, multiple: int) -> np.ndarray:
    """The middle of the image whose sides are multiples."""
    height, width = (side - side % multiple or side for side in image.shape[:2])
    top, left = (
        (have - keep) // 2 for have, keep in zip(image.shape, (height, width), strict=False)
    )
    return image[top : top + height, left : left + width]
