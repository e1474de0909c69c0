"""RandAugment as in "ResNet strikes back", and photometric distortions, as graphs of tf.data.

keras.layers.RandAugment is another policy: its rotations reach 180 degrees, strengths are uniform
up to a bound, and Invert and SolarizeAdd are absent. This one has the operations, strengths and
probabilities of timm's `rand-m7-mstd0.5-inc1`, with which the paper was trained (Wightman et al.
2021, arXiv:2110.00476), and the arithmetic of PIL.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.order import normals
from keras_resnet.data.pixels import tf

FILL = (124, 116, 104)  # ImageNet's mean, for the gaps at the edge of a moved image
DRAWS = 5  # of an operation: which, whether, which direction, and two for the strength


@checked()
@dataclasses.dataclass(frozen=True)
class RandAugment:
    """Applies random operations of 15, each with a probability of one half.

    RandAugment (arXiv:1909.13719) as timm has it, with which "ResNet strikes back"
    (arXiv:2110.00476, Table 2) trains.

    Args:
        magnitude: mean strength, from 0 to 10.
        deviation: standard deviation of the strength.
        operations: number of operations, one after the other.

    Raises:
        ValueError: an argument is out of range.

    Example, of A2 and of A3:

    >>> RandAugment(7), RandAugment(6)
    (RandAugment(magnitude=7, deviation=0.5, operations=2), RandAugment(magnitude=6, ...))
    """

    magnitude: float
    deviation: float = 0.5
    operations: int = 2

    def __post_init__(self):
        if not 0 <= self.magnitude <= 10 or self.deviation < 0 or self.operations < 1:
            raise ValueError(
                "`magnitude` must be from 0 to 10, `deviation` at least 0 and `operations` at "
                f"least 1. Received: {self}"
            )

    @property
    def draws(self) -> int:
        return DRAWS * self.operations

    def drawn(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers in `NAMES` and arguments, each (n, operations), from uniform draws (n, draws)."""
        which, done, sign, *pair = np.moveaxis(
            uniform.reshape(len(uniform), self.operations, DRAWS), -1, 0
        )
        number = np.where(done < 0.5, 1 + (which * (len(NAMES) - 1)).astype("int32"), 0)
        noise = normals(np.stack(pair, axis=-1))[..., 0]
        level = np.clip(self.magnitude + self.deviation * noise, 0, 10) / 10
        signed = np.where(sign < 0.5, -level, level)
        arguments = [row.argument(level, signed) for row in OPERATIONS.values()]
        chosen = np.take_along_axis(np.stack(arguments), number[None], axis=0)[0]
        return number.astype("int32"), chosen.astype("float32")


