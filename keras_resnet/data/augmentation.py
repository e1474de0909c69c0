"""What an image goes through between its file and its batch, as a graph of tf.data.

Chance is drawn in NumPy from an image's key, outside the graph, so that an image's augmentation
is a function of its key alone.
"""

import dataclasses
from typing import Any, Literal

import numpy as np

from keras_resnet.data.order import normals, uniforms
from keras_resnet.data.photometric import Photometric
from keras_resnet.data.randaugment import RandAugment, augmented
from keras_resnet.data.windows import AREA_DRAWS, area_windows, scale_windows

# AlexNet's "fancy PCA", in RGB of 0 to 1, as facebookarchive/fb.resnet.torch has it.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
FIRST = 1 + AREA_DRAWS + 6  # draws before those of RandAugment: flip, window, colour
KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}


def tensorflow() -> Any:
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "Image files are read by tf.data, on every backend: "
            'pip install "keras3-resnet[tensorflow-cpu]"'
        ) from error
    return tf


@dataclasses.dataclass(frozen=True)
class Drawn:
    """What chance decides about n images.

    Args:
        window: (n, 4) top, left, height, width in pixels, int32.
        flip: (n,) bool.
        shift: (n, 3) grey levels added to red, green and blue, float32.
        operations, arguments: (n, k) of RandAugment, int32 and float32.
    """

    window: np.ndarray
    flip: np.ndarray
    shift: np.ndarray
    operations: np.ndarray
    arguments: np.ndarray


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How a training image is made of a file.

    Args:
        crop: `"area"` cuts out a part of the area, of some aspect ratio, and resizes it to the
            square (Szegedy et al. 2015, called RandomResizedCrop today); `"scale"` resizes the
            shorter side to some length and cuts out the square (the paper, Sec. 3.4).
        area: smallest and greatest part of the area, for `"area"`.
        ratio: smallest and greatest width / height, for `"area"`.
        shorter: smallest and greatest length of the shorter side in pixels, for `"scale"`,
            where `size` is 224; other sizes have it in proportion.
        flip: whether to flip half of the images.
        lighting: standard deviation of the noise along the principal components of colour
            (AlexNet's, 0.1 in the paper); 0 for none. Colours beyond 0 and 255 are cut off.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: resize as PIL does, where an image shrinks: the pixels in between count too.
            It takes nearly as long as decoding does.
        dct_scaling: decode a JPEG at a half or a quarter of its size where that has as many
            pixels as are asked for. It saves some per cent at 160 pixels, less at 224, and comes
            as close to PIL's antialiased resizing as leaving pixels out does.
        randaugment: a `RandAugment`, a `Photometric`, or None.

    Example, what Goyal et al. and most after them take, and the paper's own:

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
        for name, values in (("crop", ("area", "scale")), ("interpolation", KERNELS)):
            if getattr(self, name) not in values:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(values)}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
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
        """What chance decides about images of these keys (n,) and sizes (n, 2)."""
        policy = self.randaugment
        uniform = uniforms(key, FIRST + (policy.draws if policy else 0))
        place = uniform[:, 1 : 1 + AREA_DRAWS]
        if self.crop == "area":
            window = area_windows(sides, place, self.area, self.ratio)
        else:
            window = scale_windows(sides, place, self.shorter)
        along = self.lighting * normals(uniform[:, 1 + AREA_DRAWS : FIRST]) * EIGENVALUES
        shift = 255 * along @ np.array(EIGENVECTORS).T
        flip = (uniform[:, 0] < 0.5) & self.flip
        shift = shift.astype("float32")
        operations, arguments = policy.drawn(uniform[:, FIRST:]) if policy else none(len(key))
        return Drawn(window.astype("int32"), flip, shift, operations, arguments)

    def image(self, data, is_jpeg, size, window, flip, shift, operations, arguments):
        """Decodes and augments one image: a (size, size, 3) tensor in uint8.

        Args:
            data: the file, a string tensor.
            is_jpeg: whether it is a JPEG, a bool tensor.
            size: side of the square, an int32 tensor.
            window, flip, shift, operations, arguments: of `Drawn`, for this image.
        """
        tf = tensorflow()
        x = decoded(data, is_jpeg, window, size if self.dct_scaling else None)
        x = resized(x, size, self.interpolation, self.antialias)
        if self.lighting:
            x += shift
        # From here on whole grey levels: a quarter of the bytes to move to the device.
        x = whole_levels(x, bounded=self.interpolation == "bilinear" and not self.lighting)
        if self.flip:
            x = tf.cond(flip, lambda: tf.reverse(x, [1]), lambda: x)
        if self.randaugment is None:
            return x
        return tf.cast(augmented(tf.cast(x, "float32"), operations, arguments), "uint8")


