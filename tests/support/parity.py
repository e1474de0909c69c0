"""Libraries whose networks are compared with ours."""

import io
import os
import random
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_resnet


def import_peer(name):
    """A library for comparison, also where torch has no compiled operators for torchvision."""
    torch = pytest.importorskip("torch", reason="comparing with PyTorch libraries needs torch")
    register = torch.library.register_fake

    def register_known(op, *args, **kwargs):
        known = not (isinstance(op, str) and op.startswith("torchvision::"))
        return register(op, *args, **kwargs) if known else (lambda function: function)

    torch.library.register_fake = register_known
    try:
        return pytest.importorskip(name, reason=f'{name} comes with the extra "parity"')
    finally:
        torch.library.register_fake = register


DATA = Path(os.environ.get("KERAS_RESNET_DATA", "/nowhere"))


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


def normalized(x):
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
    theirs, x = with_drawn_torch_weights(build()), normalized(images(*case))
    ours = network(depth, **options)
    assert keras_resnet.load_weights(ours, state_arrays(theirs)) == ()
    wanted = torch_logits(theirs, x)
    assert_same(our_logits(ours, x), wanted)
    again = build()
    again.load_state_dict(saved(ours, path, dialect))
    assert np.array_equal(torch_logits(again.eval(), x), wanted)


def drawn_keras_model(theirs):
    rng = np.random.default_rng(2)
    for variable in theirs.weights:
        drawn = draw(tuple(variable.shape), variable.path, rng)
        if drawn is not None:
            variable.assign(drawn)
    return theirs


def tiny_application(v2, **options):
    """Two stages of keras.applications' own blocks; V2 downsamples at the end of the first."""
    from keras.src.applications import resnet

    stack = resnet.stack_residual_blocks_v2 if v2 else resnet.stack_residual_blocks_v1

    def stages(x):
        x = stack(x, 64, 2 if v2 else 1, stride1=2 if v2 else 1, name="conv2")
        return stack(x, 128, 2, stride1=1 if v2 else 2, name="conv3")

    return resnet.ResNet(stages, preact=v2, use_bias=True, name="tiny", **options)


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


def forget_names(path):
    """As Keras wrote `.weights.h5` before it kept the layers' names."""
    import h5py

    with h5py.File(path, "a") as file:
        file.visititems(lambda name, item: item.attrs.pop("name", None) and None)
