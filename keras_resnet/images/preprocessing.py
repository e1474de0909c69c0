"""What each set of weights expects of an image: resize, crop, normalize."""

import dataclasses
import functools
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_resnet.common.arguments import checked
from keras_resnet.data.decoding import check_levels
from keras_resnet.weights.find import record_named
from keras_resnet.weights.records import ImageRule, Record

DataFormat = Literal["channels_last", "channels_first"]


@checked()
def preprocess_input(x, weights: str | Record = "imagenet", data_format: DataFormat | None = None):
    """Normalizes RGB images of 0 to 255 as a set of weights expects. The input is not changed.

    Args:
        x: images (..., height, width, 3), or (..., 3, height, width) under channels_first, of
            any number type: a NumPy array, a list, or a tensor, symbolic or not.
        weights: a `Record`, its id such as `"resnet50.tv2"`, or a name such as `"tv2"`; by
            default the set that `ResNet50()` starts from.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Returns:
        Images of the same shape in float32, always RGB: kernels that were trained for BGR are
        reversed when they are loaded. (keras.applications returns BGR for some models.)

    Raises:
        ValueError: the weights or the data format are unknown, `x` is not RGB, or an array holds
            other numbers than 0 to 255; of one that ends at 1 a warning says so.
        TypeError: `x` is no array, list or tensor.

    Example:

    >>> import numpy as np
    >>> preprocess_input(np.full((1, 2, 2, 3), 255), "tv").max().round(2)
    np.float32(2.64)
    """
    rule = record_named(weights).image
    data_format = keras.config.image_data_format() if data_format is None else data_format
    channels_first = data_format == "channels_first"
    x = levels(x)
    if not hasattr(x, "shape"):
        raise TypeError(f"`x` must be an array, a list or a tensor. Received: {type(x).__name__}")
    if len(x.shape) < 3 or x.shape[-3 if channels_first else -1] != 3:
        raise ValueError(
            f"`x` must be RGB images with 3 channels, {data_format}. "
            f"Received: shape {tuple(x.shape)}"
        )
    x = x.astype("float32") if isinstance(x, np.ndarray) else ops.cast(x, "float32")
    return normalized(x, rule, channels_first)


def levels(images):
    """A list as an array; the numbers in an array are looked at, those in a tensor are not."""
    images = np.asarray(images) if isinstance(images, list | tuple) else images
    if isinstance(images, np.ndarray):
        check_levels(images)
    return images


def normalized(x, rule: ImageRule, channels_first: bool):
    """(x - mean) / std: NumPy for an array, and keras.ops for a tensor."""
    shape = (3, 1, 1) if channels_first else (3,)
    mean = np.reshape(np.array(rule.mean, "float32"), shape)
    std = np.reshape(np.array(rule.std, "float32"), shape)
    return (x - mean) / std if isinstance(x, np.ndarray) else ops.divide(ops.subtract(x, mean), std)


# More than the float32 rounding of a weighted sum of pixels: a few units of 255 * 2**-24.
HALF_MARGIN = 2.0**-12


