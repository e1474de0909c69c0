"""How an image file becomes an image of a batch, for training and for evaluation.

Random numbers are computed in NumPy from an image's key, outside the graph of tf.data, so that
an image's augmentation is a function of its key alone.
"""

import dataclasses
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.order import normals, uniforms
from keras_resnet.data.pixels import KERNELS, decoded, decoded_window, placed, resized, rounded, tf
from keras_resnet.data.randaugment import Photometric, RandAugment, augmented
from keras_resnet.data.windows import AREA_DRAWS, area_windows, scale_windows

# AlexNet's "fancy PCA", in RGB of 0 to 1, as facebookarchive/fb.resnet.torch has it.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
FIRST = 1 + AREA_DRAWS + 6  # draws before those of RandAugment: flip, window, color


class Drawn(NamedTuple):
    """The random choices for n images."""

    window: np.ndarray  # (n, 4) top, left, height, width in pixels, int32
    flip: np.ndarray  # (n,) bool
    shift: np.ndarray  # (n, 3) gray levels that are added to red, green and blue, float32
    operations: np.ndarray  # (n, k) numbers of RandAugment's operations, int32
    arguments: np.ndarray  # (n, k) of these operations, float32


@checked()
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How a training image is made of a file.

    Args:
        crop: `"area"` cuts out a random part of the area with a random aspect ratio and resizes
            it to the square (Szegedy et al. 2015, called RandomResizedCrop today); `"scale"`
            resizes the shorter side to a random length and cuts out the square (Sec. 3.4).
        area: smallest and largest part of the area, for `"area"`.
        ratio: smallest and largest width / height, for `"area"`.
        shorter: smallest and largest length of the shorter side in pixels, for `"scale"` with a
            `size` of 224; other sizes change it in proportion.
        flip: whether to flip half of the images.
        lighting: standard deviation of the noise along the principal components of color
            (AlexNet's, 0.1 in the paper); 0 for none. Results are clipped to 0 and 255.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: whether shrinking averages over all pixels, as PIL does. It takes nearly as
            long as decoding.
        dct_scaling: whether a JPEG is decoded at a half or a quarter of its size if that has at
            least the pixels that are needed. It saves a few percent of the time at 160 pixels,
            less at 224. Its result is as close to PIL's antialiased resizing as the result
            without antialiasing is.
        randaugment: a `RandAugment`, a `Photometric`, or None.

    Raises:
        ValueError: an argument is out of range.

    Example, the augmentation of Goyal et al. and of most later work, and the paper's own:

    >>> Augmentation()
    Augmentation(crop='area', area=(0.08, 1.0), ...)
    >>> Augmentation(crop="scale", shorter=(256, 480), lighting=0.1)
    Augmentation(crop='scale', ...)
    """

    crop: Literal["area", "scale"] = "area"
    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    shorter: tuple[int, int] = (256, 480)
    flip: bool = True
    lighting: float = 0.0
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    antialias: bool = False
    dct_scaling: bool = False
    randaugment: RandAugment | Photometric | None = None

    def __post_init__(self):
        check_choice("crop", self.crop, ("area", "scale"))
        check_choice("interpolation", self.interpolation, KERNELS)
        for name in ("area", "ratio", "shorter"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(
                    f"`{name}` must be two numbers above 0, the smaller first. "
                    f"Received: {name}={getattr(self, name)}"
                )
        if self.area[1] > 1:
            raise ValueError(f"`area` must be at most 1. Received: area={self.area}")
        if self.shorter[0] < 224:
            raise ValueError(f"`shorter` must be at least 224. Received: shorter={self.shorter}")

    def drawn(self, key: np.ndarray, sides: np.ndarray) -> Drawn:
        """The random choices for images with these keys (n,) and sizes (n, 2)."""
        policy = self.randaugment
        uniform = uniforms(key, FIRST + (policy.draws if policy else 0))
        place = uniform[:, 1 : 1 + AREA_DRAWS]
        if self.crop == "area":
            window = area_windows(sides, place, self.area, self.ratio)
        else:
            window = scale_windows(sides, place, self.shorter)
        along = self.lighting * normals(uniform[:, 1 + AREA_DRAWS : FIRST]) * EIGENVALUES
        shift = (255 * along @ np.array(EIGENVECTORS).T).astype("float32")
        flip = (uniform[:, 0] < 0.5) & self.flip
        operations = policy.drawn(uniform[:, FIRST:]) if policy else no_operations(len(key))
        return Drawn(window.astype("int32"), flip, shift, *operations)

    def image(self, data, is_jpeg, size, window, flip, shift, operations, arguments):
        """Decodes and augments one image: a (size, size, 3) tensor in uint8.

        All arguments are tensors: the file, whether it is a JPEG, the side of the square, and the
        fields of `Drawn` for this image.
        """
        x = decoded_window(data, is_jpeg, window, size if self.dct_scaling else None)
        x = resized(x, size, self.interpolation, self.antialias)
        if self.lighting:
            x += shift
        # uint8 from here on: a quarter of the bytes that are moved to the device.
        x = rounded(x, bounded=self.interpolation == "bilinear" and not self.lighting)
        if self.flip:
            x = tf.cond(flip, lambda: tf.reverse(x, [1]), lambda: x)
        if self.randaugment is None:
            return x
        return tf.cast(augmented(tf.cast(x, "float32"), operations, arguments), "uint8")


def no_operations(n: int) -> tuple[np.ndarray, np.ndarray]:
    """One operation of RandAugment that does nothing: tf.data crashes on empty tensors."""
    return np.zeros((n, 1), "int32"), np.zeros((n, 1), "float32")


def check_choice(name: str, value: Any, choices) -> None:
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(choices)}. Received: {name}={value!r}"
        )


@checked(resize=(1, math.inf))
@dataclasses.dataclass(frozen=True)
class CenterCrop:
    """How an image for evaluation is made of a file: the square in the middle.

    The pixels agree with `keras_resnet.Preprocessing`, and so with torchvision's transforms, to
    two gray levels: PIL also rounds between rows and columns.

    Args:
        resize: length of the shorter side in pixels before the square is cut out.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: whether shrinking averages over all pixels, as PIL does.

    Raises:
        ValueError: an argument is out of range.
    """

    resize: int = 256
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    antialias: bool = True

    def __post_init__(self):
        check_choice("interpolation", self.interpolation, KERNELS)

    def drawn(self, key: np.ndarray, sides: np.ndarray) -> Drawn:
        """The full image, and no random choice."""
        window = np.concatenate([np.zeros_like(sides), sides], axis=1).astype("int32")
        n = len(key)
        return Drawn(window, np.zeros(n, "bool"), np.zeros((n, 3), "float32"), *no_operations(n))

    def image(self, data, is_jpeg, size, *_):
        """Decodes, resizes and crops one image; see `Augmentation.image`."""
        x = decoded(data, is_jpeg)
        sides = tf.shape(x)[:2]
        lengths = self.resize * sides // tf.reduce_min(sides)
        scale = tf.cast(lengths, "float32") / tf.cast(sides, "float32")
        begin = tf.round(tf.cast(lengths - size, "float32") / 2)
        square = tf.stack([size, size])
        x = placed(x, square, scale, -begin, self.interpolation, self.antialias)
        return rounded(x, bounded=False)


CentreCrop = CenterCrop  # the old spelling
