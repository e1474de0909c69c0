"""Bad input: the error says what was received and what would be accepted, and no layer is made."""

import keras
import numpy as np
import pytest
from support import layers_made, without_values

import keras_resnet
from keras_resnet.networks import paper
from keras_resnet.networks.paper import Architecture

pytestmark = pytest.mark.portable

IMAGE = (64, 64, 3)

# fmt: off
REFUSED = [
    # network, arguments, what the message must say
    ("resnet51", {}, r"Unknown network\. Received: 'resnet51'\. Did you mean .*'resnet50'"),
    ("ResNet-50", {}, r"Received: 'ResNet-50'\. Did you mean 'resnet50'\?"),
    ("resnet20", {}, r"Did you mean 'cifar_resnet20'\?"),
    ("alexnet", {}, r"Received: 'alexnet'\. .*Known: resnet18, .* any cifar_resnetN .* N = 6n\+2"),
    ("", {}, r"Unknown network\. Received: ''"),
    (None, {}, r"Unknown network\. Received: None"),
    (50, {}, r"Unknown network\. Received: 50"),
    (["resnet50"], {}, r"Unknown network\. Received: \['resnet50'\]"),
    ("cifar_resnet54", {}, r"6n\+2 layers .*Received: 54; nearest are 50 and 56"),
    ("cifar_resnet2", {}, r"6n\+2 layers .*Received: 2; nearest are 8 and 14"),
    ("cifar_plain0", {}, r"6n\+2 layers .*Received: 0; nearest are 8 and 14"),
    ("resnet34", {"shortcut": "D"},
     r"`shortcut` must be one of 'A', 'B', 'C'\. Received: shortcut='D'"),
    ("resnet34", {"shortcut": "a"}, r"one of 'A', 'B', 'C'\. Received: shortcut='a'"),
    ("resnet34", {"shortcut": True}, r"one of 'A', 'B', 'C'\. Received: shortcut=True"),
    ("plain34", {"shortcut": "B"}, r"`shortcut` does not apply: a plain net .*shortcut='B'; leave"),
    ("resnet34", {"stride_on": "3x3"}, r"`stride_on` does not apply: a basic block has no 1x1"),
    ("resnet50", {"stride_on": "5x5"}, r"one of '1x1', '3x3'\. Received: stride_on='5x5'"),
    ("resnet50", {"stride_on": 3}, r"one of '1x1', '3x3'\. Received: stride_on=3"),
    ("resnet50", {"pool1": "valid"}, r"one of 'symmetric', 'caffe'\. Received: pool1='valid'"),
    ("cifar_resnet20", {"pool1": "caffe"}, r"`pool1` does not apply: the CIFAR stem has no max"),
    ("resnet34", {"zero_channels": "end"}, r"`zero_channels` does not apply: only .*option A"),
    ("cifar_resnet20", {"zero_channels": "start"}, r"one of 'end', 'center'\. Received: zero_chan"),
    ("plain34", {"zero_init_residual": True}, r"`zero_init_residual` does not apply: a plain net"),
    ("resnet34", {"blur_pool": "yes"}, r"True or False\. Received: blur_pool='yes'"),
    ("resnet34", {"zero_init_residual": "yes"}, r"True or False\. Received: zero_init_residual='"),
    ("resnet34", {"zero_init_residual": None}, r"True or False\. Received: zero_init_residual=N"),
    ("resnet34", {"zero_init_residual": np.ones(2)}, r"True or False\. Received: zero_init_resid"),
    ("resnet34", {"include_preprocessing": 2}, r"True or False\. Received: include_preprocessing="),
    ("resnet34", {"include_top": "no"}, r"`include_top` must be True or False\. Received: include"),
    ("resnet34", {"output_stride": 4}, r"one of 32, 16, 8\. Received: output_stride=4"),
    ("resnet34", {"output_stride": 16.0}, r"one of 32, 16, 8\. Received: output_stride=16\.0"),
    ("cifar_resnet20", {"output_stride": 8}, r"one of 4, 2, 1\. Received: output_stride=8"),
    ("cifar_resnet20", {"output_stride": True}, r"one of 4, 2, 1\. Received: output_stride=True"),
    ("resnet34", {"drop_path_rate": 1}, r"from 0 up to, not including, 1\. Received: .*rate=1"),
    ("resnet34", {"drop_path_rate": -0.1}, r"Received: drop_path_rate=-0\.1"),
    ("resnet34", {"drop_path_rate": float("nan")}, r"Received: drop_path_rate=nan"),
    ("resnet34", {"drop_path_rate": "0.1"}, r"Received: drop_path_rate='0\.1'"),
    ("resnet34", {"drop_path_rate": None}, r"Received: drop_path_rate=None"),
    ("resnet34", {"drop_path_rate": False}, r"Received: drop_path_rate=False"),
    ("plain34", {"drop_path_rate": 0.1}, r"`drop_path_rate` does not apply: a plain net has no"),
    ("resnet34", {"pooling": "mean"}, r"one of None, 'avg', 'max'\. Received: pooling='mean'"),
    ("resnet34", {"pooling": False}, r"one of None, 'avg', 'max'\. Received: pooling=False"),
    ("resnet34", {"classes": 0}, r"`classes` must be a positive integer.*\. Received: classes=0"),
    ("resnet34", {"classes": 10**12}, r"integer of at most 10,000,000\. Received: classes=1000"),
    ("resnet34", {"classes": -5}, r"positive integer.*\. Received: classes=-5"),
    ("resnet34", {"classes": 10.0}, r"positive integer.*\. Received: classes=10\.0"),
    ("resnet34", {"classes": "10"}, r"positive integer.*\. Received: classes='10'"),
    ("resnet34", {"classes": True}, r"positive integer.*\. Received: classes=True"),
    ("resnet34", {"classifier_activation": "nope"}, r"(?s)activation.*nope"),
    ("resnet34", {"name": 5}, r"`name` must be a string without '/'\. Received: name=5"),
    ("resnet34", {"name": "a/b"}, r"`name` must be a string without '/'\. Received: name='a/b'"),
    ("resnet34", {"input_shape": (31, 64, 3)}, r"least 32 pixels or None\. Rec.*=\(31, 64, 3\)"),
    ("cifar_resnet20", {"input_shape": (3, 32, 3)}, r"at least 4 pixels .*=\(3, 32, 3\)"),
    ("resnet34", {"input_shape": (3, 224, 224)}, r"\(height, width, channels\) as the data"),
    ("resnet34", {"input_shape": (64, 64)}, r"without the batch\. Received: .*=\(64, 64\)"),
    ("resnet34", {"input_shape": (1, 64, 64, 3)}, r"without the batch\. Received: .*=\(1,"),
    ("resnet34", {"input_shape": 224}, r"\(height, width, channels\).* Received: input_shape=224"),
    ("resnet34", {"input_shape": "224"}, r"\(height, width, channels\).* Received: input_shape='2"),
    ("resnet34", {"input_shape": (64, 64, None)}, r"a known number of channels\. Received: "),
    ("resnet34", {"input_shape": (64, 64, 0)}, r"a known number of channels\. Received: "),
    ("resnet34", {"input_shape": (64.0, 64, 3)}, r"Received: input_shape=\(64\.0, 64, 3\)"),
    ("resnet34", {"input_shape": (True, 64, 3)}, r"Received: input_shape=\(True, 64, 3\)"),
    ("resnet34", {"input_shape": (-64, 64, 3)}, r"Received: input_shape=\(-64, 64, 3\)"),
    ("resnet34", {"input_shape": (64, 64, 1), "include_preprocessing": True},
     r"`include_preprocessing` normalizes RGB images of 3 channels\. Received: .* of 1 channels"),
    ("resnet34", {"input_tensor": np.zeros((1, 64, 64, 3))}, r"symbolic Keras tensor.*ndarray"),
    ("resnet34", {"input_tensor": "image"}, r"symbolic Keras tensor.* of type str"),
]
# fmt: on


