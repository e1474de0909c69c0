"""Our graphs with other libraries' weights give the other libraries' logits, and back again.

keras.applications needs no extra package. torchvision, timm, transformers and keras-hub come
with the extra `parity`; a test skips where one is absent. The images are real where
KERAS_RESNET_DATA names the folder of the shared data, and drawn otherwise.
"""

import os
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from support.parity import (
    assert_same,
    compare_both_ways,
    drawn_keras_model,
    forget_names,
    images,
    import_peer,
    keras_2_file,
    network,
    normalized,
    our_logits,
    sizes,
    tiny_application,
)

import keras_resnet
from keras_resnet import Architecture
from keras_resnet.networks.family import network_row

TINY_V1 = Architecture("bottleneck", (1, 2), 64, "imagenet", "B")
TINY_V2 = Architecture("bottleneck", (2, 2), 64, "imagenet", "B", "v2")
DATA = Path(os.environ.get("KERAS_RESNET_DATA", "/nowhere"))
pytestmark = pytest.mark.portable
slow = pytest.mark.slow
DEPTHS = [18, pytest.param(34, marks=pytest.mark.slow), 50] + [
    pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152)
]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("case", sizes())
def test_torchvision_gives_the_same_logits_and_takes_our_weights_back(depth, case, tmp_path):
    models = import_peer("torchvision").models
    compare_both_ways(depth, case, getattr(models, f"resnet{depth}"), "torchvision", tmp_path)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("case", sizes())
def test_timm_gives_the_same_logits_and_takes_our_weights_back(depth, case, tmp_path):
    import_peer("torchvision")
    timm = import_peer("timm")
    build = partial(timm.create_model, f"resnet{depth}", pretrained=False)
    compare_both_ways(depth, case, build, "timm", tmp_path)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("case", sizes())
def test_transformers_gives_the_same_logits_and_takes_our_weights_back(depth, case, tmp_path):
    import_peer("torchvision")
    transformers = import_peer("transformers")
    row = network_row(f"resnet{depth}")
    widest = 4 if row.block == "bottleneck" else 1
    config = transformers.ResNetConfig(
        hidden_sizes=[64 * widest * 2**stage for stage in range(4)],
        depths=list(row.blocks),
        layer_type=row.block,
        num_labels=1000,
    )
    build = partial(transformers.ResNetForImageClassification, config)
    compare_both_ways(depth, case, build, "transformers", tmp_path)


def application(name):
    """A model of keras.applications, and its network here: (theirs, its twin, ours).

    `tiny` and `tiny_v2` have two stages of its blocks.
    """
    options = {"weights": None, "classifier_activation": None}
    if name.startswith("tiny"):
        options |= {"input_shape": (64, 64, 3), "classes": 7}
        row = TINY_V2 if name == "tiny_v2" else TINY_V1
        theirs = partial(tiny_application, row.order == "v2", **options)
        ours = keras_resnet.build(row, **options)
    else:
        options |= {"input_shape": (64, 64, 3), "classes": 10} if name == "VGG16" else {}
        theirs = partial(getattr(keras.applications, name), **options)
        ours = getattr(keras_resnet, name)(**options)
    return drawn_keras_model(theirs()), theirs, ours


def fed(name, x):
    """What keras.applications feeds its model, and what a record says to feed ours."""
    v2 = name.lower().endswith("v2")
    module = keras.applications.resnet_v2 if v2 else keras.applications.resnet
    record = "vgg16.keras" if "VGG" in name else "resnet50v2.keras" if v2 else "resnet50.keras"
    return module.preprocess_input(x.copy()), keras_resnet.preprocess_input(x, record)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tiny", ".weights.h5"),
        ("tiny", ".h5"),
        ("tiny_v2", ".weights.h5"),
        ("tiny_v2", ".h5"),
        pytest.param("ResNet50", ".h5", marks=pytest.mark.once),
        pytest.param("ResNet50", ".weights.h5", marks=slow),
        pytest.param("ResNet50V2", ".h5", marks=slow),
        pytest.param("ResNet50V2", ".weights.h5", marks=slow),
        pytest.param("VGG16", ".h5", marks=pytest.mark.once),
        pytest.param("VGG16", ".weights.h5", marks=slow),
        *(
            pytest.param(name, kind, marks=slow)
            for name in ("ResNet101", "ResNet152", "ResNet101V2", "VGG19")
            for kind in (".weights.h5", ".h5")
        ),
    ],
)
def test_keras_applications_gives_the_same_logits_and_takes_our_weights_back(name, kind, tmp_path):
    """With a bias in every convolution, an epsilon of 1.001e-5, and blue before red."""
    theirs, build, ours = application(name)
    path = tmp_path / f"theirs{kind}"
    if kind == ".h5":
        keras_2_file(theirs, path)
    else:
        theirs.save_weights(path)
    assert keras_resnet.load_weights(ours, path) == ()
    bgr, rgb = fed(name, images(2, theirs.input.shape[1:3]))
    wanted = our_logits(theirs, bgr)
    assert_same(our_logits(ours, rgb), wanted)
    if kind == ".h5":
        keras_resnet.save_weights(ours, tmp_path / "ours.h5", "keras")
        again = build()
        again.load_weights(tmp_path / "ours.h5")
        assert_same(our_logits(again, bgr), wanted)


@pytest.mark.parametrize("depth", DEPTHS)
def test_keras_hub_gives_the_same_features_by_name_and_by_number(depth, tmp_path):
    hub = import_peer("keras_hub")
    row = network_row(f"resnet{depth}")
    theirs = drawn_keras_model(
        hub.models.ResNetBackbone(
            input_conv_filters=[64],
            input_conv_kernel_sizes=[7],
            stackwise_num_filters=[64, 128, 256, 512],
            stackwise_num_blocks=list(row.blocks),
            stackwise_num_strides=[1, 2, 2, 2],
            block_type=f"{row.block}_block",
        )
    )
    theirs.save_weights(tmp_path / "model.weights.h5")
    x = normalized(images(2, (97, 75)))
    for named in (True, False):
        ours = network(depth, include_top=False)
        if not named:
            forget_names(tmp_path / "model.weights.h5")
        assert keras_resnet.load_weights(ours, tmp_path / "model.weights.h5") == ()
        features = our_logits(theirs, x)
        error = np.abs(our_logits(ours, x) - features).max() / np.abs(features).max()
        assert error <= 1e-4
