"""Our graphs with other libraries' weights give the other libraries' logits, and back again.

keras.applications needs no extra package. torchvision, timm, transformers and keras-hub come
with the extra `parity`; a test skips where one is absent. The images are real where
KERAS_RESNET_DATA names the folder of the shared data, and drawn otherwise.
"""

import io
import os
import random
import zipfile
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from support_parity import import_peer

import keras_resnet
from keras_resnet import paper

DATA = Path(os.environ.get("KERAS_RESNET_DATA", "/nowhere"))
DEPTHS = [18, pytest.param(34, marks=pytest.mark.slow), 50] + [
    pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152)
]
BOTTLENECKS = DEPTHS[2:]


def images(count, size):
    """RGB images (count, height, width, 3) of 0..255 in float32."""
    archive = DATA / "imagenet-sample.zip"
    if not archive.exists():
        return np.random.default_rng(0).integers(0, 256, (count, *size, 3)).astype("float32")
    from PIL import Image

    with zipfile.ZipFile(archive) as file:
        names = random.Random(0).sample(sorted(file.namelist()), count)
        pictures = [Image.open(io.BytesIO(file.read(name))).convert("RGB") for name in names]
    return np.stack([np.asarray(p.resize(size[::-1]), "float32") for p in pictures])


def sizes():
    """An odd, oblong size of a few images; twenty at the usual one under the marker slow."""
    return [(2, (97, 75)), pytest.param((20, (224, 224)), marks=pytest.mark.slow)]


def normalised(x):
    return (x - np.array([123.675, 116.28, 103.53])) / np.array([58.395, 57.12, 57.375])


def draw(shape, name, rng):
    """A weight that is neither zero nor one, and keeps activations of a sensible size."""
    if len(shape) > 1:
        return None
    if name.endswith(("running_var", "moving_variance")):
        return rng.uniform(0.5, 2.0, shape)
    if "gamma" in name or (name.endswith("weight") and len(shape) == 1):
        return rng.uniform(0.3, 0.9, shape)
    return rng.normal(0, 0.2, shape)


def with_drawn_torch_weights(model):
    import torch

    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    state = model.state_dict()
    for name, value in state.items():
        drawn = draw(tuple(value.shape), name, rng) if value.is_floating_point() else None
        if drawn is not None:
            state[name] = torch.tensor(drawn, dtype=torch.float32)
    model.load_state_dict(state)
    return model.eval()


def torch_logits(model, x):
    import torch

    with torch.no_grad():
        y = model(torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), dtype=torch.float32))
    return np.asarray(getattr(y, "logits", y))


def our_logits(model, x):
    return keras.ops.convert_to_numpy(model.predict(x, batch_size=10, verbose=0))


def assert_same(ours, theirs):
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"relative difference {error:.1e} of {theirs.shape[0]} images")
    assert np.ptp(theirs, axis=1).min() > 1e-3, "logits that do not vary would prove nothing"
    assert error <= 1e-4


def network(depth, **options):
    if depth >= 50:
        options.setdefault("stride_on", "3x3")
    return keras_resnet.build(
        f"resnet{depth}",
        weights=None,
        input_shape=(None, None, 3),
        classifier_activation=None,
        **options,
    )


def state_arrays(model):
    return {name: value.numpy() for name, value in model.state_dict().items()}


def saved(model, path, dialect):
    """What another PyTorch library is given: our safetensors, or a pickle where that is absent."""
    torch = pytest.importorskip("torch")
    keras_resnet.save_weights(model, path / "ours.pth", dialect)
    return torch.load(path / "ours.pth", weights_only=True)


def compare_both_ways(depth, case, build, dialect, path, **options):
    """Their logits from their weights in our graph; ours from our weights in their graph."""
    theirs, x = with_drawn_torch_weights(build()), normalised(images(*case))
    ours = network(depth, **options)
    assert keras_resnet.load_weights(ours, state_arrays(theirs)) == ()
    wanted = torch_logits(theirs, x)
    assert_same(our_logits(ours, x), wanted)
    again = build()
    again.load_state_dict(saved(ours, path, dialect))
    assert np.array_equal(torch_logits(again.eval(), x), wanted)


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
    row = paper.architecture(f"resnet{depth}")
    widest = 4 if row.block == "bottleneck" else 1
    config = transformers.ResNetConfig(
        hidden_sizes=[64 * widest * 2**stage for stage in range(4)],
        depths=list(row.blocks),
        layer_type=row.block,
        num_labels=1000,
    )
    build = partial(transformers.ResNetForImageClassification, config)
    compare_both_ways(depth, case, build, "transformers", tmp_path)


def drawn_keras_model(theirs):
    rng = np.random.default_rng(2)
    for variable in theirs.weights:
        drawn = draw(tuple(variable.shape), variable.path, rng)
        if drawn is not None:
            variable.assign(drawn)
    return theirs


def keras_application(depth):
    build = getattr(keras.applications, f"ResNet{depth}")
    return build(weights=None, classifier_activation=None)


@pytest.mark.parametrize("depth", BOTTLENECKS)
@pytest.mark.parametrize("kind", [".weights.h5", ".h5"])
def test_keras_applications_gives_the_same_logits_and_takes_our_weights_back(depth, kind, tmp_path):
    """With a bias in every convolution, an epsilon of 1.001e-5, and blue before red."""
    theirs = drawn_keras_model(keras_application(depth))
    path = tmp_path / f"theirs{kind}"
    if kind == ".h5":
        keras_2_file(theirs, path)
    else:
        theirs.save_weights(path)
    ours = network(depth, stride_on="1x1")
    assert keras_resnet.load_weights(ours, path) == ()
    x = images(2, (224, 224))
    bgr = keras.applications.imagenet_utils.preprocess_input(x.copy(), mode="caffe")
    rgb = keras_resnet.preprocess_input(x, f"resnet{depth}.keras")
    wanted = our_logits(theirs, bgr)
    assert_same(our_logits(ours, rgb), wanted)
    if kind == ".h5":
        keras_resnet.save_weights(ours, tmp_path / "ours.h5", "keras")
        again = keras_application(depth)
        again.load_weights(tmp_path / "ours.h5")
        assert_same(our_logits(again, bgr), wanted)


def keras_2_file(model, path):
    """The older format, as Keras 2 wrote it: names end in `:0`."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{variable.path}:0" for variable in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name, data=value)


@pytest.mark.parametrize("depth", DEPTHS)
def test_keras_hub_gives_the_same_features_by_name_and_by_number(depth, tmp_path):
    hub = import_peer("keras_hub")
    row = paper.architecture(f"resnet{depth}")
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
    x = normalised(images(2, (97, 75)))
    for named in (True, False):
        ours = network(depth, include_top=False)
        if not named:
            forget_names(tmp_path / "model.weights.h5")
        assert keras_resnet.load_weights(ours, tmp_path / "model.weights.h5") == ()
        features = our_logits(theirs, x)
        error = np.abs(our_logits(ours, x) - features).max() / np.abs(features).max()
        assert error <= 1e-4


def forget_names(path):
    """As Keras wrote `.weights.h5` before it kept the layers' names."""
    import h5py

    with h5py.File(path, "a") as file:
        file.visititems(lambda name, item: item.attrs.pop("name", None) and None)