@pytest.mark.parametrize(("network", "arguments", "message"), REFUSED)
def test_bad_input_is_refused_before_any_layer_is_made(network, arguments, message):
    with layers_made() as made, pytest.raises(ValueError, match=message):
        keras_resnet.build(network, **arguments)
    assert made == []


def test_weights_that_do_not_exist_are_refused_before_any_layer_is_made():
    with (
        layers_made() as made,
        pytest.raises(ValueError, match=r"`weights` must be None, .*weights='no_such_weights'"),
    ):
        keras_resnet.build("resnet34", weights="no_such_weights")
    assert made == []


def test_an_option_that_does_not_exist_is_refused_with_those_that_do():
    known = r"Options of this network: shortcut, pool1, zero_channels, .*layers$"
    with pytest.raises(ValueError, match=rf"Received: depth=34, n=5\. {known}"):
        keras_resnet.build("resnet34", depth=34, n=5)
    with pytest.raises(ValueError, match=r"Options of this network: spp, include_preprocessing$"):
        keras_resnet.PReLUNetA(depth=19)


@pytest.mark.once
@pytest.mark.parametrize(
    ("misspelled", "meant"),
    [
        ("shortcuts", "shortcut"),
        ("stride", "stride_on"),
        ("strides_on", "stride_on"),
        ("drop_path", "drop_path_rate"),
        ("include_topp", "include_top"),
        ("inputshape", "input_shape"),
        ("n_classes", "classes"),
    ],
)
def test_a_misspelled_argument_suggests_the_nearest(misspelled, meant):
    with pytest.raises(ValueError, match=rf"Received: {misspelled}=1\. Did you mean `{meant}`\?"):
        keras_resnet.ResNet50(**{misspelled: 1})


