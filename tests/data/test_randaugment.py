"""RandAugment: each operation is PIL's, and the policy is timm's."""

import io

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("PIL")

import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from keras_resnet.data import randaugment
from keras_resnet.data.order import keys, uniforms
from keras_resnet.data.randaugment import FILL, NAMES, OPERATIONS, RandAugment

pytestmark = pytest.mark.once


def photograph() -> np.ndarray:
    """Colors and edges of all kinds, 40 rows and 56 columns."""
    random = np.random.default_rng(0)
    rough = random.integers(20, 220, (10, 14, 3), "uint8")
    x = np.asarray(Image.fromarray(rough).resize((56, 40), Image.Resampling.BICUBIC))
    return np.clip(x.astype(int) + random.integers(-9, 10, x.shape), 5, 240).astype("uint8")


def affine(image: Image.Image, *matrix) -> Image.Image:
    how = {"resample": Image.Resampling.BILINEAR, "fillcolor": FILL}
    return image.transform(image.size, Image.Transform.AFFINE, matrix, **how)


PIL_OPERATIONS = {
    "none": lambda image, value: image,
    "auto_contrast": lambda image, value: ImageOps.autocontrast(image),
    "equalize": lambda image, value: ImageOps.equalize(image),
    "invert": lambda image, value: ImageOps.invert(image),
    "rotate": lambda image, value: image.rotate(value, Image.Resampling.BILINEAR, fillcolor=FILL),
    "posterize": lambda image, value: ImageOps.posterize(image, int(value)),
    "solarize": lambda image, value: ImageOps.solarize(image, value),
    "solarize_add": lambda image, value: image.point(
        [min(255, i + int(value)) if i < 128 else i for i in range(256)] * 3
    ),
    "color": lambda image, value: ImageEnhance.Color(image).enhance(value),
    "contrast": lambda image, value: ImageEnhance.Contrast(image).enhance(value),
    "brightness": lambda image, value: ImageEnhance.Brightness(image).enhance(value),
    "sharpness": lambda image, value: ImageEnhance.Sharpness(image).enhance(value),
    "shear_x": lambda image, value: affine(image, 1, value, 0, 0, 1, 0),
    "shear_y": lambda image, value: affine(image, 1, 0, 0, value, 1, 0),
    "translate_x": lambda image, value: affine(image, 1, 0, value * image.width, 0, 1, 0),
    "translate_y": lambda image, value: affine(image, 1, 0, 0, 0, 1, value * image.height),
}
MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
BLENDS = ("color", "contrast", "brightness", "sharpness")
VALUES = {
    "rotate": (-21.0, 30.0),
    "posterize": (1.0, 2.0, 4.0),
    "solarize": (0.0, 77.0, 256.0),
    "solarize_add": (0.0, 77.0, 110.0),
    **dict.fromkeys(BLENDS, (0.1, 0.37, 1.0, 1.63)),
    "shear_x": (-0.21, 0.3), "shear_y": (-0.21, 0.3),
    "translate_x": (-0.315, 0.25), "translate_y": (-0.315, 0.25),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_pillows(name):
    x = photograph()
    for value in VALUES.get(name, (0.0,)):
        theirs = np.asarray(PIL_OPERATIONS[name](Image.fromarray(x), value)).astype(int)
        ours = OPERATIONS[name].apply(tf.constant(x, "float32"), tf.constant(value)).numpy()
        assert (ours == np.round(ours)).all()
        assert ours.min() >= 0
        assert ours.max() <= 255
        wrong = np.abs(ours - theirs)
        if name in MOVES:
            # Where image and gap meet, PIL takes the nearest pixel and TensorFlow the mean of
            # both.
            assert np.quantile(wrong, 0.93) <= 1, (value, wrong.max())
        else:
            assert wrong.max() <= (1 if name in BLENDS else 0), (value, wrong.max())


def test_gray_is_pillows_to_the_last_digit():
    some = np.arange(0, 256, 5)
    colors = np.stack(np.meshgrid(some, np.arange(256), some, indexing="ij"), -1)
    colors = colors.reshape(-1, 256, 3).astype("uint8")
    expected = np.asarray(Image.fromarray(colors).convert("L"), "float32")
    np.testing.assert_array_equal(randaugment.gray(colors)[..., 0], expected)


def test_equalizing_a_flat_image_changes_nothing():
    flat = tf.fill([4, 4, 3], 7.0)
    for name in ("equalize", "auto_contrast"):
        np.testing.assert_array_equal(OPERATIONS[name].apply(flat, tf.constant(0.0)), flat)


def test_the_policy_is_the_one_of_the_paper():
    policy = RandAugment(7)
    uniform = uniforms(keys(0, np.arange(20_000)), policy.draws)
    numbers, arguments = policy.drawn(uniform)
    assert numbers.shape == arguments.shape == (20_000, 2)
    share = np.bincount(numbers.ravel(), minlength=16) / numbers.size
    assert share[0] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(share[1:], 1 / 30, atol=0.004)
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.03

    def of(name):
        return arguments[numbers == NAMES.index(name)]

    degrees = of("rotate")
    assert np.abs(degrees).mean() == pytest.approx(21, abs=0.3)
    assert np.abs(degrees).std() == pytest.approx(1.5, abs=0.2)
    assert (degrees > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert set(of("posterize")) == {1.0, 2.0}
    assert of("posterize").mean() < 2
    assert of("solarize").mean() == pytest.approx(256 - 0.7 * 256, abs=2)
    assert of("solarize_add").mean() == pytest.approx(77, abs=2)
    enhanced = of("contrast")
    assert np.abs(enhanced - 1).mean() == pytest.approx(0.63, abs=0.01)
    assert (enhanced > 1).mean() == pytest.approx(0.5, abs=0.05)
    assert RandAugment(10).drawn(uniform)[1][numbers == 9].min() >= np.float32(0.1)
    assert np.abs(of("shear_x")).mean() == pytest.approx(0.21, abs=0.01)
    assert np.abs(of("translate_y")).mean() == pytest.approx(0.315, abs=0.01)


def test_operations_follow_one_another():
    x = tf.constant(photograph(), "float32")
    number = {name: i for i, name in enumerate(OPERATIONS)}
    found = randaugment.augmented(
        x, tf.constant([number["invert"], number["solarize"]]), tf.constant([0.0, 100.0])
    )
    expected = OPERATIONS["solarize"].apply(255 - x, tf.constant(100.0))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("options", [{"magnitude": 11}, {"magnitude": 7, "operations": 0}])
def test_a_policy_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match="`magnitude` must be from 0 to 10"):
        RandAugment(**options)


def test_a_photograph_stays_one(shared_data):
    from keras_resnet.data import open_images

    images = open_images(shared_data / "imagenet-sample.zip")
    x = np.asarray(Image.open(io.BytesIO(images.read(0))).convert("RGB"))
    for name in OPERATIONS:
        for value in VALUES.get(name, (0.0,)):
            theirs = np.asarray(PIL_OPERATIONS[name](Image.fromarray(x), value)).astype(int)
            ours = OPERATIONS[name].apply(tf.constant(x, "float32"), tf.constant(value))
            assert np.abs(ours - theirs).mean() < 1, (name, value)
