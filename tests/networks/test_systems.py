"""VGG, GoogLeNet, PReLU-net, BN-Inception and the ResNets' relatives: counts, names, refusals."""

import subprocess
import sys

import keras
import pytest
from support import PREACTIVATED, SYSTEMS, layers_made, row, without_values
from support.baselines import built
from support.exact_counts import BIASED_BN_INCEPTION, RELATIVES, ROWS, SYSTEM_ROWS
from support.facts import all_kinds, facts

import keras_resnet
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.systems import (
    BN_INCEPTION,
    INCEPTION,
    VGG,
    BNInception,
    GoogLeNet,
    PReLUNet,
)

pytestmark = pytest.mark.portable


@pytest.mark.parametrize("case", all_kinds([*SYSTEM_ROWS, *RELATIVES]), ids=str)
def test_counts_are_exact(case):
    costs = facts(case.network, **case.options).costs
    assert (costs.trainable, costs.total, costs.macs) == (case.trainable, case.total, case.macs)


def test_bn_inception_with_biases_has_the_count_that_others_publish():
    with without_values():
        costs = keras_resnet.count(keras_resnet.build(BNInception(conv_bias=True), pool_proj=128))
    assert (costs.trainable, costs.total, costs.macs) == BIASED_BN_INCEPTION


def test_every_network_is_counted():
    counted = {case.network for case in [*ROWS, *SYSTEM_ROWS, *RELATIVES]}
    assert {*SYSTEMS, *PREACTIVATED} - counted == {"preact_resnet18", "preact_resnet34",
                                                   "preact_resnet110"}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("name", ["ResNet50V2", "ResNet101V2", "ResNet152V2"])
def test_v2_costs_what_keras_applications_v2_costs(name):
    with without_values():
        theirs = keras_resnet.count(getattr(keras.applications, name)(weights=None))
    assert facts(name.lower()).costs == theirs


@pytest.mark.once
@pytest.mark.parametrize("name", [*PREACTIVATED, *SYSTEMS])
def test_a_network_has_as_many_layers_as_its_depth_says(name):
    # The longest way through the graph: GoogLeNet's and BN-Inception's modules branch.
    found, depth = facts(name), {}
    for layer, (_, kernel, sources) in found.layers.items():
        depth[layer] = max((depth[source] for source in sources), default=0) + (kernel is not None)
    projections = getattr(row(name), "widening", 1) > 1  # whose paper counts all convolutions
    counted = len(found.kernels) - 1 if projections else depth[found.last]
    assert counted == row(name).depth


def test_modules_have_the_widths_that_the_tables_print():
    """The output sizes of GoogLeNet's Table 1 and BN-Inception's Figure 5."""
    googlenet, bn_inception = facts("googlenet").ends, facts("bn_inception").ends
    literal = facts("bn_inception", pool_proj=128).ends
    depths = (256, 480, 512, 512, 512, 528, 832, 832, 1024)
    sides = (28, 28, 14, 14, 14, 14, 14, 7, 7)
    for module, depth, side in zip(INCEPTION, depths, sides, strict=True):
        assert googlenet[f"inception_{module}"] == (None, side, side, depth)
    depths = (256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024)
    sides = (28, 28, 14, 14, 14, 14, 14, 7, 7, 7)
    for module, depth, side in zip(BN_INCEPTION, depths, sides, strict=True):
        assert bn_inception[f"inception_{module}"] == (None, side, side, depth)
    assert [literal[f"inception_{m}"][3] for m in ("4c", "4d", "4e")] == [608, 608, 1056]


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
    ("googlenet", {"classes": 0}, r"`classes` must be a positive integer.*\. Received: classes=0"),
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
def test_the_rows_need_no_backend():
    code = (
        "import sys, importlib.util as u; spec = u.find_spec('keras_resnet').submodule_search_locat"
        "ions[0]; import types; p = types.ModuleType('keras_resnet'); p.__path__ = [spec]; "
        "sys.modules['keras_resnet'] = p; import keras_resnet.networks.systems; "
        "import keras_resnet.networks.options; "
        "assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
