"""Pretrained weights for other channels and other classes than they were trained with."""

import keras
import numpy as np
import pytest
from support import fill, images
from support.weights import TINY, source, values

import keras_resnet
from keras_resnet import load_weights, save_weights

pytestmark = pytest.mark.portable


def logits(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.fixture(scope="module", params=["torchvision", "keras"])
def file(request, tmp_path_factory):
    """Weights for RGB, by a dialect of each order of channels and of axes."""
    path = tmp_path_factory.mktemp("file") / "file.npz"
    save_weights(source(), path, request.param)
    return path


def test_gray_images_give_what_they_give_as_rgb(file):
    gray = keras_resnet.build(TINY, weights=file, input_shape=(64, 64, 1), classes=5)
    rgb = keras_resnet.build(TINY, weights=file, input_shape=(64, 64, 3), classes=5)
    x = images(2, 64, 64, 1)
    repeated = np.repeat(np.asarray(x), 3, -1)
    np.testing.assert_allclose(logits(gray, x), logits(rgb, repeated), atol=1e-5)


@pytest.mark.once
def test_more_channels_repeat_the_three_in_turn(file):
    """timm's `adapt_input_conv`, written down for five channels."""
    rgb = values(source())["conv1/kernel"]
    model = keras_resnet.build(TINY, weights=file, classes=5, input_shape=(64, 64, 5))
    expected = np.concatenate([rgb, rgb[:, :, :2]], axis=2) * (3 / 5)
    np.testing.assert_allclose(values(model)["conv1/kernel"], expected, rtol=1e-6)


@pytest.mark.once
@pytest.mark.parametrize("stem", ["imagenet", "deep"])
def test_the_kernel_that_reads_the_image_is_the_one_that_is_adapted(stem, tmp_path):
    net = fill(keras_resnet.build(TINY, stem=stem, classes=5))
    save_weights(net, tmp_path / "file.npz")
    gray = keras_resnet.build(
        TINY, weights=tmp_path / "file.npz", classes=5, input_shape=(None, None, 1)
    )
    first = "conv1_a" if stem == "deep" else "conv1"
    kernels = [model.get_layer(first).get_weights()[0] for model in (net, gray)]
    np.testing.assert_allclose(kernels[0].sum(2, keepdims=True), kernels[1], atol=1e-6)


@pytest.mark.once
def test_channels_are_adapted_only_where_that_is_asked_for(file):
    model = keras_resnet.build(TINY, input_shape=(64, 64, 4), classes=5)
    with pytest.raises(ValueError, match=r"misshapen \(1\)"):
        load_weights(model, file)
    assert load_weights(model, file, adapt_channels=True) == ()


@pytest.mark.once
def test_other_classes_start_a_new_head_with_a_word(file):
    with pytest.warns(UserWarning, match="A new layer fc of 3 classes starts at random"):
        model = keras_resnet.build(TINY, weights=file, classes=3, dropout=0.5)
    assert model.get_layer("pool_drop").rate == 0.5
    mine, theirs = values(model), values(source())
    assert mine["fc/kernel"].shape == (64, 3)
    del mine["fc/kernel"], mine["fc/bias"]
    for path, value in mine.items():
        np.testing.assert_allclose(value, theirs[path], atol=2e-7)
    again = keras_resnet.build(TINY, weights=file, classes=5)  # and no word
    np.testing.assert_array_equal(values(again)["fc/kernel"], theirs["fc/kernel"])


@pytest.mark.once
def test_layers_before_the_network_keep_their_values_or_take_those_of_a_whole_file(file, tmp_path):
    image = keras.Input((32, 32, 1))
    rgb = keras.layers.Conv2D(3, 1, name="to_rgb", bias_initializer="ones")(image)
    rgb = keras.Sequential([keras.layers.BatchNormalization(name="bn")], name="theirs")(rgb)
    model = keras_resnet.build(TINY, classes=5, input_tensor=rgb, weights=file)
    expected = values(keras_resnet.build(TINY, classes=5, weights=file))
    found = values(model)
    assert len(found) == len(expected) + 6
    for path, value in expected.items():
        np.testing.assert_array_equal(found[path], value)
    model.get_layer("to_rgb").bias.assign([7.0, 8.0, 9.0])
    save_weights(model, tmp_path / "whole.npz", "keras_resnet")
    again = keras_resnet.build(TINY, classes=5, input_tensor=rgb, weights=tmp_path / "whole.npz")
    np.testing.assert_array_equal(values(again)["to_rgb/bias"], [7, 8, 9])
