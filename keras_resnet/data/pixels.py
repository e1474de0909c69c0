"""Decoding and resizing of one image and mixing of two, as graphs of tf.data."""

from typing import Any

from keras_resnet.layers import backend

KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}
JPEG_OPTIONS = {
    "channels": 3,
    # TensorFlow's default is libjpeg's fast DCT, "sacrificing image quality for speed". The exact
    # one is not measurably slower, and PIL and torchvision use it.
    "dct_method": "INTEGER_ACCURATE",
}


def tensorflow() -> Any:
    """The module, or an ImportError with the command that installs it."""
    try:
        return backend.tensorflow()
    except ImportError as error:
        raise ImportError(
            "Image files are read by tf.data, on every backend: "
            'pip install "keras3-resnet[tensorflow-cpu]"'
        ) from error


class LazyTensorFlow:
    """TensorFlow, imported at the first use of one of its names."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python asks every object for special names
            raise AttributeError(name)
        return getattr(tensorflow(), name)


tf: Any = LazyTensorFlow()


def any_format(data):
    """A PNG, GIF (its first frame), BMP or WebP in RGB, uint8."""
    x = tf.io.decode_image(data, channels=3, expand_animations=False)
    x.set_shape([None, None, 3])
    return x


def decoded(data, is_jpeg):
    """All pixels of an image in RGB, uint8."""
    return tf.cond(
        is_jpeg, lambda: tf.io.decode_jpeg(data, **JPEG_OPTIONS), lambda: any_format(data)
    )


def decoded_window(data, is_jpeg, window, at_least=None):
    """The window of an image in RGB, uint8. Only these rows and columns of a JPEG are decoded.

    With `at_least`, a JPEG is decoded at a half or a quarter of its size if the window then has
    at least this number of pixels on each side.
    """

    def jpeg(ratio: int):
        scaled = window // ratio if ratio > 1 else window
        return lambda: tf.io.decode_and_crop_jpeg(data, scaled, ratio=ratio, **JPEG_OPTIONS)

    def other():
        return tf.image.crop_to_bounding_box(any_format(data), *tf.unstack(window))

    if at_least is None:
        return tf.cond(is_jpeg, jpeg(1), other)
    spare = tf.reduce_min(window[2:]) // at_least
    return tf.case(
        [(~is_jpeg, other), (spare >= 4, jpeg(4)), (spare >= 2, jpeg(2))], default=jpeg(1)
    )


def resized(x, size, interpolation: str, antialias: bool):
    """An image (height, width, 3) resized to (size, size, 3), float32."""
    square = tf.stack([size, size])
    if antialias:
        scale = tf.cast(size, "float32") / tf.cast(tf.shape(x)[:2], "float32")
        return placed(x, square, scale, tf.zeros([2]), interpolation, True)
    resize = {"bilinear": tf.raw_ops.ResizeBilinear, "bicubic": tf.raw_ops.ResizeBicubic}
    return resize[interpolation](images=x[None], size=square, half_pixel_centers=True)[0]


def placed(x, square, scale, translation, interpolation: str, antialias: bool):
    """An image that is scaled, moved and cropped to `square`, float32."""
    return tf.raw_ops.ScaleAndTranslate(
        images=x[None],
        size=square,
        scale=scale,
        translation=translation,
        kernel_type=KERNELS[interpolation],
        antialias=antialias,
    )[0]


def rounded(x, bounded: bool):
    """Rounds to uint8. `bounded` says that no value is below 0 or above 255."""
    return tf.cast(x + 0.5, "uint8") if bounded else tf.saturate_cast(tf.floor(x + 0.5), "uint8")


def mixed_pair(x, label, kept, box, classes: int):
    """`keras_resnet.data.mixing.mixed` of two images."""
    labels = tf.one_hot(label, classes)
    labels = kept * labels + (1 - kept) * labels[::-1]

    def cut():
        rows, columns = tf.range(tf.shape(x)[1]), tf.range(tf.shape(x)[2])
        inside = ((rows >= box[0]) & (rows < box[1]))[:, None]
        inside &= ((columns >= box[2]) & (columns < box[3]))[None]
        return tf.where(inside[None, ..., None], x[::-1], x)

    def blend():
        pixels = tf.cast(x, "float32")
        return rounded(kept * pixels + (1 - kept) * pixels[::-1], bounded=True)

    return tf.cond(tf.reduce_any(box != 0), cut, blend), labels
