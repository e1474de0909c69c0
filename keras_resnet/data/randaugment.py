"""RandAugment as ResNet strikes back has it, as a graph of tf.data.

keras.layers.RandAugment is another policy: its rotations reach 180 degrees, strengths are uniform
up to a bound, and Invert and SolarizeAdd are absent. This one has the operations, strengths and
probabilities of timm's `rand-m7-mstd0.5-inc1`, whose figures the paper reports (Wightman et al.
2021, arXiv:2110.00476), with the arithmetic of PIL.
"""

import dataclasses
import functools

import numpy as np

from keras_resnet.data.order import normals

OPERATIONS = (
    *("none", "auto_contrast", "equalize", "invert", "rotate", "posterize", "solarize"),
    *("solarize_add", "color", "contrast", "brightness", "sharpness", "shear_x", "shear_y"),
    *("translate_x", "translate_y"),
)
FILL = (124, 116, 104)  # ImageNet's mean, where a moved image leaves a gap
DRAWS = 5  # of an operation: which, whether, which direction, and two for the strength


@dataclasses.dataclass(frozen=True)
class RandAugment:
    """So many operations of 15, each drawn anew, each done with a probability of one half.

    Args:
        magnitude: mean strength, from 0 to 10.
        deviation: standard deviation of the strength.
        operations: how many in a row.

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
        """Numbers in OPERATIONS and their arguments, each (n, operations), from (n, draws)."""
        which, done, sign, *pair = np.moveaxis(
            uniform.reshape(len(uniform), self.operations, DRAWS), -1, 0
        )
        number = np.where(done < 0.5, 1 + (which * (len(OPERATIONS) - 1)).astype("int32"), 0)
        noise = normals(np.stack(pair, axis=-1))[..., 0]
        level = np.clip(self.magnitude + self.deviation * noise, 0, 10) / 10
        signed = np.where(sign < 0.5, -level, level)
        arguments = [argument(name, level, signed) for name in OPERATIONS]
        chosen = np.take_along_axis(np.stack(arguments), number[None], axis=0)[0]
        return number.astype("int32"), chosen.astype("float32")


def argument(name: str, level: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """What a strength of 0 to 1 means to an operation."""
    if name == "rotate":
        return 30 * signed  # degrees
    if name == "posterize":
        return 4 - np.floor(4 * level)  # bits that are kept
    if name == "solarize":
        return 256 - np.floor(256 * level)  # grey level from which on values are inverted
    if name == "solarize_add":
        return np.floor(110 * level)  # grey levels
    if name in ("color", "contrast", "brightness", "sharpness"):
        return np.maximum(0.1, 1 + 0.9 * signed)  # 1 changes nothing
    if name.startswith("shear"):
        return 0.3 * signed  # pixels a pixel
    if name.startswith("translate"):
        return 0.45 * signed  # part of the side
    return np.zeros_like(level)


def augmented(x, numbers, arguments):
    """Applies operations one after the other to an image.

    Args:
        x: (height, width, 3), float32 of whole grey levels.
        numbers, arguments: (operations,) tensors of `RandAugment.drawn`.
    """
    for i in range(numbers.shape[0]):
        x = operation()(x, numbers[i], arguments[i])
    return x


@functools.cache
def operation():
    """One operation by its number, as a graph that is made once."""
    import tensorflow as tf

    signature = [
        tf.TensorSpec([None, None, 3], "float32"),
        tf.TensorSpec([], "int32"),
        tf.TensorSpec([], "float32"),
    ]

    @tf.function(input_signature=signature, autograph=False)
    def chosen(x, number, argument):
        branches = [functools.partial(apply, name, x, argument) for name in OPERATIONS]
        return tf.switch_case(number, branches)

    return chosen


def apply(name: str, x, value):
    """One operation on whole grey levels, which stay whole."""
    import tensorflow as tf

    if name == "none":
        return x
    if name == "invert":
        return 255.0 - x
    if name == "posterize":
        step = tf.pow(2.0, 8.0 - value)
        return tf.floor(x / step) * step
    if name == "solarize":
        return tf.where(x < value, x, 255.0 - x)
    if name == "solarize_add":
        return tf.where(x < 128, tf.minimum(x + value, 255.0), x)
    if name == "auto_contrast":
        return auto_contrast(x)
    if name == "equalize":
        return equalize(x)
    if name in DEGENERATE:
        base = DEGENERATE[name](x)
        return tf.floor(tf.clip_by_value(base + value * (x - base), 0, 255))
    return moved(name, x, value)


def auto_contrast(x):
    """Each channel from 0 to 255."""
    import tensorflow as tf

    low, high = tf.reduce_min(x, [0, 1]), tf.reduce_max(x, [0, 1])
    # In PIL's precision and order: a result just below a whole level is one level less.
    scale = tf.math.divide_no_nan(tf.constant(255.0, "float64"), tf.cast(high - low, "float64"))
    stretched = tf.cast(x, "float64") * scale - tf.cast(low, "float64") * scale
    stretched = tf.floor(tf.clip_by_value(stretched, 0, 255))
    return tf.where(high > low, tf.cast(stretched, "float32"), x)


def equalize(x):
    """Each channel so that all grey levels are as frequent, as far as whole levels allow."""
    import tensorflow as tf

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


def grey(x):
    """ITU-R 601 luma, in PIL's whole numbers."""
    import tensorflow as tf

    weights = tf.constant([19595.0, 38470.0, 7471.0], "float64")
    luma = tf.linalg.matvec(tf.cast(x, "float64"), weights)
    return tf.cast(tf.floor((luma + 32768) / 65536), "float32")[..., None]


