"""How the systems were trained: the papers' numbers, and what the recipe makes of them."""

import keras
import numpy as np
import pytest
from support import row
from support.recipes import module_of

from keras_resnet.data import Augmentation, Photometric
from keras_resnet.networks.family import narrowed

pytestmark = pytest.mark.portable

ROWS = module_of("imagenet_recipes")
PAPERS = ROWS.PAPERS


@pytest.fixture
def imagenet():
    """The recipe as a module."""
    return module_of("imagenet")


@pytest.mark.once
@pytest.mark.parametrize("family", PAPERS)
def test_settings_say_where_they_come_from(family):
    sources, settings = ROWS.SOURCES[family], PAPERS[family]
    assert sources[0].startswith(f"{settings.source}: ")
    assert settings.source.startswith("arXiv:")
    assert 0 < settings.learning_rate <= 0.1
    assert settings.momentum == 0.9


@pytest.mark.once
def test_settings_agree_with_each_other():
    assert PAPERS["vgg"].epochs == 74, "370K iterations (74 epochs)"
    assert PAPERS["prelu_net"].epochs == 80, "about 80 for each model"
    assert PAPERS["googlenet"].every == pytest.approx(8, abs=0.01), "every 8 epochs"
    assert PAPERS["bn_inception"].every * 6 == pytest.approx(PAPERS["googlenet"].every, rel=1e-4)
    assert PAPERS["bn_inception"].weight_decay * 5 == PAPERS["googlenet"].weight_decay
    assert ROWS.recipe_of("paper", "vgg19") is PAPERS["vgg"]
    assert ROWS.recipe_of("paper", "resnet50v2") is PAPERS["resnet"]
    assert ROWS.recipe_of("fast", "vgg19") is ROWS.RECIPES["fast"]


@pytest.mark.once
def test_the_recipe_trains_each_network_as_its_own_paper_says(imagenet):
    def settings_of(model):
        return imagenet.Recipe(model=model, recipe="paper").settings()

    vgg, google, prelu, inception, resnet = map(
        settings_of, ("vgg16", "googlenet", "prelu_net_a", "bn_inception", "resnet50")
    )
    of = [
        (one.epochs, one.batch_size, one.learning_rate, one.momentum, one.weight_decay, one.ema)
        for one in (vgg, google, prelu, inception, resnet)
    ]
    assert of == [
        (74, 256, 0.01, 0.9, 5e-4, 0.0),
        (250, 32, 0.01, 0.9, 2e-4, 0.9999),
        (80, 128, 0.01, 0.9, 5e-4, 0.0),
        (150, 32, 0.045, 0.9, 4e-5, 0.0),
        (120, 256, 0.1, 0.9, 1e-4, 0.0),
    ]
    assert vgg.augmentation == Augmentation(crop="scale", shorter=(256, 512), lighting=0.1)
    assert prelu.augmentation == vgg.augmentation
    assert resnet.augmentation == Augmentation(crop="scale", shorter=(256, 480), lighting=0.1)
    assert google.augmentation == Augmentation(lighting=0.1, randaugment=Photometric(0.5))
    assert inception.augmentation == Augmentation(lighting=0.1, randaugment=Photometric(0.25))
    assert google.loss_weights == {"fc": 1.0, "loss1": 0.3, "loss2": 0.3}
    assert not any(one.loss_weights for one in (vgg, prelu, inception, resnet))
    # Algorithm 2 of BN-Inception's paper, and the ResNets' authors.
    assert [one.recompute_batch_norm for one in (vgg, google, prelu, inception, resnet)] == [
        *(False, False, False, True, True)
    ]


@pytest.mark.once
def test_rates_fall_as_the_papers_say(imagenet):
    def rates(model, *epochs):
        settings = imagenet.Recipe(model=model).settings()
        schedule = imagenet.learning_rate(settings, updates_per_epoch=1000)
        return [float(schedule(round(1000 * epoch))) for epoch in epochs]

    def expected(top, factor, *powers):
        return pytest.approx([top * factor**power for power in powers])

    assert rates("vgg16", 0, 18.6, 37.1, 73.9) == expected(0.01, 0.1, 0, 1, 2, 3)
    assert rates("prelu_net_a", 0, 40.1, 79.9) == expected(0.01, 0.1, 0, 1, 2)
    # "decreasing the learning rate by 4% every 8 epochs"; BN-Inception's six times as fast.
    assert rates("googlenet", 7.9, 8.1, 24.1) == expected(0.01, 0.96, 0, 1, 3)
    assert rates("bn_inception", 1.3, 1.4, 8.1) == expected(0.045, 0.96, 0, 1, 6)


def test_images_are_only_less_their_mean_where_no_layer_normalizes(imagenet):
    recipe = imagenet.Recipe(model="vgg16", width=4, size=32)
    settings = recipe.settings()
    model = imagenet.build(recipe, settings, 5)
    first = keras.Model(model.input, model.get_layer("preprocessing").output)
    gray = np.full((1, 32, 32, 3), 200, "uint8")
    left = keras.ops.convert_to_numpy(first(gray))[0, 0, 0]
    np.testing.assert_allclose(left, 200 - np.array((123.675, 116.28, 103.53)), rtol=1e-5)
    recipe = imagenet.Recipe(model="bn_inception", width=4)
    model = imagenet.build(recipe, recipe.settings(), 5)
    first = keras.Model(model.input, model.get_layer("preprocessing").output)
    normal = keras.ops.convert_to_numpy(first(gray))[0, 0, 0]
    np.testing.assert_allclose(normal, left / (58.395, 57.12, 57.375), rtol=1e-5)


@pytest.mark.once
def test_a_narrow_network_has_everything_in_proportion():
    narrow = narrowed(row("prelu_net_a"), 32)
    assert (narrow.conv1, narrow.filters, narrow.units) == (12, (32, 64, 64), 512)
    assert narrow.levels == (7, 3, 2, 1)
    assert narrowed(row("googlenet"), 16).units == 256
    assert narrowed(row("resnet50"), 16).width == 16


@pytest.mark.once
def test_sizes_that_a_network_cannot_take_are_refused(imagenet):
    with pytest.raises(ValueError, match=r"takes images of one size.*\[160, 192, 256\] pixels"):
        imagenet.Recipe(model="vgg16", recipe="fast")
    with pytest.raises(ValueError, match=r"`size` must be at least 32 for vgg16. Received: 31"):
        imagenet.Recipe(model="vgg16", size=31)
    assert imagenet.Recipe(model="vgg16", recipe="fast", size=64).settings().size == 64
