"""CIFAR-10 as arrays: from Keras' download, or from a folder or an archive of image files."""

import os

import keras
import numpy as np

from keras_resnet.data.classes import CIFAR10 as CLASSES
from keras_resnet.data.decoding import decoded
from keras_resnet.data.sources import Images, open_splits

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike | None = None) -> tuple[Split, Split]:
    """Loads CIFAR-10: 50,000 training and 10,000 test images of 32x32 pixels.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html.

    Args:
        path: a folder, zip or tar with the parts `train` and `test`, each with a folder per
            class; None lets `keras.datasets.cifar10` download and cache the original.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images (n, 32, 32, 3) in uint8, channels last;
        labels (n,) in int64 in the order of `CLASSES`, which is alphabetical.

    Raises:
        FileNotFoundError: there is no such path.
        ValueError: a part is missing, has other classes, or an image is not of 32x32 pixels or
            cannot be read. The message names the file.
        ImportError: files need Pillow, which is not installed.
    """
    if path is None:
        (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
        return (x_train, y_train[:, 0].astype("int64")), (x_test, y_test[:, 0].astype("int64"))
    train, test = open_splits(path, "train", "test")
    return arrays(train, path), arrays(test, path)


def arrays(images: Images, path) -> Split:
    """All images and labels of a part."""
    if images.class_names != CLASSES:
        raise ValueError(
            f"{path} is not of CIFAR-10: expected the classes {', '.join(CLASSES)}. "
            f"Received: {', '.join(images.class_names[:20])}"
        )
    x = np.empty((len(images), 32, 32, 3), "uint8")
    for i in range(len(images)):
        pixels = decoded(images.read(i), images.name(i))
        if pixels.shape != x.shape[1:]:
            raise ValueError(
                f"{images.name(i)} is not of 32x32 pixels. Received: {pixels.shape[:2]}"
            )
        x[i] = pixels
    return x, np.array([images.label(i) for i in range(len(images))], "int64")


def mean_image(x: np.ndarray) -> np.ndarray:
    """The per-pixel mean of the training images, which Sec. 4.2 subtracts from all images.

    Args:
        x: (n, height, width, channels).

    Returns:
        (height, width, channels) in float32.

    Example:

    >>> mean_image(np.array([[[[1, 2, 3]]], [[[3, 4, 5]]]], "uint8")).tolist()
    [[[2.0, 3.0, 4.0]]]
    """
    return x.mean(axis=0, dtype="float64").astype("float32")
