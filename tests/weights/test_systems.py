"""The other networks' weights: what another library computes, ours computes with them."""

from functools import partial

import keras
import numpy as np
import pytest
from support import fill, without_values
from support.parity import (
    assert_same,
    draw,
    images,
    import_peer,
    normalized,
    our_logits,
    saved,
    sizes,
    state_arrays,
    torch_logits,
    with_drawn_torch_weights,
)

import keras_resnet
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.systems import VGG, BNInception
from keras_resnet.weights import graph_options
from keras_resnet.weights.dialects import BY_FAMILY
from keras_resnet.weights.find import find
from keras_resnet.weights.save import arrays_of

pytestmark = pytest.mark.portable

slow = pytest.mark.slow


def built(network, **options):
    return keras_resnet.build(
        network, weights=None, input_shape=(None, None, 3), classifier_activation=None, **options
    )


def compare_both_ways(network, build, case, dialect, path, **options):
    """Their logits from their weights in our graph; ours from our weights in their graph."""
    theirs, x = with_drawn_torch_weights(build()), normalized(images(*case))
    ours = built(network, **options)
    assert keras_resnet.load_weights(ours, state_arrays(theirs)) == ()
    wanted = torch_logits(theirs, x)
    assert_same(our_logits(ours, x), wanted)
    again = build()
    again.load_state_dict(saved(ours, path, dialect))
    assert_same(torch_logits(again.eval(), x), wanted)


@pytest.mark.parametrize("depth", [18, pytest.param(34, marks=slow), 50])
@pytest.mark.parametrize("case", sizes())
def test_timm_resnetv2_gives_the_same_logits_and_takes_our_weights_back(depth, case, tmp_path):
    import_peer("torchvision")
    timm = import_peer("timm")
    build = partial(timm.create_model, f"resnetv2_{depth}", pretrained=False)
    options = {"first_norm": "conv2_1"} | ({"stride_on": "3x3"} if depth == 50 else {})
    compare_both_ways(f"preact_resnet{depth}", build, case, "timm", tmp_path, **options)


@pytest.mark.parametrize("depth", [18, pytest.param(34, marks=slow), 50])
@pytest.mark.parametrize("case", sizes())
def test_timm_resnet_d_gives_the_same_logits_and_takes_our_weights_back(depth, case, tmp_path):
    import_peer("torchvision")
    timm = import_peer("timm")
    build = partial(timm.create_model, f"resnet{depth}d", pretrained=False)
    options = {"stem": "deep", "downsample": "avg"}
    options |= {"stride_on": "3x3"} if depth == 50 else {}
    compare_both_ways(f"resnet{depth}", build, case, "timm", tmp_path, **options)


