"""CIFAR-10 as arrays, whatever it comes in."""

import io

import numpy as np
import pytest
from support.data import write

from keras_resnet.data import cifar10, open_images

pytestmark = pytest.mark.once


def jpeg(pixels: np.ndarray) -> bytes:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "jpeg", quality=100)
    return packed.getvalue()


def cifar_files(size=32) -> dict[str, bytes]:
    gray = np.full((size, size, 3), 128, "uint8")
    return {f"{part}/{name}/{n}.jpg": jpeg(gray + n)
            for part in ("train", "test") for name in cifar10.CLASSES for n in (0, 1)}  # fmt: skip


def test_cifar10_comes_from_a_folder_of_images(tmp_path):
    (x, y), (x_test, y_test) = cifar10.load_data(write(tmp_path, cifar_files()))
    assert x.shape == x_test.shape == (20, 32, 32, 3)
    assert x.dtype == "uint8"
    assert y.tolist() == y_test.tolist() == np.repeat(range(10), 2).tolist()
    assert y.dtype == "int64"
    assert x[0].max() == 128
    assert x[1].max() == 129
    mean = cifar10.mean_image(x)
    assert mean.shape == (32, 32, 3)
    assert mean.dtype == "float32"
    assert (mean == 128.5).all()


def test_what_is_not_cifar10_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"0.jpg is not of 32x32 pixels. Received: \(8, 8\)"):
        cifar10.load_data(write(tmp_path / "small", cifar_files(8)))
    bad = cifar_files() | {"train/bird/0.jpg": b"no image"}
    with pytest.raises(ValueError, match=r"train/bird/0.jpg cannot be read as an image"):
        cifar10.load_data(write(tmp_path / "bad", bad))
    with pytest.raises(ValueError, match=r"expected the classes airplane, .* Received: cat, dog"):
        cifar10.load_data(write(tmp_path / "other", {
            f"{part}/{name}/1.jpg": b"" for part in ("train", "test") for name in ("cat", "dog")
        }))  # fmt: skip


def test_keras_download_has_the_same_form(monkeypatch):
    x, y = np.zeros((3, 32, 32, 3), "uint8"), np.array([[6], [9], [9]], "uint8")
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: ((x, y), (x[:1], y[:1])))
    (_, labels), (_, test_labels) = cifar10.load_data()
    assert labels.tolist() == [6, 9, 9]
    assert test_labels.dtype == "int64"


def test_the_jpegs_of_cifar10_are_read_from_their_zip(shared_data):
    test = open_images(shared_data / "cifar10-jpeg.zip", "test")
    assert len(test) == 10_000
    assert test.class_names == cifar10.CLASSES
    assert np.bincount([test.label(i) for i in range(len(test))]).tolist() == [1000] * 10
