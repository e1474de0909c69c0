"""What an export does to a mixed policy, to sides left open and to padding."""

import keras
import numpy as np
import pytest
from support import BACKEND, fill, filled, images

import keras_resnet
from keras_resnet.exporting import export, read_metadata, verification


def test_a_mixed_model_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = filled("cifar_resnet8", input_shape=(8, 8, 3))
    report = export(model, tmp_path / "net.keras")
    assert 1e-5 < report.relative < 0.1


def test_a_model_of_any_size_takes_the_size_it_is_exported_for(tmp_path):
    model = filled("cifar_resnet8", input_shape=(None, None, 3))
    with pytest.raises(ValueError, match=r"'onnx' is for images of one size.*image_size="):
        export(model, tmp_path / "net.onnx")
    report = export(model, tmp_path / "net.keras", image_size=(12, 20), batch=3)
    assert read_metadata(report.path)["input"]["shape"] == [3, 12, 20, 3]
    assert report.batches == (3,)


@pytest.mark.skipif(BACKEND != "torch", reason="the graph that torch writes")
def test_padding_is_part_of_convolutions_and_pools_where_that_is_the_same():
    from keras_resnet.exporting.torch_graph import TorchConv2D, TorchMaxPooling2D, joined

    steps = [
        keras.layers.ZeroPadding2D(2),
        keras.layers.Conv2D(4, 5, 2, activation="relu"),
        keras.layers.Conv2D(6, 3, padding="same", dilation_rate=2),
        keras.layers.ReLU(),
        keras.layers.ZeroPadding2D(1),
        keras.layers.MaxPooling2D(3, 2),
    ]
    stay = [
        keras.layers.ZeroPadding2D(((0, 1), (0, 1))),
        keras.layers.Conv2D(4, 2),
        keras.layers.Conv2D(4, 3, 2, padding="same"),
        keras.layers.ZeroPadding2D(1),
        keras.layers.MaxPooling2D(2),
    ]
    x = image = keras.Input((21, 22, 3))
    for step in (*steps, *stay):
        x = step(x)
    model = fill(keras.Model(image, x))
    copy = joined(model)
    kinds = [type(layer) for layer in copy.layers]
    assert kinds.count(keras.layers.ZeroPadding2D) == 2
    assert (kinds.count(TorchConv2D), kinds.count(TorchMaxPooling2D)) == (3, 2)
    assert copy.output.shape == model.output.shape
    x = images(2, 21, 22, 3)
    expected, found = (verification.outputs_of(one, x)[0] for one in (model, copy))
    assert np.abs(expected - found).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.portable
def test_images_that_are_too_small_for_a_network_are_refused(tmp_path):
    """A layer that halves its map needs more than the one pixel that is left."""
    model = keras_resnet.build("cifar_resnet8")
    free = keras_resnet.build("cifar_resnet8", input_shape=(None, None, 3))
    tiny = keras_resnet.weights.ImageRule(size=2)
    wanted = r"larger for 'cifar_resnet8': 'conv4_1_a' .* Received: images of \({}, {}, 3\)"
    for net, options, sides in [
        (model, {"image_size": 2}, (2, 2)),
        (model, {"image_size": (16, 2)}, (16, 2)),
        (free, {"preprocessing": tiny, "image_size": 9}, (2, 2)),
    ]:
        with pytest.raises(ValueError, match=wanted.format(*sides)):
            export(net, tmp_path / "net.keras", **options)
    with pytest.raises(ValueError, match=r"from 1 to 65,535. Received: image_size=65536"):
        export(model, tmp_path / "net.keras", image_size=65_536)
    assert not list(tmp_path.iterdir())
    assert export(model, tmp_path / "net.keras", image_size=3, verify=False).bytes
