"""VGG, GoogLeNet, PReLU-net, BN-Inception and the ResNets' relatives: counts, shapes, layers."""

import json
import sys

import keras
import numpy as np
import pytest
from exact_counts import BIASED_BN_INCEPTION, RELATIVES, SYSTEM_ROWS
from golden_cases import TINY
from support import BACKEND, PREACTIVATED, SYSTEMS, fill, images, logits, row, without_values
from test_properties import layers_made

import keras_resnet
from keras_resnet.baselines.settings import SETTINGS, settings_of
from keras_resnet.evaluation import fully_convolutional
from keras_resnet.layers import LocalResponseNormalization, SpatialPyramidPooling
from keras_resnet.layers.pyramid import bins
from keras_resnet.paper import Architecture
from keras_resnet.systems import BN_INCEPTION, INCEPTION, VGG, BNInception, GoogLeNet, PReLUNet

# The others are made of the same parts: `make test-all` has them too.
KINDS = ["vgg_lrn", "googlenet", "prelu_net", "v2"] + [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("bn_inception", "preact", "preact_cifar", "d")
]


def built(kind, side=32, **options):
    options.setdefault("classes", 4)
    return keras_resnet.build(TINY[kind], input_shape=(side, side, 3), **options)


@pytest.mark.parametrize("case", [*SYSTEM_ROWS, *RELATIVES], ids=str)
def test_counts_are_exact(case):
    with without_values():
        costs = keras_resnet.count(keras_resnet.build(case.network, **case.options))
    assert (costs.trainable, costs.total, costs.macs) == (case.trainable, case.total, case.macs)


def test_bn_inception_with_biases_has_the_count_that_others_publish():
    with without_values():
        costs = keras_resnet.count(keras_resnet.build(BNInception(conv_bias=True), pool_proj=128))
    assert (costs.trainable, costs.total, costs.macs) == BIASED_BN_INCEPTION


def test_every_network_is_counted():
    counted = {case.network for case in [*SYSTEM_ROWS, *RELATIVES]}
    assert {*SYSTEMS, *PREACTIVATED} - counted == {"preact_resnet18", "preact_resnet34",
                                                   "preact_resnet110"}  # fmt: skip


@pytest.mark.parametrize("name", ["ResNet50V2", "ResNet101V2", "ResNet152V2"])
def test_v2_costs_what_keras_applications_v2_costs(name):
    with without_values():
        ours = keras_resnet.count(getattr(keras_resnet, name)(weights=None))
        theirs = keras_resnet.count(getattr(keras.applications, name)(weights=None))
    assert ours == theirs


@pytest.mark.once
@pytest.mark.parametrize("name", [*PREACTIVATED, *SYSTEMS])
def test_a_network_has_as_many_layers_as_its_depth_says(name):
    with without_values():
        model = keras_resnet.build(name)
    # The longest way through the graph: GoogLeNet's and BN-Inception's modules branch.
    depth = {}
    for layer in model.layers:
        sources = layer.input if isinstance(layer.input, list) else [layer.input]
        before = max((depth.get(id(source), 0) for source in sources), default=0)
        depth[id(layer.output)] = before + hasattr(layer, "kernel")
    assert depth[id(model.output)] == row(name).depth


