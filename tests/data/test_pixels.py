"""What becomes of an image's pixels: decoding, windows, lighting, resizing."""

import io

import numpy as np
import pytest
from support.pictures import InMemory, batches, image, packed, picture, whole_jpeg

pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")
import tensorflow as tf  # noqa: E402

from keras_resnet.data.augmentation import Augmentation, CenterCrop  # noqa: E402
from keras_resnet.data.order import keys  # noqa: E402
from keras_resnet.data.pipeline import EvaluationBatches  # noqa: E402
from keras_resnet.data.pixels import decoded_window, resized  # noqa: E402
from keras_resnet.data.windows import scale_windows  # noqa: E402

pytestmark = pytest.mark.once


ODD = {
    "gray": (packed(picture(), mode="L"), picture().mean(axis=-1, keepdims=True).repeat(3, -1)),
    "one pixel": (packed(picture(0, 1, 1)), picture(0, 1, 1)),
    "png": (packed(picture(), "png"), picture()),
    "gray png": (packed(picture()[..., 0], "png"), picture()[..., :1].repeat(3, -1)),
    "gif": (packed(picture(), "gif"), picture()),
    "bmp": (packed(picture(), "bmp"), picture()),
    "progressive": (packed(picture(), progressive=True), picture()),
    "cmyk": (packed(picture(), mode="CMYK"), picture()),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_images_are_decoded_right(name):
    file, pixels = ODD[name]
    data = EvaluationBatches(InMemory([file]), 1, size=32, crop=CenterCrop(32))
    ((x, _, weights),) = data.batches()
    assert weights.tolist() == [1]
    height, width = pixels.shape[:2]
    side = min(height, width)
    expected = Image.fromarray(pixels.astype("uint8")).resize(
        (32 * width // side, 32 * height // side), Image.Resampling.BILINEAR
    )
    left = round((expected.width - 32) / 2)
    expected = np.asarray(expected)[:32, left : left + 32]
    # GIF has 256 colors for the image.
    assert np.abs(x[0].astype(int) - expected).mean() < (12 if name == "gif" else 3)
    ((x, _),) = batches([file] * 4).batches(0, 1)
    assert np.abs(x.mean(axis=(1, 2)) - pixels.mean(axis=(0, 1))).max() < 40


def test_a_part_of_a_jpeg_is_what_the_whole_has_there():
    whole = tf.io.decode_jpeg(whole_jpeg, dct_method="INTEGER_ACCURATE").numpy()
    for window in ([0, 0, 200, 200], [17, 33, 50, 71], [150, 1, 50, 13], [199, 199, 1, 1]):
        part = decoded_window(tf.constant(whole_jpeg), tf.constant(True), tf.constant(window))
        top, left, height, width = window
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_pillow_decodes_the_same_pixels():
    ours = decoded_window(
        tf.constant(whole_jpeg), tf.constant(True), tf.constant([0, 0, 200, 200])
    ).numpy()
    theirs = np.asarray(Image.open(io.BytesIO(whole_jpeg)))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("size", [40, 90, 224])
def test_dct_scaling_shrinks_as_averaging_does(size):
    window = tf.constant([0, 0, 200, 200])
    x = decoded_window(tf.constant(whole_jpeg), tf.constant(True), window, size)
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
    center = found[:, :2] + found[:, 2:] / 2
    np.testing.assert_allclose(center.mean(axis=0), [150, 200], atol=4)
    assert windows(Augmentation(crop="scale"), 1, 5)[:, 2:].max() == 1


# facebookarchive/fb.resnet.torch, datasets/imagenet.lua: its rows are R, G and B.
EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
EIGENVECTORS = np.array(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)


def test_lighting_is_alexnets():
    """p1 a1 l1 + p2 a2 l2 + p3 a3 l3, with a of a standard deviation of 0.1."""
    n = 100_000
    shift = Augmentation(lighting=0.1).drawn(keys(0, np.arange(n)), np.ones((n, 2), int)).shift
    along = shift @ np.linalg.inv(EIGENVECTORS.T)  # the part of each principal component
    np.testing.assert_allclose(along.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(along.std(axis=0), 25.5 * EIGENVALUES, rtol=0.02)
    assert np.abs(np.corrcoef(along.T) - np.eye(3)).max() < 0.02


def test_lighting_is_added_to_red_green_and_blue_and_clipped():
    transform, sides = Augmentation(lighting=5.0), np.array([[8, 8]])
    clipped = 0
    for number in range(20):
        drawn = transform.drawn(keys(0, 0, [number]), sides)
        color = np.array([40, 128, 215])
        flat = packed(np.tile(color, (8, 8, 1)).astype("uint8"), "png")
        expected = np.clip(np.floor(color + drawn.shift[0] + 0.5), 0, 255)
        # 75 values: TensorFlow's cast saturates in steps of its vectors, and wraps in the rest.
        assert (image(transform, flat, 5, number) == expected).all()
        clipped += ((expected == 0) | (expected == 255)).any()
    assert 3 < clipped < 20


def test_half_of_the_images_are_flipped():
    n = 20_000
    flip = Augmentation().drawn(keys(0, np.arange(n)), np.ones((n, 2), int)).flip
    assert flip.mean() == pytest.approx(0.5, abs=0.015)
    assert (
        not Augmentation(flip=False).drawn(keys(0, np.arange(n)), np.ones((n, 2), int)).flip.any()
    )
    file = packed(np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8"), "png")
    for number in range(12):
        plain = image(Augmentation(flip=False), file, 16, number)
        expected = plain[:, ::-1] if flip_of(number) else plain
        np.testing.assert_array_equal(image(Augmentation(), file, 16, number), expected)
    assert {flip_of(number) for number in range(12)} == {True, False}


def flip_of(number: int) -> bool:
    return bool(Augmentation().drawn(keys(0, 0, [number]), np.ones((1, 2), int)).flip[0])


def interpolated(x: np.ndarray, size: int, interpolation: str) -> np.ndarray:
    """Rows, then columns, at half-pixel centers, without antialiasing; written for this test."""
    for _ in range(2):
        at = (np.arange(size) + 0.5) * len(x) / size - 0.5
        first = np.floor(at).astype(int)
        total, weights = 0.0, 0.0
        for tap in range(first.min() - 2, first.max() + 4):
            t = np.abs(at - tap)
            if interpolation == "bilinear":
                weight = np.maximum(1 - t, 0)
                inside = np.clip(tap, 0, len(x) - 1)  # the edge is repeated
            else:  # Keys 1981, a = -1/2; taps beyond the edge are left out
                weight = np.where(t < 1, (1.5 * t - 2.5) * t**2 + 1, 0)
                weight = np.where((t >= 1) & (t < 2), ((-0.5 * t + 2.5) * t - 4) * t + 2, weight)
                inside, weight = np.clip(tap, 0, len(x) - 1), weight * (0 <= tap < len(x))
            total = total + weight[:, None, None] * x[inside]
            weights = weights + weight
        x = (total / np.reshape(weights, (-1, 1, 1))).swapaxes(0, 1)
    return x


@pytest.mark.parametrize("size", [13, 64])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_interpolates_at_the_centers_of_pixels_and_rounds_to_the_nearest(
    interpolation, size
):
    x = np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8")
    expected = interpolated(x.astype("float64"), size, interpolation)
    found = resized(tf.constant(x), tf.constant(size), interpolation, False).numpy()
    # TensorFlow's bicubic weights come from a table of 1,024 steps.
    np.testing.assert_allclose(found, expected, atol=0.01 if interpolation == "bilinear" else 0.7)
    square = Augmentation(
        area=(1.0, 1.0), ratio=(4 / 3, 4 / 3), flip=False, interpolation=interpolation
    )
    levels = image(square, packed(x, "png"), size)  # the window is the full image
    assert levels.dtype == "uint8"
    np.testing.assert_array_equal(levels, np.clip(np.floor(found + 0.5), 0, 255))
    if interpolation == "bicubic":  # which overshoots
        assert found.min() < -0.5
        assert found.max() > 255.5


def test_lengths_of_the_shorter_side_are_uniform_and_both_ends_are_drawn():
    n = 225 * 100
    uniform = np.stack([(np.arange(n) + 0.5) / n] * 3, axis=1)
    # So large that each length has a window of its own.
    found = scale_windows(np.full((n, 2), 224_000), uniform, (256, 480))
    lengths = np.rint(224_000 * 224 / found[:, 2]).astype(int)
    assert np.bincount(lengths, minlength=481)[256:].tolist() == [100] * 225


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_with_antialias_is_pillows(interpolation):
    x = np.random.default_rng(0).integers(0, 256, (90, 120, 3), "uint8")
    kind = getattr(Image.Resampling, interpolation.upper())
    theirs = np.asarray(Image.fromarray(x).resize((32, 32), kind)).astype(int)
    ours = resized(tf.constant(x), tf.constant(32), interpolation, True)
    # PIL also rounds, and clips, between the two directions.
    assert np.abs(np.clip(np.round(ours), 0, 255) - theirs).max() <= 1


@pytest.mark.parametrize("rule", ["tv", "tv2"])
def test_evaluation_takes_the_pixels_of_preprocessing(rule):
    import keras_resnet

    layer = keras_resnet.Preprocessing(
        {"tv": "resnet50.tv", "tv2": "resnet50.tv2"}[rule], size=64, normalize=False
    )
    files = [packed(picture(n, 300, 200 + 20 * n), quality=100) for n in range(3)]
    crop = CenterCrop(layer.rule.resize, layer.rule.interpolation)
    ((x, _, _),) = EvaluationBatches(InMemory(files), 3, crop=crop, size=64).batches()
    for ours, file in zip(x, files, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(file)))
        assert np.abs(ours.astype(int) - np.asarray(layer(pixels)).astype(int)).max() <= 2
