"""Rows that several networks share: ResNet-C and -D are rows, and options of the paper's."""

import keras
import numpy as np
import pytest
from support import filled

import keras_resnet
from keras_resnet.networks.family import network_row
from keras_resnet.weights.find import find


@pytest.mark.once
def test_a_row_of_resnet_d_takes_the_sets_of_its_own_stem_alone():
    names = [record.name for record in keras_resnet.list_weights("resnet50d")]
    assert names == ["d_ra2", "d_a1", "d_a2", "d_ra4", "d_a3", "d_gluon"]
    assert find("imagenet", network_row("resnet50d")).id == "resnet50.d_ra4"
    assert find("imagenet", network_row("resnet50")).row.name == "resnet50"
    with pytest.raises(ValueError, match=r"one of the network's own: 'd_ra2'.* weights='tv2'"):
        find("tv2", network_row("resnet50d"))


def test_a_trunk_without_a_head_starts_a_network_without_a_top(tmp_path):
    """As the files of DINO, Barlow Twins and VICReg are: torchvision's names, and no `fc`."""
    torch = pytest.importorskip("torch")
    whole = filled("resnet18", input_shape=(32, 32, 3))
    keras_resnet.save_weights(whole, tmp_path / "whole.npz", "torchvision")
    with np.load(tmp_path / "whole.npz") as arrays:
        trunk = {n: torch.from_numpy(a) for n, a in arrays.items() if not n.startswith("fc.")}
    torch.save(trunk, tmp_path / "trunk.pth")
    shape = {"include_top": False, "input_shape": (32, 32, 3)}
    model = keras_resnet.ResNet18(weights=tmp_path / "trunk.pth", **shape)
    theirs = {variable.path: keras.ops.convert_to_numpy(variable) for variable in whole.weights}
    assert set(theirs) - {v.path for v in model.weights} == {"fc/kernel", "fc/bias"}
    for variable in model.weights:
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), theirs[variable.path])
    with pytest.raises(ValueError, match=r"(?s)fc\.weight.*skip_mismatch"):
        keras_resnet.ResNet18(weights=tmp_path / "trunk.pth", input_shape=(32, 32, 3))


@pytest.mark.once
@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("cifar_resnet8", {}),
        ("cifar_resnet8", {"shortcut": "B"}),
        ("cifar_plain8", {}),
        ("resnet18", {"stem": "deep", "downsample": "avg"}),
        ("resnet18d", {}),
    ],
)
def test_a_file_builds_the_network_that_it_is_of(network, options, tmp_path):
    """Without a word of options that the network does not have with its shortcut."""
    trained = keras_resnet.build(network, input_shape=(32, 32, 3), **options)
    keras_resnet.save_weights(trained, tmp_path / "mine.safetensors")
    again = keras_resnet.build(
        network, input_shape=(32, 32, 3), weights=tmp_path / "mine.safetensors"
    )
    for given, expected in zip(again.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(given, expected)