@checked()
@dataclasses.dataclass(frozen=True)
class Photometric:
    """Changes contrast, brightness and color in a random order, as PIL's enhancers do.

    Source: Howard, "Some Improvements on Deep Convolutional Neural Network Based Image
    Classification", arXiv:1312.5402. GoogLeNet and BN-Inception were trained with them.

    Args:
        strength: each is multiplied by a random factor from 1 - strength to 1 + strength.

    Raises:
        ValueError: `strength` is out of range.

    Example:

    >>> Photometric(0.5).drawn(np.array([[0.1, 0.5, 0.2, 0.9, 0.4, 0.6]]))[1].round(2)
    array([[1. , 0.7, 0.6]], dtype=float32)
    """

    strength: float

    def __post_init__(self):
        if not 0 < self.strength <= 1:
            raise ValueError(
                f"`strength` must be above 0 and at most 1. Received: strength={self.strength}"
            )

    @property
    def draws(self) -> int:
        return 2 * len(DISTORTED)

    def drawn(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers in `NAMES` and their factors, each (n, 3), from uniform draws (n, 6)."""
        factor, place = np.split(uniform, 2, axis=1)
        order = np.argsort(place, axis=1)
        factor = 1 + self.strength * (2 * factor - 1)
        numbers = np.array(DISTORTED)[order].astype("int32")
        return numbers, np.take_along_axis(factor, order, axis=1).astype("float32")


def augmented(x, numbers, arguments):
    """Applies the operations `numbers` (k,) with `arguments` (k,) one after the other.

    The image x is (height, width, 3) in float32, with integers.
    """
    for i in range(numbers.shape[0]):
        x = operation()(x, numbers[i], arguments[i])
    return x


@functools.cache
def operation():
    """A function of an image, an operation's number and its argument, traced only once."""
    signature = [
        tf.TensorSpec([None, None, 3], "float32"),
        tf.TensorSpec([], "int32"),
        tf.TensorSpec([], "float32"),
    ]

    @tf.function(input_signature=signature, autograph=False)
    def chosen(x, number, argument):
        branches = [functools.partial(row.apply, x, argument) for row in OPERATIONS.values()]
        return tf.switch_case(number, branches)

    return chosen


def auto_contrast(x, _):
    """Stretches each channel to 0 to 255."""
    low, high = tf.reduce_min(x, [0, 1]), tf.reduce_max(x, [0, 1])
    # In PIL's precision and order: a result just below an integer becomes one level less.
    scale = tf.math.divide_no_nan(tf.constant(255.0, "float64"), tf.cast(high - low, "float64"))
    stretched = tf.cast(x, "float64") * scale - tf.cast(low, "float64") * scale
    stretched = tf.floor(tf.clip_by_value(stretched, 0, 255))
    return tf.where(high > low, tf.cast(stretched, "float32"), x)


def equalize(x, _):
    """Makes the gray levels of each channel equally frequent, as far as integers allow."""
    levels = tf.cast(x, "int32")
    channels = []
    for c in range(3):
        channel = levels[..., c]
        count = tf.math.bincount(tf.reshape(channel, [-1]), minlength=256, maxlength=256)
        last = count[tf.reduce_max(channel)]
        step = (tf.reduce_sum(count) - last) // 255
        below = tf.cumsum(count, exclusive=True)
        table = tf.minimum((step // 2 + below) // tf.maximum(step, 1), 255)
        table = tf.where(step > 0, table, tf.range(256))
        channels.append(tf.gather(table, channel))
    return tf.cast(tf.stack(channels, axis=-1), "float32")


def posterize(x, bits):
    step = tf.pow(2.0, 8.0 - bits)
    return tf.floor(x / step) * step


def gray(x):
    """ITU-R 601 luma, in PIL's integer arithmetic."""
    weights = tf.constant([19595.0, 38470.0, 7471.0], "float64")
    luma = tf.linalg.matvec(tf.cast(x, "float64"), weights)
    return tf.cast(tf.floor((luma + 32768) / 65536), "float32")[..., None]


def smoothed(x):
    """PIL's SMOOTH: weights of 5/13 for a pixel and 1/13 for its neighbors; edges are unchanged."""
    kernel = np.ones((3, 3, 1, 1), "float32")
    kernel[1, 1] = 5
    kernel = tf.constant(np.tile(kernel, (1, 1, 3, 1)) / 13)
    inner = tf.nn.depthwise_conv2d(x[None], kernel, [1, 1, 1, 1], "VALID")[0]
    inner = tf.clip_by_value(tf.floor(inner + 0.5), 0, 255)
    inside = tf.pad(tf.ones_like(inner), [[1, 1], [1, 1], [0, 0]])
    return tf.where(inside > 0, tf.pad(inner, [[1, 1], [1, 1], [0, 0]]), x)


def rotate(x, degrees):
    """Rotates counterclockwise around the middle."""
    height, width = sides(x)
    angle = degrees * (-np.pi / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    across, down = width / 2, height / 2
    c, f = across - cos * across - sin * down, down + sin * across - cos * down
    return moved(x, cos, sin, c, -sin, cos, f)


def sides(x):
    return tf.unstack(tf.cast(tf.shape(x)[:2], "float32"))


def moved(x, a=1.0, b=0.0, c=0.0, d=0.0, e=1.0, f=0.0):
    """Takes the pixel (x, y) from (a x + b y + c, d x + e y + f), bilinear; gaps get `FILL`."""
    # TensorFlow measures from the center of the first pixel, PIL from its edge.
    c, f = c + (a + b - 1) / 2, f + (d + e - 1) / 2
    fill = tf.constant(FILL, "float32")
    result = tf.raw_ops.ImageProjectiveTransformV3(
        images=(x - fill)[None],
        transforms=tf.stack([a, b, c, d, e, f, 0.0, 0.0])[None],
        output_shape=tf.shape(x)[:2],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )[0]
    return tf.clip_by_value(tf.floor(result + fill + 0.5), 0, 255)


class Operation(NamedTuple):
    """An operation of RandAugment: what it does, and the argument for a strength of 0 to 1.

    `apply` is a function of an image of integers and an argument. `argument` is a function of
    the strength and of the strength with a random sign.
    """

    apply: Callable[[Any, Any], Any]
    argument: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda level, _: np.zeros_like(level)


def enhancing(degenerate) -> Operation:
    """PIL's ImageEnhance: a blend of the image and its degenerate form; a factor of 1 is none."""

    def apply(x, factor):
        base = degenerate(x)
        return tf.floor(tf.clip_by_value(base + factor * (x - base), 0, 255))

    return Operation(apply, lambda _, signed: np.maximum(0.1, 1 + 0.9 * signed))


def moving(apply, most: float) -> Operation:
    return Operation(apply, lambda _, signed: most * signed)


OPERATIONS = {
    "none": Operation(lambda x, _: x),
    "auto_contrast": Operation(auto_contrast),
    "equalize": Operation(equalize),
    "invert": Operation(lambda x, _: 255.0 - x),
    "rotate": moving(rotate, 30),
    "posterize": Operation(posterize, lambda level, _: 4 - np.floor(4 * level)),
    # From this gray level on values are inverted:
    "solarize": Operation(
        lambda x, start: tf.where(x < start, x, 255.0 - x),
        lambda level, _: 256 - np.floor(256 * level),
    ),
    "solarize_add": Operation(
        lambda x, added: tf.where(x < 128, tf.minimum(x + added, 255.0), x),
        lambda level, _: np.floor(110 * level),
    ),
    "color": enhancing(gray),
    "contrast": enhancing(lambda x: tf.floor(tf.reduce_mean(gray(x)) + 0.5)),
    "brightness": enhancing(lambda x: 0.0),
    "sharpness": enhancing(smoothed),
    "shear_x": moving(lambda x, part: moved(x, b=part), 0.3),
    "shear_y": moving(lambda x, part: moved(x, d=part), 0.3),
    "translate_x": moving(lambda x, part: moved(x, c=part * sides(x)[1]), 0.45),
    "translate_y": moving(lambda x, part: moved(x, f=part * sides(x)[0]), 0.45),
}
NAMES = tuple(OPERATIONS)
DISTORTED = [NAMES.index(name) for name in ("contrast", "brightness", "color")]
