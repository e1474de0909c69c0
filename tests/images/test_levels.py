"""Every way in takes and refuses the same images: a file, a PIL image, an array, a list."""

import io
import os

import numpy as np
import pytest

from keras_resnet.data.decoding import decoded
from keras_resnet.images.classification import rgb
from keras_resnet.images.preprocessing import Preprocessing, preprocess_input

pytestmark = pytest.mark.once
Image = pytest.importorskip("PIL.Image")
DEEP = np.linspace(0, 65535, 64).astype("uint16").reshape(8, 8)


def file_of(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def test_gray_levels_of_16_bits_are_refused_as_a_file_and_as_an_object():
    image = Image.fromarray(DEEP)
    for read in (lambda: decoded(file_of(image), "a.png"), lambda: rgb(image)):
        with pytest.raises(ValueError, match="gray levels of more than 8 bits"):
            read()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((8, 8, 3), 300, "uint16"), "Received: 300 to 300"),
        (np.full((8, 8, 3), -2.0), "Received: -2 to -2"),
        (np.full((8, 8, 3), np.nan), "Received: nan to nan"),
        (np.full((8, 8, 3), "a"), "Received: an array of <U1"),
        (np.full((8, 8, 3), 1j), "Received: an array of complex128"),
        (np.zeros((0, 0, 3), "uint8"), r"shape \(0, 0, 3\)"),
    ],
)
def test_other_numbers_than_levels_are_refused(values, message):
    ways = rgb, Preprocessing("tv2"), lambda x: preprocess_input(x, "tv2")
    for way in ways:
        with pytest.raises(ValueError, match=message):
            way(values)


def test_levels_of_0_to_1_are_warned_of_with_the_range_seen():
    values = np.linspace(0, 1, 8 * 8 * 3, dtype="float32").reshape(8, 8, 3)
    for way in (rgb, Preprocessing("tv2"), lambda x: preprocess_input(x, "tv2")):
        with pytest.warns(UserWarning, match="these are from 0 to 1: multiply them by 255"):
            way(values)


def test_a_list_is_taken_as_the_array_it_is():
    values = np.arange(8 * 8 * 3).reshape(8, 8, 3)
    np.testing.assert_array_equal(
        preprocess_input(values.tolist(), "tv2"), preprocess_input(values, "tv2")
    )
    assert tuple(Preprocessing("tv2")(values.tolist()).shape) == (224, 224, 3)


def test_a_pipe_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="`image` must be a file"):
        rgb(tmp_path / "a.jpg")
