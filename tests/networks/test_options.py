"""What each option does, as a property that holds to rounding."""

import itertools

import keras
import numpy as np
import pytest
from support import fill, filled, images, logits, narrow

import keras_resnet
from keras_resnet.networks.paper import Architecture

pytestmark = pytest.mark.portable

TINY = {
    block: Architecture(block, (1, 2, 2, 2), 8, "imagenet", "B")
    for block in ("basic", "bottleneck")
}
TINY_CIFAR = Architecture("basic", (2, 2, 2), 8, "cifar", "A")


def close(actual, expected, rtol=1e-5):
    """Equal to rounding, measured against the largest value."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * abs(expected).max())


def features(row, x, **options):
    model = keras_resnet.build(row, include_top=False, input_shape=x.shape[1:], **options)
    return logits(fill(model), x)


@pytest.mark.parametrize(
    ("block", "stride_on"), [("basic", None), ("bottleneck", "1x1"), ("bottleneck", "3x3")]
)
@pytest.mark.parametrize("shortcut", ["A", "B", "C"])
@pytest.mark.parametrize("size", [64, pytest.param(97, marks=pytest.mark.slow)])
def test_a_dilated_network_is_the_strided_one_seen_more_densely(block, stride_on, shortcut, size):
    x = images(1, size, size, 3)
    options = {"stride_on": stride_on, "shortcut": shortcut}
    strided = features(TINY[block], x, **options)
    denser = features(TINY[block], x, output_stride=16, **options)
    densest = features(TINY[block], x, output_stride=8, **options)
    close(denser[:, ::2, ::2], strided)
    close(densest[:, ::2, ::2], denser)
    assert densest.shape[1] == -(-size // 8)


@pytest.mark.parametrize("output_stride", [2, 1])
def test_a_cifar_network_is_dilated_by_the_same_rule(output_stride):
    x = images(1, 32, 32, 3)
    step = 4 // output_stride
    dense = features(TINY_CIFAR, x, output_stride=output_stride)
    close(dense[:, ::step, ::step], features(TINY_CIFAR, x))


@pytest.mark.parametrize("size", [32, 33, 64, 65, 77])
def test_pool1_of_caffe_lets_the_last_window_hang_over(size):
    x = images(1, size, size, 3)
    row = TINY["basic"]
    model = filled(row, pool1="caffe", input_shape=x.shape[1:])
    conv1, pool1 = (
        logits(keras.Model(model.input, model.get_layer(name).output), x)
        for name in ("conv1_relu", "pool1")
    )
    # pooling_layer.cpp: ceil((side - 3) / 2) + 1 windows, cut off at the edge.
    side = conv1.shape[1]
    windows = -(-(side - 3) // 2) + 1
    expected = np.stack(
        [
            conv1[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2))
            for i, j in itertools.product(range(windows), repeat=2)
        ],
        axis=1,
    ).reshape(1, windows, windows, -1)
    np.testing.assert_array_equal(pool1, expected)


def test_pool1_is_symmetric_by_default():
    x = images(1, 64, 64, 3)
    model = filled(TINY["basic"], input_shape=x.shape[1:])
    conv1, pool1 = (
        logits(keras.Model(model.input, model.get_layer(name).output), x)
        for name in ("conv1_relu", "pool1")
    )
    padded = np.pad(conv1, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    np.testing.assert_array_equal(pool1, windows.max((-1, -2)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("where", "first"), [("end", 0), ("center", 4)])
def test_option_a_subsamples_and_adds_zeros_where_it_is_told(data_format, where, first):
    keras.config.set_image_data_format(data_format)
    last = data_format == "channels_last"
    shape = (16, 16, 3) if last else (3, 16, 16)
    model = keras_resnet.build(TINY_CIFAR, zero_channels=where, input_shape=shape)
    inside = keras.Model(model.get_layer("conv2_2").output, model.get_layer("conv3_1_zeros").output)
    x = images(1, 16, 16, 8)
    out = logits(inside, x if last else np.moveaxis(x, -1, 1))
    out = out if last else np.moveaxis(out, 1, -1)
    expected = np.zeros((1, 8, 8, 16), "float32")
    expected[..., first : first + 8] = x[:, ::2, ::2]
    np.testing.assert_array_equal(out, expected)


def test_a_pooled_shortcut_reads_every_pixel_of_an_odd_map():
    model = keras_resnet.build(
        TINY["bottleneck"], stride_on="3x3", downsample="avg", input_shape=(72, 72, 3)
    )
    pool = model.get_layer("conv4_1_shortcut_pool")
    assert (pool.input.shape[1:3], pool.output.shape[1:3]) == ((9, 9), (5, 5))
    x = images(1, *pool.input.shape[1:])
    pooled = logits(keras.Model(pool.input, pool.output), x)
    close(pooled[:, :4, :4], x[:, :8, :8].reshape(1, 4, 2, 4, 2, -1).mean((2, 4)))
    close(pooled[:, 4, :4], x[:, 8, :8].reshape(1, 4, 2, -1).mean(2))
    close(pooled[:, 4, 4], x[:, 8, 8])


@pytest.mark.parametrize("name", ["resnet34", "resnet50", "cifar_resnet20"])
def test_a_zero_initialised_block_is_the_identity_at_the_start(name):
    model = keras_resnet.build(narrow(name), zero_init_residual=True, input_shape=(64, 64, 3))
    for layer in model.layers:
        if layer.name.endswith("_add") and not layer.name.endswith("_1_add"):
            block = layer.name.removesuffix("_add")
            index = model.layers.index(layer)
            start = keras.Model(layer.input[0], model.get_layer(block).output)
            assert index
            x = abs(images(1, *layer.input[0].shape[1:]))
            np.testing.assert_array_equal(logits(start, x), x)
            break
    gammas = {
        layer.name: float(np.abs(keras.ops.convert_to_numpy(layer.gamma)).max())
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    last = "_c_bn" if name == "resnet50" else "_b_bn"
    assert all((gamma == 0) == layer.endswith(last) for layer, gamma in gammas.items())


def test_preprocessing_inside_is_what_one_would_do_by_hand():
    images_of_255 = images(2, 64, 64, 3) * 60 + 120
    row = TINY["basic"]
    inside = fill(
        keras_resnet.build(row, include_preprocessing=True, input_shape=(64, 64, 3), classes=5)
    )
    plain = filled(row, input_shape=(64, 64, 3), classes=5)
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    close(logits(inside, images_of_255), logits(plain, (images_of_255 - mean) / std))


class TestDropPath:
    """Stochastic depth: F(x) is left out image by image, and scaled up where it is kept."""

    def test_whole_branches_are_dropped_at_the_rate_of_their_depth(self):
        row = Architecture("basic", (1, 1, 1, 1), 8, "cifar", "A")
        model = keras_resnet.build(row, drop_path_rate=0.8, input_shape=(8, 8, 3))
        rates = [model.get_layer(f"conv{stage}_1_drop_path").rate for stage in (2, 3, 4, 5)]
        np.testing.assert_allclose(rates, [0.2, 0.4, 0.6, 0.8])

    def test_training_drops_whole_images_and_keeps_the_mean(self):
        row = Architecture("basic", (1,), 8, "cifar", "A")
        model = filled(row, drop_path_rate=0.5, input_shape=(4, 4, 3))
        drop = model.get_layer("conv2_1_drop_path")
        both = keras.Model(model.input, [drop.input[0], drop.output])
        before, after = (
            keras.ops.convert_to_numpy(out) for out in both(images(2000, 4, 4, 3), training=True)
        )
        dropped = (after == 0).all((1, 2, 3))
        # The standard deviation of the share is 0.011.
        assert dropped.mean() == pytest.approx(0.5, abs=0.05)
        np.testing.assert_allclose(after[~dropped], 2 * before[~dropped], rtol=1e-6)

    def test_inference_drops_nothing(self):
        row = Architecture("basic", (2,), 8, "cifar", "A")
        x = images(4, 4, 4, 3)
        dropping = features(row, x, drop_path_rate=0.9)
        np.testing.assert_array_equal(dropping, features(row, x))


def test_v1_and_v15_have_the_same_weights_and_different_logits():
    x = images(1, 64, 64, 3)
    v1, v15 = (features(TINY["bottleneck"], x, stride_on=on) for on in ("1x1", "3x3"))
    assert v1.shape == v15.shape
    assert abs(v1 - v15).max() > 0.1 * abs(v1).max()


def test_blur_pool_weighs_neighbors_one_two_one_before_a_strided_convolution():
    model = keras_resnet.build("resnet18", weights=None, input_shape=(64, 64, 3), blur_pool=True)
    sharp = keras_resnet.build("resnet18", weights=None, input_shape=(64, 64, 3))
    assert [w.shape for w in model.weights] == [w.shape for w in sharp.weights]
    names = {layer.name for layer in model.layers if layer.name.endswith("_blur")}
    assert names == {f"conv{n}_1_{part}_blur" for n in (3, 4, 5) for part in ("a", "shortcut")}
    before, after = model.get_layer("conv2_2").output, model.get_layer("conv3_1_a_blur").output
    x, blurred = keras.Model(model.input, [before, after])(images(1, 64, 64, 3))
    x, blurred = (keras.ops.convert_to_numpy(value)[0] for value in (x, blurred))
    x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    for axis in (0, 1):
        size = x.shape[axis] - 2
        x = sum(np.take(x, range(n, n + size), axis) * part for n, part in enumerate((1, 2, 1))) / 4
    close(blurred, x)


def test_dropout_within_blocks_acts_in_training_alone():
    x = images(2, 32, 32, 3)
    row = Architecture("basic", (1, 1, 1), 4, "cifar", "B", "preactivation", widening=2)
    plain, dropped = (filled(row, block_dropout=rate) for rate in (0.0, 0.5))
    np.testing.assert_array_equal(logits(plain, x), logits(dropped, x))
    again = [logits(dropped, x, training=True) for _ in range(2)]
    assert abs(again[0] - again[1]).max() > 1e-3
    drops = [layer.name for layer in dropped.layers if isinstance(layer, keras.layers.Dropout)]
    assert drops == ["conv2_1_drop", "conv3_1_drop", "conv4_1_drop"]
    with pytest.raises(ValueError, match="`block_dropout` does not apply: only basic blocks"):
        keras_resnet.build(TINY["bottleneck"], block_dropout=0.5)
