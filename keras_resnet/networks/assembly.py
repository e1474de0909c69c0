"""What every network shares: from the image to its features, and from features to outputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from keras_resnet.graph import channel_axis
from keras_resnet.layers import BatchNormalization, Conv2D, MaxPooling2D
from keras_resnet.network import Network
from keras_resnet.networks.options import Options


@dataclass(frozen=True)
class Kit:
    """The classes a builder builds with."""

    Conv2D: Any
    BatchNormalization: Any
    MaxPooling2D: Any
    Model: Any


# By the name a builder's argument `layers` gives them.
KITS = {
    "fast": Kit(Conv2D, BatchNormalization, MaxPooling2D, Network),
    "keras": Kit(
        keras.layers.Conv2D,
        keras.layers.BatchNormalization,
        keras.layers.MaxPooling2D,
        keras.Model,
    ),
}


def classifier(x, classes, activation, *, initializer=keras.initializers.GlorotUniform, name="fc"):
    """The last fully connected layer, in float32 at least."""
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    dtype = "float32" if half else None
    return layers.Dense(
        classes, activation, kernel_initializer=initializer(), dtype=dtype, name=name
    )(x)


def connect(
    image,
    body: Callable[[Any], Any],
    top: Callable[[Any], Any],
    options: Options,
    *,
    include_top: bool,
    pooling: str | None,
    name: str | None,
) -> keras.Model:
    """A model of `image`, a symbolic 4-D tensor.

    Args:
        image: what it reads.
        body: from the normalised image to the last map.
        top: from there to the outputs.
        options: `include_preprocessing` and `layers` are read here.
        include_top, pooling, name: as in `keras_resnet.build`.
    """
    x = image
    if options.include_preprocessing:
        variance = [std**2 for std in options.std]
        x = layers.Normalization(channel_axis(), options.mean, variance, name="preprocessing")(x)
    x = body(x)
    if include_top:
        x = top(x)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="pool")(x)
    sources = keras.utils.get_source_inputs(image)
    return KITS[options.layers].Model(sources[0] if len(sources) == 1 else sources, x, name=name)
