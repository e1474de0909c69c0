"""Photometric distortions are PIL's, in any order."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("PIL")

from PIL import Image, ImageEnhance

from keras_resnet.data import Photometric
from keras_resnet.data.order import keys, uniforms
from keras_resnet.data.randaugment import NAMES, augmented

pytestmark = pytest.mark.once

ENHANCERS = {
    "contrast": ImageEnhance.Contrast,
    "brightness": ImageEnhance.Brightness,
    "color": ImageEnhance.Color,
}


def drawn(count, strength=0.5):
    policy = Photometric(strength)
    return policy.drawn(uniforms(keys(0, 0, np.arange(count)), policy.draws))


def test_each_image_is_enhanced_as_pil_does():
    x = np.random.default_rng(0).integers(0, 256, (9, 7, 3), "uint8")
    for numbers, factors in zip(*drawn(5), strict=True):
        image = Image.fromarray(x)
        for number, factor in zip(numbers, factors, strict=True):
            image = ENHANCERS[NAMES[number]](image).enhance(float(factor))
        found = augmented(x.astype("float32"), numbers, factors).numpy()
        np.testing.assert_allclose(found, np.asarray(image, "float32"), atol=1)


def test_orders_and_factors_are_uniform():
    numbers, factors = drawn(6000)
    orders = {tuple(order) for order in numbers.tolist()}
    assert len(orders) == 6
    counts = np.array([(numbers == order).all(1).sum() for order in orders])
    assert abs(counts - 1000).max() < 150
    assert factors.min() >= 0.5
    assert factors.max() <= 1.5
    assert np.quantile(factors, (0.25, 0.5, 0.75)) == pytest.approx([0.75, 1, 1.25], abs=0.02)


@pytest.mark.parametrize("strength", [0, 1.5])
def test_another_strength_is_refused(strength):
    with pytest.raises(ValueError, match=rf"`strength` must be .* Received: strength={strength}"):
        Photometric(strength)