def test_modules_have_the_widths_that_the_tables_print():
    """The output sizes of GoogLeNet's Table 1 and BN-Inception's Figure 5."""
    with without_values():
        googlenet, bn_inception, literal = (
            keras_resnet.endpoints(model)
            for model in (
                keras_resnet.GoogLeNet(weights=None),
                keras_resnet.BNInception(weights=None),
                keras_resnet.BNInception(weights=None, pool_proj=128),
            )
        )
    depths = (256, 480, 512, 512, 512, 528, 832, 832, 1024)
    sides = (28, 28, 14, 14, 14, 14, 14, 7, 7)
    for module, depth, side in zip(INCEPTION, depths, sides, strict=True):
        assert googlenet[f"inception_{module}"].shape == (None, side, side, depth)
    depths = (256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024)
    sides = (28, 28, 14, 14, 14, 14, 14, 7, 7, 7)
    for module, depth, side in zip(BN_INCEPTION, depths, sides, strict=True):
        assert bn_inception[f"inception_{module}"].shape == (None, side, side, depth)
    assert [literal[f"inception_{m}"].shape[3] for m in ("4c", "4d", "4e")] == [608, 608, 1056]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("vgg", ["conv1_x", "conv2_x", "conv3_x", "conv4_x", "fc6", "fc7"]),
        ("prelu_net", ["conv1", "conv2_x", "conv3_x", "conv4_x", "spp", "fc1", "fc2"]),
        ("preact_cifar", ["conv1", "conv2_x", "conv3_x", "conv4_x"]),
        ("v2", ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x"]),
        ("d", ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x"]),
        ("googlenet", ["conv1", "conv2", *(f"inception_{name}" for name in INCEPTION)]),
        ("bn_inception", ["conv1", "conv2", *(f"inception_{name}" for name in BN_INCEPTION)]),
    ],
)
def test_features_go_by_the_papers_names(kind, names):
    assert list(keras_resnet.endpoints(built(kind))) == names


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_and_a_clone_are_the_same(kind, tmp_path):
    model = fill(built(kind))
    x = images(2, 32, 32, 3)
    expected = logits(model, x)
    np.testing.assert_allclose(expected.sum(-1), 1, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, x), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(logits(clone, x), expected)
    assert keras_resnet.count(loaded) == keras_resnet.count(clone) == keras_resnet.count(model)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_any_size_will_do(kind):
    sized = fill(keras_resnet.build(TINY[kind], classes=4, input_shape=(75, 45, 3)))
    free = fill(keras_resnet.build(TINY[kind], classes=4, input_shape=(None, None, 3)))
    x = images(1, 75, 45, 3)
    np.testing.assert_array_equal(logits(sized, x), logits(free, x))


