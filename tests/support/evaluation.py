"""What the tests of evaluation share: image files, collections, a slow independent metric."""

import io
import zipfile

import keras
import numpy as np

from keras_resnet.evaluation import evaluate
from keras_resnet.weights import ImageRule
from support import filled, random


def small_rule(size=32, **changes):
    return ImageRule(size=size, **changes)


def picture(height: int, width: int, label: str = "picture") -> np.ndarray:
    """A smooth colored image, uint8, so that resizing has something to do."""
    coarse = random(label).integers(0, 256, (8, 8, 3), dtype="uint8")
    from PIL import Image

    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(pixels, kind: str = "PNG", mode: str = "RGB") -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


class Collection:
    """Image files in memory: a stand-in for what `keras_resnet.data` opens."""

    def __init__(self, files: list[bytes], labels: list[int], class_names):
        self.files, self.labels, self.class_names = files, labels, tuple(class_names)
        self.reads: list[int] = []

    def __len__(self):
        return len(self.files)

    def label(self, index):
        return self.labels[index]

    def name(self, index):
        return f"folder/{index}.jpg"

    def read(self, index):
        self.reads.append(index)
        return self.files[index]


class Cifar(Collection):
    """Every n-th image of the real CIFAR-10 test folder."""

    def __init__(self, folder, every: int):
        with zipfile.ZipFile(folder / "cifar10-jpeg.zip") as archive:
            names = [name for name in archive.namelist() if name.startswith("test/")]
            names = sorted(name for name in names if name.endswith(".jpg"))[::every]
            folders = sorted({name.split("/")[1] for name in names})
            labels = [folders.index(name.split("/")[1]) for name in names]
            super().__init__([archive.read(name) for name in names], labels, folders)


def in_format(images: np.ndarray) -> np.ndarray:
    """Images as the configured data format has them."""
    if keras.config.image_data_format() == "channels_first":
        return np.ascontiguousarray(np.moveaxis(images, -1, -3))
    return images


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


CLASSES = 7


def small_network():
    """A network of 32 pixels and 7 classes, with weights that the backend does not change."""
    return filled("cifar_resnet8", classes=CLASSES)


def collection(count=9, shape=(40, 50)):
    files = [encoded(picture(*shape, label=f"picture {index}")) for index in range(count)]
    return Collection(files, [index % CLASSES for index in range(count)], "abcdefg")


def run(model, data, protocol="1-crop", record=None, **options):
    return evaluate(model, data, protocol, record or small_rule(), **{"verbose": 0, **options})
