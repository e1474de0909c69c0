"""Every network of the table: shapes, names, features, and the arguments of keras.applications."""

import inspect

import keras
import numpy as np
import pytest
from support import EVERY, NAMES, SYSTEMS, fill, filled, images, logits, narrow, row, without_values
from support.facts import all_kinds, facts

import keras_resnet
from keras_resnet.networks.paper import Architecture

pytestmark = pytest.mark.portable

SHALLOW = [name for name in NAMES if row(name).depth <= 50]
BUILDERS = {
    value.network: value for value in vars(keras_resnet).values() if hasattr(value, "network")
}


def side_of(name, maps=2):
    """The side of an image whose last map is `maps` pixels wide."""
    return maps * row(name).stride


@pytest.mark.parametrize("name", all_kinds(NAMES))
def test_stages_and_blocks_are_those_of_the_row_under_the_papers_names(name):
    architecture, found = row(name), facts(name)
    check_stages(architecture, found.ends)
    check_blocks(architecture, found.layers)
    assert found.name == name
    assert found.output == (None, architecture.classes)


def check_stages(architecture, ends):
    """Features halve and filters double from stage to stage."""
    side = architecture.size
    stages = [f"conv{2 + stage}_x" for stage in range(len(architecture.blocks))]
    assert list(ends) == ["conv1", *stages]
    expansion = 4 if architecture.block == "bottleneck" else 1
    for number, stage in enumerate(stages):
        height = side // architecture.stem_stride // 2**number
        filters = architecture.width * 2**number * expansion
        assert ends[stage] == (None, height, height, filters), stage
    half = 1 if architecture.stem == "cifar" else 2
    assert ends["conv1"] == (None, side // half, side // half, architecture.width)


def check_blocks(architecture, layers):
    """Every convolution has its name and size, and there is none besides."""
    kernels = {name: kernel for name, (_, kernel, _) in layers.items() if kernel}
    basic = architecture.block == "basic"
    for stage, blocks in enumerate(architecture.blocks, start=2):
        for block in range(1, blocks + 1):
            for letter in "ab" if basic else "abc":
                kernel = kernels[f"conv{stage}_{block}_{letter}"]
                assert kernel[0] == (3 if basic or letter == "b" else 1)
                assert f"conv{stage}_{block}_{letter}_bn" in layers
            assert issubclass(layers[f"conv{stage}_{block}"][0], keras.layers.ReLU)
    assert kernels["conv1"][0] == (7 if architecture.stem == "imagenet" else 3)
    more = 2 if architecture.stem == "deep" else 0  # its stem counts as one layer
    assert len([name for name in kernels if "shortcut" not in name]) == architecture.depth + more


@pytest.mark.parametrize("name", SHALLOW)
def test_probabilities_sum_to_one(name):
    side = side_of(name, 1)
    outputs = logits(filled(narrow(name), input_shape=(side, side, 3)), images(2, side, side, 3))
    assert outputs.shape == (2, row(name).classes)
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs.sum(axis=-1), 1, rtol=1e-5)


def test_a_builder_is_there_for_every_network_of_the_paper():
    assert set(NAMES) - set(BUILDERS) == {"plain50", "plain101", "plain152"}
    assert BUILDERS["resnext50_32x4d"] is keras_resnet.ResNeXt50_32x4d
    assert set(SYSTEMS) - set(BUILDERS) == {"vgg11_lrn", "vgg16_1x1"}
    for function in BUILDERS.values():
        assert function.__name__ in keras_resnet.__all__


