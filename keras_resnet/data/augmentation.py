"""What a training image goes through between its file and its batch, as a graph of tf.data.

Chance is drawn in NumPy from an image's key, outside the graph, so that an image's augmentation
is a function of its key alone.
"""

import dataclasses
from typing import Any, Literal

import numpy as np

from keras_resnet.data.order import normals, uniforms

# AlexNet's "fancy PCA", in RGB of 0 to 1, as facebookarchive/fb.resnet.torch has it.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
BELOW_ONE = np.float32(1 - 2.0**-24)  # the greatest float32 of a draw from [0, 1)
UNIFORMS, NORMALS = 4, 3


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
            (AlexNet's, 0.1 in the paper); 0 for none.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: resize as PIL does, where an image shrinks: the pixels in between count too.
            It takes as long as decoding does.
        dct_scaling: decode at a half or a quarter of the size where that is still as large as
            what is asked for: libjpeg then averages instead of bilinear resizing leaving pixels
            out.

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
        if self.shorter[0] < 224 and self.crop == "scale":
            raise ValueError(f"`shorter` must be at least 224. Received: shorter={self.shorter}")

    def draws(self, key: np.ndarray) -> np.ndarray:
        """All that chance decides about images of these keys: (n, draws) in float32."""
        uniform = uniforms(key, UNIFORMS + 2 * NORMALS)
        drawn = [uniform[:, :UNIFORMS], normals(uniform[:, UNIFORMS:])]
        return np.minimum(np.concatenate(drawn, axis=1), [BELOW_ONE] * UNIFORMS + [np.inf] * NORMALS
                          ).astype("float32")  # fmt: skip

    def image(self, data, is_jpeg, key, draws, size):
        """Decodes and augments one image: a (size, size, 3) tensor in uint8.

        Args:
            data: the file, a string tensor.
            is_jpeg: whether it is a JPEG, a bool tensor.
            key: of the image, int64.
            draws: (draws,) of `draws`.
            size: of the square, int32 tensor.
        """
        tf = tensorflow()
        shape = image_shape(data, is_jpeg)
        if self.crop == "area":
            window = area_window(shape, key, self.area, self.ratio)
        else:
            window = scale_window(shape, draws, self.shorter, size)
        x = decoded(data, is_jpeg, window, size if self.dct_scaling else None)
        x = resized(x, size, self.interpolation, self.antialias)
        if self.lighting:
            x += lighting(draws[UNIFORMS:], self.lighting)
        # From here on whole grey levels: a quarter of the bytes to move to the device.
        x = tf.saturate_cast(tf.round(x), "uint8")
        if self.flip:
            x = tf.cond(draws[0] < 0.5, lambda: tf.reverse(x, [1]), lambda: x)
        return x


def image_shape(data, is_jpeg):
    """(height, width, 3) in int32, without decoding a JPEG."""
    tf = tensorflow()
    return tf.cond(
        is_jpeg,
        lambda: tf.io.extract_jpeg_shape(data),
        lambda: tf.shape(any_format(data)),
    )


def any_format(data):
    """PNG, GIF (its first frame), BMP or WebP, in RGB."""
    tf = tensorflow()
    x = tf.io.decode_image(data, channels=3, expand_animations=False)
    x.set_shape([None, None, 3])
    return x


def area_window(shape, key, area, ratio):
    """(top, left, height, width): a part of the area, of some aspect ratio."""
    tf = tensorflow()
    begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
        tf.stack([shape[0], shape[1], 3]),
        tf.zeros([1, 0, 4]),
        seed=tf.stack([key, tf.zeros_like(key)]),
        min_object_covered=0.0,
        aspect_ratio_range=ratio,
        area_range=area,
        max_attempts=10,
        use_image_if_no_bounding_boxes=True,
    )
    return tf.concat([begin[:2], extent[:2]], axis=0)


def scale_window(shape, draws, shorter, size):
    """(top, left, height, width): what is in the square once the shorter side is resized.

    In whole pixels of the original, which moves the edges by less than one of its pixels.
    """
    tf = tensorflow()
    low, high = shorter
    length = low + tf.floor(draws[1] * (high - low + 1))  # for a square of 224
    sides = tf.cast(shape[:2], "float32")
    side = tf.maximum(tf.round(tf.reduce_min(sides) * 224 / length), 1)
    begin = tf.floor(draws[2:4] * (sides - side + 1))
    return tf.cast(tf.concat([begin, [side, side]], axis=0), "int32")


def decoded(data, is_jpeg, window, at_least=None):
    """The window of an image in uint8; at a half or a quarter of its size if `at_least` allows."""
    tf = tensorflow()

    def jpeg(ratio: int):
        # TensorFlow's default is libjpeg's fast DCT, "sacrificing image quality for speed": it
        # saves 3 % and differs by a grey level. The exact one is what PIL and torchvision take.
        return lambda: tf.io.decode_and_crop_jpeg(
            data, tf.maximum(window // ratio, [0, 0, 1, 1]), channels=3, ratio=ratio,
            dct_method="INTEGER_ACCURATE",
        )  # fmt: skip

    def other():
        return tf.image.crop_to_bounding_box(any_format(data), *tf.unstack(window))

    if at_least is None:
        return tf.cond(is_jpeg, jpeg(1), other)
    spare = tf.reduce_min(window[2:]) // at_least
    return tf.case(
        [(~is_jpeg, other), (spare >= 4, jpeg(4)), (spare >= 2, jpeg(2))], default=jpeg(1)
    )


KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}


def resized(x, size, interpolation: str, antialias: bool):
    """(size, size, 3) in float32."""
    tf = tensorflow()
    if antialias:
        scale = tf.cast(size, "float32") / tf.cast(tf.shape(x)[:2], "float32")
        return tf.raw_ops.ScaleAndTranslate(
            images=x[None],
            size=tf.stack([size, size]),
            scale=scale,
            translation=tf.zeros([2]),
            kernel_type=KERNELS[interpolation],
            antialias=True,
        )[0]
    resize = {"bilinear": tf.raw_ops.ResizeBilinear, "bicubic": tf.raw_ops.ResizeBicubic}
    return resize[interpolation](
        images=x[None], size=tf.stack([size, size]), half_pixel_centers=True
    )[0]


def lighting(normal, deviation: float):
    """What is added to all pixels, in grey levels: AlexNet's noise along principal components."""
    tf = tensorflow()
    components = tf.constant(np.array(EIGENVECTORS, "float32") * np.array(EIGENVALUES, "float32"))
    return 255.0 * deviation * tf.linalg.matvec(components, normal)


@dataclasses.dataclass(frozen=True)
class CentreCrop:
    """How an image is made of a file for evaluation: the square in the middle.

    Args:
        resize: length of the shorter side in pixels before the square is cut out.
        interpolation: `"bilinear"` or `"bicubic"`.
        antialias: as PIL does.

    Pixels are those of `keras_resnet.Preprocessing` and so of torchvision's transforms, to one
    grey level: PIL also rounds between rows and columns.
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

    def draws(self, key: np.ndarray) -> np.ndarray:
        return np.zeros((len(key), 1), "float32")

    def image(self, data, is_jpeg, key, draws, size):
        """See `Augmentation.image`: nothing is drawn here."""
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
        x = tf.raw_ops.ScaleAndTranslate(
            images=x[None],
            size=tf.stack([size, size]),
            scale=scale,
            translation=-begin,
            kernel_type=KERNELS[self.interpolation],
            antialias=self.antialias,
        )[0]
        return tf.saturate_cast(tf.floor(x + 0.5), "uint8")
