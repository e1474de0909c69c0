"""What is the systems' own: auxiliary heads, pre-activation, how their weights start."""

import keras
import numpy as np
import pytest
from support import images, logits
from support.baselines import TINY, built

import keras_resnet
from keras_resnet.networks.systems import VGG, PReLUNet
from keras_resnet.training import WithAuxiliaryLosses

pytestmark = pytest.mark.portable


class TestAuxiliaryHeads:
    def test_they_read_4a_and_4d_and_change_nothing_else(self):
        x = images(2, 96, 96, 3)
        both = built("googlenet", 96, auxiliary=True)
        alone = built("googlenet", 96)
        outputs = both(x)
        assert list(outputs) == ["fc", "loss1", "loss2"]
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(outputs["fc"]), logits(alone, x))
        assert both.get_layer("loss1_pool").input is both.get_layer("inception_4a").output
        assert both.get_layer("loss2_pool").input is both.get_layer("inception_4d").output
        main = keras.Model(both.input, both.output["fc"])
        assert keras_resnet.count(main) == keras_resnet.count(alone)

    def test_they_are_trained_with_the_papers_weights(self):
        model = built("googlenet", 96, auxiliary=True)
        weights = {"fc": 1.0, "loss1": 0.3, "loss2": 0.3}
        loss = dict.fromkeys(weights, "categorical_crossentropy")
        model.compile("sgd", loss, loss_weights=weights, run_eagerly=True)
        labels = np.eye(4, dtype="float32")[[0, 1]]
        before = model.get_layer("loss2_conv").get_weights()[0]
        model.train_on_batch(images(2, 96, 96, 3), dict.fromkeys(weights, labels))
        assert abs(model.get_layer("loss2_conv").get_weights()[0] - before).max() > 0

    def test_fit_trains_all_outputs_on_one_label_and_measures_the_first(self):
        heads = built("googlenet", 96, auxiliary=True)
        model = WithAuxiliaryLosses(heads, {"fc": 1.0, "loss1": 0.3, "loss2": 0.2})
        loss = keras.losses.SparseCategoricalCrossentropy()
        model.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"])
        x, y = images(4, 96, 96, 3), np.array([0, 1, 2, 3])
        outputs = {name: keras.ops.convert_to_numpy(end) for name, end in heads(x).items()}
        each = {name: float(loss(y, end)) for name, end in outputs.items()}
        measured = model.evaluate(x, y, verbose=0, return_dict=True)
        expected = each["fc"] + 0.3 * each["loss1"] + 0.2 * each["loss2"]
        assert measured["loss"] == pytest.approx(expected, rel=1e-4)
        assert measured["accuracy"] == (outputs["fc"].argmax(-1) == y).mean()
        before = [value.copy() for value in heads.get_weights()]
        model.optimizer.learning_rate = 0.1
        model.fit(x, y, verbose=0)
        kinds = {"fc": 0, "loss1_conv": 0, "loss2_conv": 0}
        for variable, old in zip(heads.weights, before, strict=True):
            name = variable.path.split("/")[0]
            if name in kinds:
                kinds[name] += abs(keras.ops.convert_to_numpy(variable) - old).max()
        assert min(kinds.values()) > 0

    @pytest.mark.once
    def test_losses_of_no_output_are_refused(self):
        heads = built("googlenet", 96, auxiliary=True)
        with pytest.raises(
            ValueError, match=r"must name the outputs .* Received: \['fc', 'loss3'\]"
        ):
            WithAuxiliaryLosses(heads, {"fc": 1.0, "loss3": 0.3})
        with pytest.raises(ValueError, match=r"outputs: a single tensor"):
            WithAuxiliaryLosses(built("googlenet"), {"fc": 1.0})


class TestPreactivation:
    def test_nothing_follows_an_addition(self):
        model = built("preact")
        assert isinstance(model.get_layer("conv3_2"), keras.layers.Add)
        shortcut = model.get_layer("conv3_2").input[0]
        assert shortcut is model.get_layer("conv3_1").output
        assert model.get_layer("pool").input is model.get_layer("post_relu").output

    def test_a_projection_reads_what_the_branch_reads(self):
        model = built("preact")
        normalized = model.get_layer("conv3_1_preact_relu").output
        assert model.get_layer("conv3_1_shortcut").input is normalized
        assert model.get_layer("conv3_1_a").input is normalized

    def test_the_first_block_of_an_imagenet_net_is_normalized_by_its_stem(self):
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
                logits(built("preact", 64, include_top=False, output_stride=s, **options), x)
                for s in (32, 8)
            )
            np.testing.assert_allclose(dense[:, ::4, ::4], strided, rtol=1e-4, atol=1e-5)


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
    model = keras_resnet.build(TINY["googlenet"], input_shape=(32, 32, 3), classes=4)
    assert (values(model.get_layer("inception_3a_3x3").bias) == np.float32(0.2)).all()
    assert (values(model.get_layer("fc").bias) == 0).all()
    kernel = values(model.get_layer("conv2").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(1 / (9 * 8)), rel=0.05)


def test_vgg_starts_by_glorots_scheme():
    model = keras_resnet.build(VGG((1, 1), 32, 64), input_shape=(32, 32, 3), classes=4)
    kernel = values(model.get_layer("conv2_1").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * (32 + 64))), rel=0.03)