@pytest.mark.parametrize(
    "name",
    [
        *("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
        *("VGG16", "VGG19"),
    ],
)
def test_builders_are_called_as_those_of_keras_applications(name):
    ours = inspect.signature(getattr(keras_resnet, name)).parameters
    theirs = inspect.signature(getattr(keras.applications, name)).parameters
    assert list(ours)[:8] == list(theirs)[:8]
    for argument in list(theirs)[:8]:
        if argument not in ("weights", "name"):
            assert ours[argument].default == theirs[argument].default, argument
    assert ours["name"].default == theirs["name"].default


@pytest.mark.parametrize("name", BUILDERS)
def test_every_builder_takes_the_same_arguments(name):
    ours = inspect.signature(BUILDERS[name]).parameters
    assert list(ours)[:8] == list(inspect.signature(keras.applications.ResNet50).parameters)[:8]
    assert ours["classes"].default == row(name).classes
    assert ours["name"].default == name
    assert str(row(name).depth) in BUILDERS[name].__doc__


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20"])
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_without_top_features_are_pooled_as_asked(name, pooling):
    side = side_of(name)
    model = keras_resnet.build(
        narrow(name), include_top=False, pooling=pooling, input_shape=(side, side, 3)
    )
    x = images(2, side, side, 3)
    last = 8 * 2 ** (len(row(name).blocks) - 1)
    features = logits(model, x)
    if pooling is None:
        assert features.shape == (2, 2, 2, last)
    else:
        maps = logits(keras.Model(model.input, model.layers[-2].output), x)
        expected = {"avg": maps.mean((1, 2)), "max": maps.max((1, 2))}[pooling]
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


def test_a_network_can_be_built_on_a_tensor():
    image = keras.Input((40, 48, 1))
    base = keras_resnet.ResNet20(
        input_tensor=keras.layers.Concatenate()([image] * 3), include_top=False, pooling="avg"
    )
    assert base.input is image
    assert base.output.shape == (None, 64)
    assert logits(base, images(1, 40, 48, 1)).shape == (1, 64)


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("basic", (1, 1, 1, 1), 8, "imagenet", "B"),
        Architecture("bottleneck", (1, 1, 1, 1), 8, "imagenet", "B"),
        Architecture("basic", (1, 1, 1, 1), 8, "imagenet", None),
        Architecture("basic", (1, 1, 1), 8, "cifar", "A"),
    ],
    ids=["basic", "bottleneck", "plain", "cifar"],
)
@pytest.mark.parametrize("extra", [0, 1, 17])
def test_any_size_from_the_smallest_will_do(architecture, extra):
    smallest = architecture.stride
    sized = filled(architecture, input_shape=(smallest + extra, smallest + 1, 3))
    free = filled(architecture, input_shape=(None, None, 3))
    x = images(1, smallest + extra, smallest + 1, 3)
    np.testing.assert_array_equal(logits(sized, x), logits(free, x))


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20"])
def test_an_image_of_any_number_of_channels_will_do(name):
    side = side_of(name)
    model = keras_resnet.build(narrow(name), input_shape=(side, side, 5), classes=2)
    assert model.get_layer("conv1").kernel.shape[2] == 5
    assert logits(model, images(1, side, side, 5)).shape == (1, 2)


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("basic", (1,), 8, "cifar", "A"),
        Architecture("bottleneck", (1, 2, 1), 8, "cifar", "B"),
        Architecture("bottleneck", (2, 2), 8, "imagenet", None),
        Architecture("basic", (1, 1, 1, 1, 1), 8, "imagenet", "C"),
    ],
    ids=lambda row: f"{row.block}-{len(row.blocks)}-{row.stem}-{row.shortcut}",
)
def test_a_row_of_ones_own_is_built(architecture):
    side = architecture.stride
    model = keras_resnet.build(architecture, classes=3, input_shape=(side, side, 3))
    assert logits(model, images(2, side, side, 3)).shape == (2, 3)
    kinds = "resnet" if architecture.shortcut else "plain"
    prefix = "cifar_" if architecture.stem == "cifar" else ""
    assert model.name == f"{prefix}{kinds}{architecture.depth}"


def test_depths_the_paper_does_not_have_are_built():
    with without_values():
        assert keras_resnet.build("cifar_resnet98").get_layer("conv4_16")
        assert keras_resnet.build("cifar_plain8").get_layer("conv4_1")


def test_list_models_takes_a_pattern():
    assert keras_resnet.list_models() == EVERY
    assert keras_resnet.list_models("cifar_plain?0") == ["cifar_plain20"]
    assert keras_resnet.list_models("nothing*") == []


def test_initial_kernels_have_the_variance_of_the_paper():
    # He et al. 2015, Eqn. 14: standard deviation sqrt(2 / (k^2 d)), untruncated, d filters.
    model = keras_resnet.ResNet34(weights=None)
    for name, outputs in [("conv1", 49 * 64), ("conv3_2_a", 9 * 128), ("conv5_3_b", 9 * 512)]:
        kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
        expected = np.sqrt(2 / outputs)
        assert kernel.std() == pytest.approx(expected, rel=0.02), name
        assert abs(kernel).max() > 3 * expected, "a truncated normal stops at two deviations"
    bn = model.get_layer("conv3_2_a_bn")
    assert (bn.momentum, bn.epsilon) == (0.9, 1e-5)


def test_the_head_has_no_activation_where_none_is_asked_for():
    model = fill(keras_resnet.ResNet20(classifier_activation=None))
    x = images(2, 32, 32, 3)
    raw = logits(model, x)
    model.get_layer("fc").activation = keras.activations.softmax
    np.testing.assert_allclose(
        logits(model, x), np.exp(raw) / np.exp(raw).sum(-1, keepdims=True), rtol=1e-5
    )