@pytest.mark.parametrize("kind", ["prelu_net"])
def test_compiled_predictions_take_any_size(kind):
    model = fill(keras_resnet.build(TINY[kind], classes=4, input_shape=(None, None, 3)))
    for size in ((32, 32), (33, 48)):
        x = images(2, *size, 3)
        np.testing.assert_allclose(model.predict(x, verbose=0), logits(model, x), rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_first_is_the_same_network(kind):
    x = images(1, 32, 32, 3)
    expected = logits(fill(built(kind)), x)
    keras.config.set_image_data_format("channels_first")
    model = fill(keras_resnet.build(TINY[kind], classes=4, input_shape=(3, 32, 32)))
    assert model.count_params() == built_last(kind).count_params()
    if BACKEND == "torch":  # TensorFlow and JAX on a CPU do not pool channels first
        np.testing.assert_allclose(logits(model, x.transpose(0, 3, 1, 2)), expected, rtol=1e-4)


def built_last(kind):
    keras.config.set_image_data_format("channels_last")
    with without_values():
        return built(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_gives_float32_probabilities(kind):
    x = images(2, 32, 32, 3)
    expected = logits(fill(built(kind)), x)
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = fill(built(kind))
    outputs = logits(model, x)
    assert outputs.dtype == "float32"
    assert {variable.dtype for variable in model.weights} == {"float32"}
    np.testing.assert_allclose(outputs, expected, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_without_top_the_last_map_is_returned_or_pooled(kind):
    x = images(2, 32, 32, 3)
    maps = logits(fill(built(kind, include_top=False)), x)
    assert maps.shape[1] == maps.shape[2]
    pooled = logits(fill(built(kind, include_top=False, pooling="avg")), x)
    np.testing.assert_allclose(pooled, maps.mean((1, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["bn_inception", "preact", "v2", "d", "vgg"])
def test_stock_layers_compute_the_same(kind):
    x = images(4, 64, 64, 3)
    fast, stock = (fill(built(kind, 64, layers=layers)) for layers in ("fast", "keras"))
    # Dropout draws while training, and maps of a single pixel have no statistics to speak of.
    ends = {"fc": fast.output} if kind == "vgg" else keras_resnet.endpoints(fast)
    end = next(name for name in ("conv3_x", "inception_4a", "fc") if name in ends)
    for training in (False, True) if kind != "vgg" else (False,):
        found, expected = (logits(part(model, end), x, training) for model in (fast, stock))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * abs(expected).max())
    modules = {type(layer).__module__.split(".")[0] for layer in stock.layers}
    assert modules == {"keras"}


def part(model, end):
    return type(model)(model.input, {**keras_resnet.endpoints(model), "fc": model.output}[end])


@pytest.mark.parametrize("kind", KINDS)
def test_preprocessing_can_be_inside(kind):
    x = images(2, 32, 32, 3) * 60 + 120
    inside = fill(built(kind, include_preprocessing=True))
    plain = fill(built(kind))
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    np.testing.assert_allclose(
        logits(inside, x), logits(plain, ((x - mean) / std).astype("float32")), atol=1e-4
    )


class TestAuxiliaryHeads:
    def test_they_read_4a_and_4d_and_change_nothing_else(self):
        x = images(2, 96, 96, 3)
        both = fill(built("googlenet", 96, auxiliary=True))
        alone = fill(built("googlenet", 96))
        outputs = both(x)
        assert list(outputs) == ["fc", "loss1", "loss2"]
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(outputs["fc"]), logits(alone, x))
        assert both.get_layer("loss1_pool").input is both.get_layer("inception_4a").output
        assert both.get_layer("loss2_pool").input is both.get_layer("inception_4d").output
        main = keras.Model(both.input, both.output["fc"])
        assert keras_resnet.count(main) == keras_resnet.count(alone)

    def test_they_are_trained_with_the_papers_weights(self):
        model = fill(built("googlenet", 96, auxiliary=True))
        weights = settings_of("googlenet").loss_weights
        assert weights == {"fc": 1.0, "loss1": 0.3, "loss2": 0.3}
        loss = dict.fromkeys(weights, "categorical_crossentropy")
        model.compile("sgd", loss, loss_weights=weights, run_eagerly=True)
        labels = np.eye(4, dtype="float32")[[0, 1]]
        before = model.get_layer("loss2_conv").get_weights()[0]
        model.train_on_batch(images(2, 96, 96, 3), dict.fromkeys(weights, labels))
        assert abs(model.get_layer("loss2_conv").get_weights()[0] - before).max() > 0


class TestPreactivation:
    def test_nothing_follows_an_addition(self):
        model = built("preact")
        assert isinstance(model.get_layer("conv3_2"), keras.layers.Add)
        shortcut = model.get_layer("conv3_2").input[0]
        assert shortcut is model.get_layer("conv3_1").output
        assert model.get_layer("pool").input is model.get_layer("post_relu").output

    def test_a_projection_reads_what_the_branch_reads(self):
        model = built("preact")
        normalised = model.get_layer("conv3_1_preact_relu").output
        assert model.get_layer("conv3_1_shortcut").input is normalised
        assert model.get_layer("conv3_1_a").input is normalised

    def test_the_first_block_of_an_imagenet_net_is_normalised_by_its_stem(self):
        names = {layer.name for layer in built("preact").layers}
        assert "conv1_bn" in names
        assert "conv2_1_preact_bn" not in names
        names = {layer.name for layer in built("preact", first_norm="conv2_1").layers}
        assert "conv1_bn" not in names
        assert "conv2_1_preact_bn" in names

    def test_dilation_sees_the_same_more_densely(self):
        x = images(1, 64, 64, 3)
        for options in ({}, {"stride_on": "3x3"}):
            strided, dense = (
                logits(fill(built("preact", 64, include_top=False, output_stride=s, **options)), x)
                for s in (32, 8)
            )
            np.testing.assert_allclose(dense[:, ::4, ::4], strided, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["vgg", "prelu_net"])
def test_dense_evaluation_gives_every_window_the_scores_of_a_crop(kind):
    """VGG's fully connected layers become convolutions; PReLU-net's pyramid slides."""
    stride = TINY[kind].stride
    model = fill(built(kind, 3 * stride))
    x = images(1, 5 * stride, 4 * stride, 3)
    scores = logits(fully_convolutional(model), x)
    assert scores.shape == (1, 3, 2, 4)
    base = keras_resnet.build(TINY[kind], include_top=False, input_shape=x.shape[1:])
    maps = logits(fill(base), x)
    first = {"vgg": "flatten", "prelu_net": "spp"}[kind]
    head = keras.Model(model.get_layer(first).input, model.output)
    for top in range(3):
        for left in range(2):
            alone = logits(head, maps[:, top : top + 3, left : left + 3])
            np.testing.assert_allclose(scores[:, top, left], alone, rtol=1e-4)


def reference_lrn(x, size, alpha, beta, k):
    """Caffe's definition, a channel at a time."""
    out = np.empty_like(x)
    for channel in range(x.shape[-1]):
        near = x[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        scale = k + alpha / size * (near.astype("float64") ** 2).sum(-1)
        out[..., channel] = x[..., channel] / scale**beta
    return out


class TestLocalResponseNormalization:
    @pytest.mark.parametrize("constants", [(5, 1e-4, 0.75, 1.0), (3, 0.5, 0.5, 2.0)])
    @pytest.mark.parametrize("channels", [2, 7])
    def test_it_is_caffes_and_the_backends_own(self, constants, channels):
        x = images(2, 5, 4, channels) * 30
        size, alpha, beta, k = constants
        layer = LocalResponseNormalization(size, alpha, beta, k)
        found = keras.ops.convert_to_numpy(layer(x))
        np.testing.assert_allclose(found, reference_lrn(x, *constants), rtol=1e-5)
        if BACKEND == "tensorflow":
            import tensorflow as tf

            theirs = tf.nn.lrn(x, size // 2, k, alpha / size, beta).numpy()
            np.testing.assert_allclose(found, theirs, rtol=1e-5)
        if BACKEND == "torch":
            import torch

            theirs = torch.nn.LocalResponseNorm(size, alpha, beta, k)
            theirs = theirs(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
            np.testing.assert_allclose(found, theirs.transpose(0, 2, 3, 1), rtol=1e-5)

    def test_channels_first_is_the_same(self, channels_first):
        x = images(2, 3, 4, 7)
        found = keras.ops.convert_to_numpy(LocalResponseNormalization()(x.transpose(0, 3, 1, 2)))
        expected = reference_lrn(x, 5, 1e-4, 0.75, 1.0)
        np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, rtol=1e-5)

    def test_half_precision_does_not_overflow(self):
        layer = LocalResponseNormalization(dtype="float16")
        x = np.full((1, 1, 1, 8), 1000, "float16")
        assert np.isfinite(keras.ops.convert_to_numpy(layer(x))).all()

    def test_an_even_size_is_refused(self):
        with pytest.raises(ValueError, match=r"odd positive integer\. Received: size=4"):
            LocalResponseNormalization(4)


def reference_spp(x, levels, rule):
    """Every bin by itself."""
    parts = []
    for n in levels:
        for top, bottom in bins(x.shape[1], n, rule):
            for left, right in bins(x.shape[2], n, rule):
                parts.append(x[:, top:bottom, left:right].max((1, 2)))
    return np.concatenate(parts, -1)


class TestSpatialPyramidPooling:
    def test_windows_under_channels_first_are_the_same(self):
        x = images(1, 9, 8, 3)
        last = SpatialPyramidPooling((3, 2), window=7, data_format="channels_last")(x)
        layer = SpatialPyramidPooling((3, 2), window=7, data_format="channels_first")
        first = keras.ops.convert_to_numpy(layer(x.transpose(0, 3, 1, 2)))
        np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), keras.ops.convert_to_numpy(last))

    def test_bins_are_those_that_papers_and_caffe_cut(self):
        # SPP-net's rule on the 14 x 14 map of the paper: windows of 5, 4 apart (Sec. 2.3).
        assert bins(14, 3, "window") == ((0, 5), (4, 9), (8, 13))
        assert bins(14, 7, "window") == tuple((2 * i, 2 * i + 2) for i in range(7))
        # Caffe's SPPLayer: kernel and stride 5, padding 1.
        assert bins(14, 3, "caffe") == ((0, 4), (4, 9), (9, 14))
        assert bins(13, 3, "proportional") == ((0, 5), (4, 9), (8, 13))
        for rule in ("window", "proportional", "caffe"):
            for n in (1, 2, 7, 14):
                width = 14 // n
                assert bins(14, n, rule) == tuple((i * width, (i + 1) * width) for i in range(n))

    @pytest.mark.parametrize("rule", ["window", "proportional", "caffe"])
    @pytest.mark.parametrize("size", [(14, 14), (9, 20), (3, 5), (1, 1)])
    def test_it_is_the_maximum_of_every_bin(self, rule, size):
        x = images(2, *size, 3)
        found = SpatialPyramidPooling((7, 3, 2, 1), rule)(x)
        expected = reference_spp(x, (7, 3, 2, 1), rule)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)
        assert found.shape == (2, 63 * 3)

    def test_channels_first_gives_the_same_vector(self):
        x = images(2, 9, 8, 3)
        last = SpatialPyramidPooling((3, 2))(x)
        first = SpatialPyramidPooling((3, 2), data_format="channels_first")(x.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (last, first)))

    @pytest.mark.parametrize("rule", ["window", "proportional", "caffe"])
    def test_every_window_is_pooled_as_if_it_were_alone(self, rule):
        x = images(1, 9, 8, 3)
        dense = keras.ops.convert_to_numpy(SpatialPyramidPooling((3, 2, 1), rule, window=7)(x))
        assert dense.shape == (1, 3, 2, 14 * 3)
        for top in range(3):
            for left in range(2):
                alone = reference_spp(x[:, top : top + 7, left : left + 7], (3, 2, 1), rule)
                np.testing.assert_array_equal(dense[:, top, left], alone)

    def test_shapes_are_known_before_any_image_is(self):
        image = keras.Input((None, 20, 3))
        assert SpatialPyramidPooling((2, 1))(image).shape == (None, 15)
        assert SpatialPyramidPooling((2, 1), window=14)(image).shape == (None, None, 7, 15)

    def test_another_rule_is_refused(self):
        with pytest.raises(ValueError, match=r"'window', 'proportional', 'caffe'\. Received: rul"):
            SpatialPyramidPooling(rule="floor")


def values(variable):
    return keras.ops.convert_to_numpy(variable)


def test_prelu_nets_start_as_the_paper_says():
    # Sec. 2.2: standard deviation sqrt(2 / ((1 + a^2) k^2 d)); fully connected 0.01 and 0.001.
    model = keras_resnet.build(
        PReLUNet((1,), (64,), conv1=64, units=256), input_shape=(32, 32, 3), classes=300
    )
    kernel = values(model.get_layer("conv2_1").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (1 + 0.25**2) / (9 * 64)), rel=0.02)
    assert values(model.get_layer("fc2").kernel).std() == pytest.approx(0.01, rel=0.02)
    assert values(model.get_layer("fc").kernel).std() == pytest.approx(0.001, rel=0.02)
    slopes = model.get_layer("conv2_1_prelu").alpha
    assert tuple(slopes.shape) == (1, 1, 64)
    assert (values(slopes) == 0.25).all()