@pytest.mark.once
@pytest.mark.parametrize(
    ("network", "option", "networks"),
    [
        (
            "resnet34",
            {"stride_on": "3x3"},
            r"resnet26, 50, 101, 152, 200; plain50, .*; resnet26d; .*",
        ),
        ("vgg16", {"auxiliary": True}, r"googlenet$"),
        ("googlenet", {"pool_proj": 96}, r"bn_inception$"),
        ("resnet50", {"conv1": "separable"}, r"googlenet; bn_inception$"),
        ("plain18", {"shortcut": "A"}, r"resnet18, 26, 34, 50, 101, 152, .*; cifar_r.*"),
        ("vgg11_lrn", {"layers": "keras"}, r".*; vgg11, 13, 16, 19; vgg16_1x1; bn_inception$"),
    ],
)
def test_an_option_of_other_networks_says_which_have_it(network, option, networks):
    with pytest.raises(ValueError, match=rf"does not apply: .*Networks that have it: {networks}"):
        keras_resnet.build(network, **option)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((31, 64, 3), {}, r"at least 32 pixels"),
        ((64, 3), {}, r"without the batch"),
        ((64, 64, None), {}, r"a known number of channels"),
        ((64, 64, 3), {"input_shape": (32, 32, 3)}, r"images are \(64, 64, 3\)\. Received: .*32"),
        ((64, 64, 1), {"include_preprocessing": True}, r"3 channels"),
    ],
)
def test_an_input_tensor_is_checked_like_a_shape(shape, arguments, message):
    image = keras.Input(shape)
    with layers_made() as made, pytest.raises(ValueError, match=message):
        keras_resnet.ResNet34(input_tensor=image, **arguments)
    assert made == []


def test_channels_first_is_checked_the_other_way_round(channels_first):
    with pytest.raises(ValueError, match=r"\(channels, height, width\) .*'channels_first'"):
        keras_resnet.ResNet34(input_shape=(224, 224, 3))


BOTTLENECK = ("bottleneck", (2,), 16, "imagenet", "B", "original")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Basic", (2,), 16, "cifar", "A"), r"one of 'basic', 'bottleneck'\. Received: block='Ba"),
        (("basic", (2,), 16, "mnist", "A"), r"'deep', 'cifar'\. Received: stem='mnist'"),
        (("basic", (2,), 16, "cifar", "D"), r"one of 'A', 'B', 'C', None\. Received: shortcut='D'"),
        (("basic", (), 16, "cifar", "A"), r"tuple of positive integers\. Received: blocks=\(\)"),
        (("basic", (2, 0), 16, "cifar", "A"), r"positive integers\. Received: blocks=\(2, 0\)"),
        (("basic", [2, 2], 16, "cifar", "A"), r"tuple of positive .* Received: blocks=\[2, 2\]"),
        (("basic", 3, 16, "cifar", "A"), r"tuple of positive integers\. Received: blocks=3"),
        (("basic", (2.0,), 16, "cifar", "A"), r"positive integers\. Received: blocks=\(2\.0,\)"),
        (("basic", (2,), 0, "cifar", "A"), r"`width` must be a positive integer\. Received: wid"),
        (("basic", (2,), None, "cifar", "A"), r"`width` must be a positive .* width=None"),
        ((*BOTTLENECK, 0), r"`groups` must be a positive integer\. Received: groups=0"),
        ((*BOTTLENECK, 2, 0), r"`width_per_group` must be a positive .* width_per_group=0"),
        (
            (*BOTTLENECK, 3),
            r"`groups` must divide the filters of conv2_x, 16, .*Received: groups=3",
        ),
        ((*BOTTLENECK, 2, 4, "5x5"), r"one of '1x1', '3x3', None\. Received: stride_on='5x5'"),
        (("basic", *BOTTLENECK[1:], 2), r"of bottlenecks\. Received: block='basic', groups=2"),
    ],
)
def test_a_row_of_ones_own_is_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Architecture(*arguments)


@pytest.mark.parametrize("depth", [None, 20.0, "20", True, [20]])
def test_a_depth_is_an_integer(depth):
    with pytest.raises(ValueError, match=r"6n\+2 layers .*Received: "):
        paper.cifar(depth)
    with pytest.raises(ValueError, match=r"Table 1 has networks of .*Received: "):
        paper.imagenet(depth)


def test_a_pattern_is_a_string():
    with pytest.raises(ValueError, match=r"`pattern` must be a string or None\. Received: .*5"):
        keras_resnet.list_models(5)


@pytest.mark.parametrize("model", [None, "resnet50", keras.layers.Dense(3)])
def test_only_models_have_costs_and_endpoints(model):
    with pytest.raises(ValueError, match=r"must be a .*model.* Received: "):
        keras_resnet.count(model)
    with pytest.raises(ValueError, match=r"must be a .*model.* Received: "):
        keras_resnet.endpoints(model)


def test_a_foreign_model_has_no_endpoints():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, name="mine")], name="other")
    with pytest.raises(ValueError, match=r"one of keras_resnet's.*'other' with layers .*mine"):
        keras_resnet.endpoints(model)


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8])
def test_integers_of_numpy_are_accepted(integer):
    with without_values():
        model = keras_resnet.build(
            "cifar_resnet20",
            classes=integer(7),
            input_shape=(integer(16), None, integer(3)),
            output_stride=integer(2),
            drop_path_rate=np.float32(0.1),
        )
    assert model.output.shape == (None, 7)


def test_nothing_to_pad_is_no_mistake():
    row = Architecture("basic", (2,), 16, "cifar", "A")
    with without_values():
        assert keras_resnet.build(row).count_params() > 0
