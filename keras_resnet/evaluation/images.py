"""Where images come from: encoded files in a collection, or arrays in memory."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_resnet.data import Images
from keras_resnet.data.decoding import decoded


class Files:
    """Images of a collection as RGB arrays.

    Raises:
        ValueError: there are no images, a label is of no class, or (later) a file is no image;
            the message names the file.
    """

    whole = False  # images are decoded, resized and normalized here

    def __init__(self, images: Images, classes: int):
        if not len(images):
            raise ValueError("There are no images to evaluate on. Received: an empty collection")
        self.images = images
        self.class_names = tuple(images.class_names)
        mapping = label_mapping(self.class_names, classes)
        raw = [int(images.label(index)) for index in range(len(images))]
        for index, label in enumerate(raw):
            if not 0 <= label < len(mapping):
                raise ValueError(
                    f"The label of {images.name(index)} must be from 0 to {len(mapping) - 1}. "
                    f"Received: {label}"
                )
        self.labels = np.array([mapping[label] for label in raw])
        synsets = classes == 1000 and all(re.fullmatch(r"n\d{8}", x) for x in self.class_names)
        if synsets or mapping != list(range(classes)):
            self.class_names = names_of_classes(classes)

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        return str(self.images.name(index))

    def describe(self) -> dict[str, Any]:
        return {"kind": "files", "images": len(self)}

    def read(self, index: int) -> bytes:
        return self.images.read(index)

    def pixels(self, raw: bytes, index: int) -> np.ndarray:
        """What was read, as RGB: uint8 (height, width, 3)."""
        return decoded(raw, self.name(index))


class Arrays:
    """Images in memory: uint8 RGB ones are treated as files are, others are taken as they are.

    Raises:
        ValueError: the shapes do not agree, there are none, or a label is of no class.
    """

    def __init__(self, images: Any, labels: Any, classes: int):
        images, labels = np.asarray(images), np.asarray(labels).reshape(-1)
        if images.ndim != 4 or not len(images) or len(images) != len(labels):
            raise ValueError(
                "Arrays must be images (n, height, width, channels) and n labels, n at least 1. "
                f"Received: shapes {images.shape} and {labels.shape}"
            )
        if labels.dtype.kind not in "iu":
            raise ValueError(f"Labels must be integers. Received: labels of {labels.dtype}")
        outside = np.flatnonzero((labels < 0) | (labels >= classes))
        if len(outside):
            raise ValueError(
                f"The label of image {outside[0]} must be from 0 to {classes - 1}. "
                f"Received: {labels[outside[0]]}"
            )
        self.whole = images.dtype != np.uint8
        if self.whole and images.dtype.kind != "f":
            raise ValueError(
                "Arrays must be uint8 RGB images, or of floating point and normalized already. "
                f"Received: {images.dtype}"
            )
        if not self.whole and images.shape[-1] != 3:
            raise ValueError(
                f"uint8 images must be RGB, (n, height, width, 3). Received: shape {images.shape}"
            )
        self.images, self.labels = images, labels.astype("int64")
        self.class_names = names_of_classes(classes)

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        return f"image {index}"

    def describe(self) -> dict[str, Any]:
        return {"kind": "arrays", "images": len(self)}

    def read(self, index: int) -> np.ndarray:
        return self.images[index]

    def pixels(self, raw: np.ndarray, index: int) -> np.ndarray:
        return raw


def source_of(data: Any, classes: int) -> Files | Arrays:
    """`data` of `evaluate` as something with labels, names and pixels."""
    if isinstance(data, tuple | list) and len(data) == 2:
        return Arrays(data[0], data[1], classes)
    if all(hasattr(data, name) for name in ("read", "label", "name", "class_names", "__len__")):
        return Files(data, classes)
    raise ValueError(
        "`data` must be a collection of image files, as keras_resnet.data.open_images returns, "
        f"or a pair of arrays (images, labels). Received: {type(data).__name__}"
    )


def label_mapping(class_names: Sequence[str], classes: int) -> list[int]:
    """The network's label for each label of the data.

    Folders named by WordNet ids may be some of ImageNet's 1000; any other data must have
    exactly the classes of the network.
    """
    if len(class_names) == classes:
        return list(range(classes))
    if classes == 1000 and all(re.fullmatch(r"n\d{8}", name) for name in class_names):
        from keras_resnet.images.classification import imagenet_classes

        known = {synset: label for label, (synset, _) in enumerate(imagenet_classes())}
        unknown = [name for name in class_names if name not in known]
        if not unknown:
            return [known[name] for name in class_names]
        raise ValueError(f"Not among ImageNet's 1000 classes. Received: {', '.join(unknown[:5])}")
    raise ValueError(
        f"The network has {classes} classes and the data has {len(class_names)}: labels "
        f"would mean other things. Received: {', '.join(map(str, class_names[:5]))}, ..."
    )


def names_of_classes(classes: int) -> tuple[str, ...]:
    if classes == 1000:
        from keras_resnet.images.classification import imagenet_classes

        return tuple(name for _, name in imagenet_classes())
    return tuple(str(label) for label in range(classes))