@keras.saving.register_keras_serializable("keras_resnet")
class Preprocessing(keras.layers.Layer):
    """Resizes, crops and normalizes RGB images of 0 to 255 as a set of weights expects.

    The shorter side is resized to the record's length, the square in the middle is cut out,
    and the channels are normalized. Resizing rounds to integers after each direction, as PIL
    does, so that the results agree with torchvision's and timm's transforms.

    Args:
        record: a `Record`, its id such as `"resnet50.tv2"`, a name such as `"tv2"`, or an
            `ImageRule` of your own.
        size: side of the square in pixels, if not the record's. The square covers the same part
            of the image, the record's `crop_pct`.
        normalize: False returns pixels of 0 to 255, for a model with
            `include_preprocessing=True`. The old spelling `normalise=` is accepted too.
        data_format: `"channels_last"` or `"channels_first"`; the configured one by default.

    Call with images (height, width, 3) or (batch, height, width, 3) of any number type, or with
    channels first if `data_format` says so. All images of a batch have the same size.

    Returns float32 images (..., size, size, 3).

    Raises:
        ValueError: the record is unknown, `size` is not positive, or the images are not RGB.

    Example:

    >>> import numpy as np
    >>> tuple(Preprocessing("tv2")(np.zeros((2, 300, 400, 3), "uint8")).shape)
    (2, 224, 224, 3)
    """

    @checked(size=(1, 65_535))
    def __init__(
        self,
        record: str | Record | ImageRule,
        size: int | None = None,
        normalize: bool = True,
        data_format: DataFormat | None = None,
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", "float32")
        kwargs.setdefault("trainable", False)
        normalize = kwargs.pop("normalise", normalize)
        super().__init__(autocast=False, **kwargs)
        rule = record if isinstance(record, ImageRule) else record_named(record).image
        if size is not None:
            rule = dataclasses.replace(rule, size=size)
        self.rule, self.normalize = rule, normalize
        self.data_format = data_format or keras.config.image_data_format()

    def __call__(self, images, **kwargs):
        return super().__call__(levels(images), **kwargs)

    def call(self, images):
        channels_first = self.data_format == "channels_first"
        shape = tuple(images.shape)
        if len(shape) not in (3, 4) or shape[-3 if channels_first else -1] != 3:
            raise ValueError(
                "Images must be (height, width, 3) or (batch, height, width, 3), channels "
                f"where the data format {self.data_format!r} has them. Received: shape {shape}"
            )
        x = ops.cast(images, "float32")
        if self.rule.size is not None:
            x = resized_and_cropped(x, self.rule, channels_first)
        return normalized(x, self.rule, channels_first) if self.normalize else x

    def compute_output_spec(self, images):
        size, shape = self.rule.size, list(images.shape)
        if size is not None:
            rows = -2 if self.data_format == "channels_first" else -3
            shape[rows], shape[rows + 1] = size, size
        return keras.KerasTensor(shape, "float32")

    def get_config(self):
        return {
            **super().get_config(),
            "record": dataclasses.asdict(self.rule),
            "normalize": self.normalize,
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config):
        rule = dict(config["record"])
        rule |= {name: tuple(rule[name]) for name in ("mean", "std")}
        return cls(**{**config, "record": ImageRule(**rule)})


def resized_and_cropped(x, rule: ImageRule, channels_first: bool):
    """Multiplies by one matrix along the rows and by one along the columns.

    Only the rows and columns inside the crop are computed.
    """
    rows = -2 if channels_first else -3
    shape = ops.shape(x)
    height, width = shape[rows], shape[rows + 1]
    known = isinstance(height, int) and isinstance(width, int)
    shorter = min(height, width) if known else ops.minimum(height, width)
    resampling = known_resampling if known else functools.partial(resampling_matrix, ops)
    axes = "...hw" if channels_first else "...hwc"
    for length, axis in ((width, "w"), (height, "h")):  # PIL's order
        matrix = ops.cast(resampling(length, shorter, rule), "float32")
        x = whole_levels(ops.einsum(f"{axes},o{axis}->{axes.replace(axis, 'o')}", x, matrix))
    return x


def whole_levels(x):
    """Rounds to integers of 0 to 255: PIL stores 8 bits after each of the two directions.

    Weights are fractions and pixels integers, so halves are common, and float rounding leaves
    them a little below or above. All of them are rounded up, as PIL does, on every device.
    """
    return ops.clip(ops.floor(x + (0.5 + HALF_MARGIN)), 0.0, 255.0)


def resampling_matrix(xp, length, shorter, rule: ImageRule):
    """PIL's weights (size, length) of the pixels of a side in each pixel of the crop.

    `xp` is NumPy, or keras.ops if the length is only known when the graph runs.
    """
    resized = (rule.resize or 0) * length // shorter
    scale = as_double(xp, length) / as_double(xp, resized)
    first = xp.round((as_double(xp, resized) - (rule.size or 0)) / 2)
    center = (xp.arange(rule.size or 0, dtype="float64") + first + 0.5) * scale
    pixels = xp.arange(length, dtype="float64") + 0.5
    widen = xp.maximum(scale, as_double(xp, 1)) if rule.antialias else as_double(xp, 1)
    weights = KERNELS[rule.interpolation](xp, xp.abs(pixels[None] - center[:, None]) / widen)
    return weights / xp.sum(weights, axis=1, keepdims=True)


def as_double(xp, value):
    return np.float64(value) if xp is np else ops.cast(value, "float64")


@functools.lru_cache(maxsize=32)
def known_resampling(length: int, shorter: int, rule: ImageRule):
    return resampling_matrix(np, length, shorter, rule).astype("float32")


def triangle(xp, x):
    return xp.maximum(1 - x, xp.zeros_like(x))


def keys_cubic(xp, x):
    """Keys 1981 with a = -1/2, PIL's bicubic kernel."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return xp.where(x < 1, near, xp.where(x < 2, far, xp.zeros_like(x)))


KERNELS = {"bilinear": triangle, "bicubic": keys_cubic}