def test_googlenet_starts_as_its_caffe_model():
    model = built("googlenet")
    assert (values(model.get_layer("inception_3a_3x3").bias) == np.float32(0.2)).all()
    assert (values(model.get_layer("fc").bias) == 0).all()
    kernel = values(model.get_layer("conv2").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(1 / (9 * 8)), rel=0.05)


def test_vgg_starts_by_glorots_scheme():
    model = keras_resnet.build(VGG((1, 1), 32, 64), input_shape=(32, 32, 3), classes=4)
    kernel = values(model.get_layer("conv2_1").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * (32 + 64))), rel=0.03)


# fmt: off
REFUSED = [
    ("vgg16", {"shortcut": "B"}, r"`shortcut` does not apply: vgg has no residual blocks"),
    ("vgg16", {"zero_init_residual": True}, r"`zero_init_residual` does not apply: vgg has no"),
    ("vgg16", {"output_stride": 16}, r"`output_stride` does not apply: vgg has no"),
    ("vgg16", {"auxiliary": True}, r"`auxiliary` does not apply: only GoogLeNet has auxiliary"),
    ("vgg16", {"input_shape": (None, 224, 3)}, r"each side known: a fully connected layer reads"),
    ("vgg16", {"input_shape": (31, 64, 3)}, r"at least 32 pixels .* Received: .*=\(31, 64, 3\)"),
    ("vgg11_lrn", {"layers": "keras"}, r"`layers` does not apply: Keras has no layer for local"),
    ("prelu_net_a", {"layers": "keras"}, r"Keras has no layer for spatial pyramid pooling"),
    ("prelu_net_a", {"spp": "ceil"}, r"one of 'window', 'proportional', 'caffe'\. Received: spp="),
    ("prelu_net_a", {"pool_proj": 96}, r"`pool_proj` does not apply: only BN-Inception's table"),
    ("bn_inception", {"pool_proj": 64}, r"one of 96, 128\. Received: pool_proj=64"),
    ("bn_inception", {"pool_proj": 96.0}, r"one of 96, 128\. Received: pool_proj=96\.0"),
    ("googlenet", {"auxiliary": "yes"}, r"True or False\. Received: auxiliary='yes'"),
    ("googlenet", {"conv1": "thin"}, r"one of 'dense', 'separable'\. Received: conv1='thin'"),
    ("googlenet", {"auxiliary": True, "input_shape": (32, 32, 3)}, r"at least 80 pixels with aux"),
    ("googlenet", {"auxiliary": True, "input_shape": (None, None, 3)}, r"each side known"),
    ("googlenet", {"classes": 0}, r"`classes` must be a positive integer\. Received: classes=0"),
    ("resnet50", {"auxiliary": True}, r"`auxiliary` does not apply: only GoogLeNet"),
    ("resnet50", {"conv1": "dense"}, r"`conv1` does not apply: only GoogLeNet and BN-Inception"),
    ("resnet50", {"stem": "cifar"}, r"one of 'imagenet', 'deep'\. Received: stem='cifar'"),
    ("cifar_resnet20", {"stem": "deep"}, r"`stem` does not apply: the CIFAR stem is one 3x3"),
    ("resnet50", {"downsample": "max"}, r"one of 'conv', 'avg'\. Received: downsample='max'"),
    ("cifar_resnet20", {"downsample": "avg"}, r"`downsample` does not apply: only projections"),
    ("plain18", {"downsample": "avg"}, r"`downsample` does not apply: only projections"),
    ("resnet50v2", {"downsample": "avg"}, r"`downsample` does not apply: only projections"),
    ("resnet50", {"downsample": "avg", "output_stride": 8}, r"a dilated network .* pools nothing"),
    ("resnet50", {"first_norm": "conv1"}, r"`first_norm` does not apply: only pre-activation"),
    ("preact_resnet164", {"first_norm": "conv1"}, r"`first_norm` does not apply: only pre-act"),
    ("preact_resnet50", {"first_norm": "pool1"}, r"one of 'conv1', 'conv2_1'\. Received: first_"),
    ("preact_resnet50", {"zero_init_residual": True}, r"ends in a convolution, not in a norm"),
    ("preact_resnet20", {}, r"Unknown network\. Received: 'preact_resnet20'"),
    ("VGG-16", {}, r"Did you mean 'vgg16'"),
    ("inception_v3", {}, r"Unknown network\. Received: 'inception_v3'"),
]
# fmt: on