def none(n: int) -> tuple[np.ndarray, np.ndarray]:
    """One operation of RandAugment that does nothing: tf.data crashes on empty tensors."""
    return np.zeros((n, 1), "int32"), np.zeros((n, 1), "float32")


def any_format(data):
    """PNG, GIF (its first frame), BMP or WebP, in RGB."""
    tf = tensorflow()
    x = tf.io.decode_image(data, channels=3, expand_animations=False)
    x.set_shape([None, None, 3])
    return x


def decoded(data, is_jpeg, window, at_least=None):
    """The window of an image in uint8: of a JPEG only the rows and columns in it are decoded.

    With `at_least`, at a half or a quarter of the size where that has as many pixels a side.
    """
    tf = tensorflow()

    def jpeg(ratio: int):
        # TensorFlow's default is libjpeg's fast DCT, "sacrificing image quality for speed"; the
        # exact one takes no longer that can be measured, and is what PIL and torchvision take.
        scaled = window // ratio if ratio > 1 else window
        return lambda: tf.io.decode_and_crop_jpeg(
            data, scaled, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    def other():
        return tf.image.crop_to_bounding_box(any_format(data), *tf.unstack(window))

    if at_least is None:
        return tf.cond(is_jpeg, jpeg(1), other)
    spare = tf.reduce_min(window[2:]) // at_least
    return tf.case(
        [(~is_jpeg, other), (spare >= 4, jpeg(4)), (spare >= 2, jpeg(2))], default=jpeg(1)
    )


def resized(x, size, interpolation: str, antialias: bool):
    """(size, size, 3) in float32."""
    tf = tensorflow()
    square = tf.stack([size, size])
    if antialias:
        scale = tf.cast(size, "float32") / tf.cast(tf.shape(x)[:2], "float32")
        return placed(x, square, scale, tf.zeros([2]), interpolation, True)
    resize = {"bilinear": tf.raw_ops.ResizeBilinear, "bicubic": tf.raw_ops.ResizeBicubic}
    return resize[interpolation](images=x[None], size=square, half_pixel_centers=True)[0]


def placed(x, square, scale, translation, interpolation: str, antialias: bool):
    """An image that is resized, moved and cut off, in float32."""
    tf = tensorflow()
    return tf.raw_ops.ScaleAndTranslate(
        images=x[None],
        size=square,
        scale=scale,
        translation=translation,
        kernel_type=KERNELS[interpolation],
        antialias=antialias,
    )[0]


def whole_levels(x, bounded: bool):
    """uint8, the nearest; `bounded` where nothing is below 0 or above 255."""
    tf = tensorflow()
    return tf.cast(x + 0.5, "uint8") if bounded else tf.saturate_cast(tf.floor(x + 0.5), "uint8")


@dataclasses.dataclass(frozen=True)
class CentreCrop:
    """How an image is made of a file for evaluation: the square in the middle.

    Args:
        resize: length of the shorter side in pixels before the square is cut out.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: as PIL does.

    Pixels are those of `keras_resnet.Preprocessing` and so of torchvision's transforms, to two
    grey levels: PIL also rounds between rows and columns.
    """

    resize: int = 256
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    antialias: bool = True

    def __post_init__(self):
        if self.interpolation not in KERNELS:
            raise ValueError(
                f"`interpolation` must be one of {', '.join(KERNELS)}. "
                f"Received: interpolation={self.interpolation!r}"
            )
        if self.resize < 1:
            raise ValueError(f"`resize` must be positive. Received: resize={self.resize}")

    def drawn(self, key: np.ndarray, sides: np.ndarray) -> Drawn:
        """The whole image: nothing is left to chance."""
        window = np.concatenate([np.zeros_like(sides), sides], axis=1).astype("int32")
        n = len(key)
        return Drawn(window, np.zeros(n, "bool"), np.zeros((n, 3), "float32"), *none(n))

    def image(self, data, is_jpeg, size, *_):
        """See `Augmentation.image`."""
        tf = tensorflow()
        x = tf.cond(
            is_jpeg,
            lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
            lambda: any_format(data),
        )
        sides = tf.shape(x)[:2]
        lengths = self.resize * sides // tf.reduce_min(sides)
        scale = tf.cast(lengths, "float32") / tf.cast(sides, "float32")
        begin = tf.round(tf.cast(lengths - size, "float32") / 2)
        square = tf.stack([size, size])
        x = placed(x, square, scale, -begin, self.interpolation, self.antialias)
        return whole_levels(x, bounded=False)