def torch_vgg(counts, width, units, side, classes):
    """torchvision's VGG, narrow: features and classifier, and channels first in between."""
    torch = pytest.importorskip("torch")
    layers, channels = [], 3
    for group, count in enumerate(counts):
        for _ in range(count):
            filters = width * 2 ** min(group, 3)
            layers += [torch.nn.Conv2d(channels, filters, 3, padding=1), torch.nn.ReLU()]
            channels = filters
        layers.append(torch.nn.MaxPool2d(2))
    flat = channels * (side // 2 ** len(counts)) ** 2
    classifier = []
    for inputs in (flat, units):
        classifier += [torch.nn.Linear(inputs, units), torch.nn.ReLU(), torch.nn.Dropout()]
    model = torch.nn.Sequential()
    model.features = torch.nn.Sequential(*layers)
    model.flatten = torch.nn.Flatten()
    model.classifier = torch.nn.Sequential(*classifier, torch.nn.Linear(units, classes))
    return model


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("counts", [(1, 1, 2), (2, 2, 3)])
def test_torchvision_flattens_vggs_last_map_in_another_order(counts, data_format, tmp_path):
    keras.config.set_image_data_format(data_format)
    build = partial(torch_vgg, counts, 8, 16, 40, 5)
    theirs, x = with_drawn_torch_weights(build()), normalized(images(2, (40, 40)))
    ours = keras_resnet.build(
        VGG(counts, 8, 16),
        input_shape=(40, 40, 3) if data_format == "channels_last" else (3, 40, 40),
        classes=5,
        classifier_activation=None,
    )
    assert keras_resnet.load_weights(ours, state_arrays(theirs), "torchvision") == ()
    wanted = torch_logits(theirs, x)
    if data_format == "channels_last":
        assert_same(our_logits(ours, x), wanted)
    elif keras.backend.backend() == "torch":  # a CPU convolves channels first nowhere else
        assert_same(our_logits(ours, x.transpose(0, 3, 1, 2)), wanted)
    again = build()
    again.load_state_dict(saved(ours, tmp_path, "torchvision"))
    assert_same(torch_logits(again.eval(), x), wanted)


@slow
@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_torchvision_vggs_give_the_same_logits_on_real_images(depth):
    models = import_peer("torchvision").models
    theirs = with_drawn_torch_weights(getattr(models, f"vgg{depth}")(init_weights=False))
    ours = getattr(keras_resnet, f"VGG{depth}")(weights=None, classifier_activation=None)
    assert keras_resnet.load_weights(ours, state_arrays(theirs)) == ()
    x = normalized(images(20, (224, 224)))
    assert_same(our_logits(ours, x), torch_logits(theirs, x))


class Cadene:
    """Cadene's BN-Inception as a function of a state dict, from Figure 5 and Caffe's rules."""

    def __init__(self, state):
        self.state = state

    def conv(self, x, name, stride=1):
        import torch.nn.functional as f

        s = self.state
        kernel = s[f"{name}.weight"]
        x = f.conv2d(x, kernel, s[f"{name}.bias"], stride, kernel.shape[-1] // 2)
        bn = [s[f"{name}_bn.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
        return f.batch_norm(x, *bn, eps=1e-5).relu()

    def module(self, x, name, kind):
        import torch
        import torch.nn.functional as f

        name = f"inception_{name}"
        stride = 1 if f"{name}_1x1.weight" in self.state else 2
        branches = [self.conv(x, f"{name}_1x1")] if stride == 1 else []
        y = self.conv(x, f"{name}_3x3_reduce")
        branches.append(self.conv(y, f"{name}_3x3", stride))
        y = self.conv(self.conv(x, f"{name}_double_3x3_reduce"), f"{name}_double_3x3_1")
        branches.append(self.conv(y, f"{name}_double_3x3_2", stride))
        if stride == 2:
            branches.append(f.max_pool2d(x, 3, 2, ceil_mode=True))
        else:
            pool = f.max_pool2d if kind == "max" else f.avg_pool2d
            branches.append(self.conv(pool(x, 3, 1, 1, ceil_mode=True), f"{name}_pool_proj"))
        return torch.cat(branches, 1)

    def __call__(self, x):
        import torch.nn.functional as f

        x = f.max_pool2d(self.conv(x, "conv1_7x7_s2", 2), 3, 2, ceil_mode=True)
        x = self.conv(self.conv(x, "conv2_3x3_reduce"), "conv2_3x3")
        x = f.max_pool2d(x, 3, 2, ceil_mode=True)
        for name in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
            x = self.module(x, name, "max" if name == "5b" else "avg")
        last = self.state["last_linear.weight"], self.state["last_linear.bias"]
        return f.linear(x.mean((2, 3)), *last)


@pytest.mark.parametrize("size", [(128, 96), pytest.param((64, 64), marks=slow)])
def test_cadenes_bn_inception_gives_the_same_logits(size):
    torch = pytest.importorskip("torch")
    ours = built(BNInception(width=8), pool_proj=128, classes=7)
    state = arrays_of(ours, BY_FAMILY["bn_inception"]["cadene"])
    rng = np.random.default_rng(3)
    for name, value in state.items():
        drawn = draw(value.shape, name, rng)
        if drawn is not None:
            state[name] = drawn.astype("float32")
    assert keras_resnet.load_weights(ours, state) == ()
    x = normalized(images(2, size))
    bgr = np.ascontiguousarray(x[..., ::-1].transpose(0, 3, 1, 2), "float32")
    theirs = Cadene({name: torch.tensor(value) for name, value in state.items()})
    assert_same(our_logits(ours, x), theirs(torch.tensor(bgr)).numpy())


@pytest.mark.once
@pytest.mark.parametrize("dialect", ["cadene", "osmr"])
def test_bn_inception_is_written_with_the_biases_that_others_have(dialect, tmp_path):
    ours = fill(built(BNInception(width=8), pool_proj=128, classes=7))
    keras_resnet.save_weights(ours, tmp_path / "ours.npz", dialect)
    again = built(BNInception(width=8, conv_bias=True), pool_proj=128, classes=7)
    keras_resnet.load_weights(again, tmp_path / "ours.npz", dialect)
    x = normalized(images(2, (64, 64)))
    np.testing.assert_allclose(our_logits(again, x), our_logits(ours, x), rtol=1e-4, atol=1e-5)
    names = set(np.load(tmp_path / "ours.npz"))
    assert {
        "cadene": {"conv1_7x7_s2.bias", "inception_3c_double_3x3_2_bn.running_var"},
        "osmr": {
            "features/init_block/conv1/conv/conv/bias",
            "features/stage2/unit1/branches/branch2/conv3/bn/moving_variance",
            "features/stage3/unit3/branches/branch4/conv/conv/conv/kernel",
            "output1/kernel",
        },
    }[dialect] <= names


@pytest.mark.once
def test_a_dialect_without_a_name_for_a_layer_says_so():
    tiny = built(Architecture("basic", (1, 1), 8, "deep", "B"))
    with pytest.raises(ValueError, match=r"has one name, resnet\.embedder.* for two layers"):
        keras_resnet.save_weights(tiny, "never.npz", "transformers")
    with pytest.raises(ValueError, match=r"`dialect` must be one of 'keras_resnet', 'torchvision'"):
        keras_resnet.save_weights(built_vgg(), "never.npz", "caffe")


def built_vgg():
    return keras_resnet.build(VGG((1, 1), 8, 16), input_shape=(8, 8, 3), classes=3)


@pytest.mark.once
def test_weights_of_another_downsampling_are_not_loaded():
    with without_values():
        model = keras_resnet.build("resnet18", stem="deep")
    assert graph_options(model)["stem"] == "deep"
    with pytest.raises(ValueError, match=r"built with downsample='avg'.*downsample='conv'"):
        keras_resnet.load_weights(model, "d_ra2")


@pytest.mark.once
@pytest.mark.parametrize(
    ("network", "set_name"),
    [("vgg16", "keras"), ("vgg11", "tv"), ("resnet50v2", "keras"), ("bn_inception", "osmr")],
)
def test_imagenet_names_a_public_set(network, set_name):
    row = keras_resnet.networks.family.network_row(network)
    assert find("imagenet", row).id == f"{network}.{set_name}"