@pytest.mark.parametrize(("network", "arguments", "message"), REFUSED)
def test_bad_input_is_refused_before_any_layer_is_made(network, arguments, message):
    with layers_made() as made, pytest.raises(ValueError, match=message):
        keras_resnet.build(network, **arguments)
    assert made == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: VGG(()),
            r"`convolutions` must be a tuple of positive integers\. Received: .*\(\)",
        ),
        (lambda: VGG((1, 0)), r"Received: convolutions=\(1, 0\)"),
        (lambda: VGG((1,), width=0), r"`width` must be an integer > 0\. Received: width=0"),
        (lambda: PReLUNet((1, 1), (8,)), r"one number for each of the 2 stages\. Received: .*8"),
        (lambda: GoogLeNet(width=2.5), r"`width` must be an integer > 0\. Received: width=2\.5"),
        (lambda: BNInception(width=None), r"`width` must be .* Received: width=None"),
        (
            lambda: Architecture("basic", (1,), 8, "cifar", None, "v2"),
            r"one of 'A', 'B', 'C' where order='v2'\. Received: shortcut=None",
        ),
        (
            lambda: Architecture("basic", (1,), 8, "cifar", "A", "v3"),
            r"one of 'original', 'preactivation', 'v2'\. Received: order='v3'",
        ),
    ],
)
def test_a_row_of_ones_own_is_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.once
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_say_where_they_come_from(name):
    settings = SETTINGS[name]
    assert settings.sources
    assert "arXiv:" in settings.sources[0]
    assert 0 < settings.learning_rate <= 0.1
    assert settings.momentum == 0.9
    json.dumps(settings.loss_weights)


