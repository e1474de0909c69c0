"""What becomes of an image's pixels: decoding, windows, lighting, resizing."""

import io

import numpy as np
import pytest
from support.pictures import InMemory, batches, image, packed, picture, whole_jpeg

pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")
import tensorflow as tf  # noqa: E402

from keras_resnet.data import augmentation  # noqa: E402
from keras_resnet.data.augmentation import Augmentation, CentreCrop  # noqa: E402
from keras_resnet.data.order import keys  # noqa: E402
from keras_resnet.data.pipeline import EvaluationBatches  # noqa: E402

pytestmark = pytest.mark.once


ODD = {
    "grey": (packed(picture(), mode="L"), picture().mean(axis=-1, keepdims=True).repeat(3, -1)),
    "one pixel": (packed(picture(0, 1, 1)), picture(0, 1, 1)),
    "png": (packed(picture(), "png"), picture()),
    "grey png": (packed(picture()[..., 0], "png"), picture()[..., :1].repeat(3, -1)),
    "gif": (packed(picture(), "gif"), picture()),
    "bmp": (packed(picture(), "bmp"), picture()),
    "progressive": (packed(picture(), progressive=True), picture()),
    "cmyk": (packed(picture(), mode="CMYK"), picture()),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_images_are_decoded_right(name):
    file, pixels = ODD[name]
    data = EvaluationBatches(InMemory([file]), 1, size=32, crop=CentreCrop(32))
    ((x, _, weights),) = data.batches()
    assert weights.tolist() == [1]
    height, width = pixels.shape[:2]
    side = min(height, width)
    expected = Image.fromarray(pixels.astype("uint8")).resize(
        (32 * width // side, 32 * height // side), Image.Resampling.BILINEAR
    )
    left = round((expected.width - 32) / 2)
    expected = np.asarray(expected)[:32, left : left + 32]
    # GIF has 256 colours for the image.
    assert np.abs(x[0].astype(int) - expected).mean() < (12 if name == "gif" else 3)
    ((x, _),) = batches([file] * 4).batches(0, 1)
    assert np.abs(x.mean(axis=(1, 2)) - pixels.mean(axis=(0, 1))).max() < 40


def test_a_part_of_a_jpeg_is_what_the_whole_has_there():
    whole = tf.io.decode_jpeg(whole_jpeg, dct_method="INTEGER_ACCURATE").numpy()
    for window in ([0, 0, 200, 200], [17, 33, 50, 71], [150, 1, 50, 13], [199, 199, 1, 1]):
        part = augmentation.decoded(tf.constant(whole_jpeg), tf.constant(True), tf.constant(window))
        top, left, height, width = window
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_pillow_decodes_the_same_pixels():
    ours = augmentation.decoded(
        tf.constant(whole_jpeg), tf.constant(True), tf.constant([0, 0, 200, 200])
    ).numpy()
    theirs = np.asarray(Image.open(io.BytesIO(whole_jpeg)))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("size", [40, 90, 224])
def test_dct_scaling_shrinks_as_averaging_does(size):
    window = tf.constant([0, 0, 200, 200])
    x = augmentation.decoded(tf.constant(whole_jpeg), tf.constant(True), window, size)
    ratio = {40: 4, 90: 2, 224: 1}[size]
    assert x.shape == (200 // ratio, 200 // ratio, 3)
    whole = tf.io.decode_jpeg(whole_jpeg).numpy().astype("float32")
    averaged = whole.reshape(200 // ratio, ratio, 200 // ratio, ratio, 3).mean(axis=(1, 3))
    assert np.abs(x.numpy() - averaged).max() < 4


def windows(transform, height=300, width=400) -> np.ndarray:
    sides = np.tile([height, width], (2000, 1))
    found = transform.drawn(keys(1, np.arange(2000)), sides).window
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] >= 1).all()
    assert (found[:, :2] + found[:, 2:] <= [height, width]).all()
    return found


def test_windows_are_of_the_area_and_the_aspect_that_was_asked_for():
    found = windows(Augmentation())
    area = found[:, 2] * found[:, 3] / (300 * 400)
    assert area.min() == pytest.approx(0.08, abs=0.005)
    assert area.max() > 0.97
    # torchvision 0.28's RandomResizedCrop.get_params, 20,000 times: large windows fit less often.
    assert area.mean() == pytest.approx(0.432, abs=0.02)
    assert area.std() == pytest.approx(0.216, abs=0.01)
    ratio = np.log(found[:, 3] / found[:, 2])
    assert np.abs(ratio).max() == pytest.approx(np.log(4 / 3), abs=0.02)
    small = area < 0.4  # these always fit
    assert ratio[small].mean() == pytest.approx(0, abs=0.02)
    assert np.quantile(ratio[small], 0.25) == pytest.approx(-np.log(4 / 3) / 2, abs=0.03)
    place = found[:, :2] / np.maximum([300, 400] - found[:, 2:], 1)
    np.testing.assert_allclose(place.mean(axis=0), 0.5, atol=0.03)


def test_tensorflows_own_windows_are_smaller_as_the_documentation_says():
    areas = []
    for seed in range(400):
        _, (height, width, _), _ = tf.image.stateless_sample_distorted_bounding_box(
            [300, 400, 3], tf.zeros([1, 0, 4]), seed=[seed, 0], min_object_covered=0.0,
            aspect_ratio_range=(3 / 4, 4 / 3), area_range=(0.08, 1.0), max_attempts=10,
            use_image_if_no_bounding_boxes=True,
        )  # fmt: skip
        areas.append(int(height) * int(width) / 120_000)
    assert np.mean(areas) == pytest.approx(0.37, abs=0.02)


@pytest.mark.parametrize(
    ("sides", "window"), [((10, 1000), (0, 493, 10, 13)), ((1000, 10), (493, 0, 13, 10))]
)
def test_the_middle_is_taken_of_an_image_that_no_window_fits(sides, window):
    found = windows(Augmentation(area=(0.5, 1.0)), *sides)
    assert found.tolist() == [list(window)] * 2000
    assert windows(Augmentation(), 1, 1).tolist() == [[0, 0, 1, 1]] * 2000


def test_the_papers_crop_is_of_an_image_resized_to_256_to_480():
    found = windows(Augmentation(crop="scale"))
    assert (found[:, 2] == found[:, 3]).all()
    shorter = 300 * 224 / found[:, 2]
    assert shorter.min() == pytest.approx(256, abs=2)
    assert shorter.max() == pytest.approx(480, abs=3)
    assert shorter.mean() == pytest.approx(368, abs=6)
    centre = found[:, :2] + found[:, 2:] / 2
    np.testing.assert_allclose(centre.mean(axis=0), [150, 200], atol=4)
    assert windows(Augmentation(crop="scale"), 1, 5)[:, 2:].max() == 1


def test_lighting_is_alexnets():
    """p1 a1 l1 + p2 a2 l2 + p3 a3 l3, with a of a standard deviation of 0.1."""
    n = 20_000
    shift = Augmentation(lighting=0.1).drawn(keys(0, np.arange(n)), np.ones((n, 2), int)).shift
    p, values = np.array(augmentation.EIGENVECTORS), np.array(augmentation.EIGENVALUES)
    expected = (25.5 * p * values) @ (25.5 * p * values).T
    np.testing.assert_allclose(np.cov(shift.T), expected, rtol=0.05)
    grey = packed(np.full((8, 8, 3), 128, "uint8"))
    shifts = [
        image(Augmentation(lighting=0.1), grey, 8, n)[0, 0].astype(int) - 128 for n in range(100)
    ]
    assert np.std(shifts) == pytest.approx(np.sqrt(np.diag(expected).mean()), rel=0.2)
    assert image(Augmentation(), grey, 8).tolist() == np.full((8, 8, 3), 128).tolist()


def test_half_of_the_images_are_flipped():
    files = packed(np.arange(0, 240, 4, "uint8")[None, :, None].repeat(60, 0).repeat(3, -1))
    slopes = [np.sign(image(Augmentation(), files, 16, n).astype(int)[0, -1, 0]
                      - image(Augmentation(), files, 16, n).astype(int)[0, 0, 0])
              for n in range(100)]  # fmt: skip
    assert 30 < sum(slope < 0 for slope in slopes) < 70
    unflipped = [image(Augmentation(flip=False), files, 16, n).astype(int) for n in range(20)]
    assert all(x[0, -1, 0] > x[0, 0, 0] for x in unflipped)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_with_antialias_is_pillows(interpolation):
    x = picture(3, 90, 120)
    kind = getattr(Image.Resampling, interpolation.upper())
    theirs = np.asarray(Image.fromarray(x).resize((32, 32), kind)).astype(int)
    ours = augmentation.resized(tf.constant(x), tf.constant(32), interpolation, True)
    assert np.abs(np.round(ours) - theirs).max() <= 1


@pytest.mark.parametrize("rule", ["tv", "tv2"])
def test_evaluation_takes_the_pixels_of_preprocessing(rule):
    import keras_resnet

    layer = keras_resnet.Preprocessing(
        {"tv": "resnet50.tv", "tv2": "resnet50.tv2"}[rule], size=64, normalise=False
    )
    files = [packed(picture(n, 300, 200 + 20 * n), quality=100) for n in range(3)]
    crop = CentreCrop(layer.rule.resize, layer.rule.interpolation)
    ((x, _, _),) = EvaluationBatches(InMemory(files), 3, crop=crop, size=64).batches()
    for ours, file in zip(x, files, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(file)))
        assert np.abs(ours.astype(int) - np.asarray(layer(pixels)).astype(int)).max() <= 2