def mean_grey(x):
    import tensorflow as tf

    return tf.floor(tf.reduce_mean(grey(x)) + 0.5)


def smoothed(x):
    """PIL's SMOOTH: each pixel counts 5 of 13, its neighbours 1; the edge is left."""
    import tensorflow as tf

    kernel = np.ones((3, 3, 1, 1), "float32")
    kernel[1, 1] = 5
    kernel = tf.constant(np.tile(kernel, (1, 1, 3, 1)) / 13)
    inner = tf.nn.depthwise_conv2d(x[None], kernel, [1, 1, 1, 1], "VALID")[0]
    inner = tf.clip_by_value(tf.floor(inner + 0.5), 0, 255)
    inside = tf.pad(tf.ones_like(inner), [[1, 1], [1, 1], [0, 0]])
    return tf.where(inside > 0, tf.pad(inner, [[1, 1], [1, 1], [0, 0]]), x)


DEGENERATE = {
    "color": grey,
    "contrast": mean_grey,
    "brightness": lambda x: 0.0,
    "sharpness": smoothed,
}


def moved(name: str, x, value):
    """Rotated, sheared or shifted; bilinear, and gaps are filled with the mean colour."""
    import tensorflow as tf

    height, width = tf.unstack(tf.cast(tf.shape(x)[:2], "float32"))
    one, zero = tf.constant(1.0), tf.constant(0.0)
    # Where in the image the middle of pixel (x, y) comes from: (a x + b y + c, d x + e y + f).
    if name == "rotate":
        # PIL turns against the clock, and rounds the matrix.
        angle = value * (-np.pi / 180)
        cos, sin = tf.cos(angle), tf.sin(angle)
        across, down = width / 2, height / 2
        a, b, c = cos, sin, across - cos * across - sin * down
        d, e, f = -sin, cos, down + sin * across - cos * down
    elif name == "shear_x":
        a, b, c, d, e, f = one, value, zero, zero, one, zero
    elif name == "shear_y":
        a, b, c, d, e, f = one, zero, zero, value, one, zero
    elif name == "translate_x":
        a, b, c, d, e, f = one, zero, value * width, zero, one, zero
    else:
        a, b, c, d, e, f = one, zero, zero, zero, one, value * height
    # TensorFlow counts from the middle of the first pixel, PIL from its edge.
    c, f = c + (a + b - 1) / 2, f + (d + e - 1) / 2
    fill = tf.constant(FILL, "float32")
    result = tf.raw_ops.ImageProjectiveTransformV3(
        images=(x - fill)[None],
        transforms=tf.stack([a, b, c, d, e, f, zero, zero])[None],
        output_shape=tf.shape(x)[:2],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )[0]
    return tf.clip_by_value(tf.floor(result + fill + 0.5), 0, 255)