@pytest.mark.once
def test_settings_agree_with_each_other_and_with_the_rows():
    assert round(SETTINGS["vgg"].epochs) == 74, "370K iterations (74 epochs)"
    assert round(SETTINGS["prelu_net"].epochs) == 80, "about 80 for each model"
    assert SETTINGS["googlenet"].schedule.every * 32 / 1_281_167 == pytest.approx(8, abs=0.01)
    assert SETTINGS["bn_inception"].schedule.every * 6 == pytest.approx(320_000, abs=6)
    assert SETTINGS["bn_inception"].weight_decay * 5 == SETTINGS["googlenet"].weight_decay
    assert SETTINGS["vgg"].dropout == (row("vgg16").dropout,) * 2
    assert SETTINGS["prelu_net"].dropout == (row("prelu_net_a").dropout,) * 2
    google = row("googlenet")
    assert SETTINGS["googlenet"].dropout == (google.dropout, *[google.auxiliary_dropout] * 2)
    assert settings_of("vgg19") is SETTINGS["vgg"]
    assert settings_of("resnet50v2") is SETTINGS["resnet"]
    with pytest.raises(ValueError, match=r"not trained on ImageNet\. Received: 'cifar_resnet20'"):
        settings_of("cifar_resnet20")


@pytest.mark.once
def test_the_rows_need_no_backend():
    import subprocess

    code = (
        "import sys, importlib.util as u; spec = u.find_spec('keras_resnet').submodule_search_locat"
        "ions[0]; import types; p = types.ModuleType('keras_resnet'); p.__path__ = [spec]; "
        "sys.modules['keras_resnet'] = p; import keras_resnet.systems, keras_resnet.options; "
        "assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
