"""The names of keras.applications' layers are understood, and `.h5` files of whole models load."""

import keras
import numpy as np
import pytest
from support import fill, images

import keras_resnet
from keras_resnet import Architecture

pytestmark = pytest.mark.portable

THEIRS = {
    "resnet50": keras.applications.ResNet50,
    "resnet50v2": keras.applications.ResNet50V2,
    "vgg16": keras.applications.VGG16,
}
# Layers of theirs that only pad, or subsample in another way, have none that does the same.
WITHOUT = ("input_layer", "_pad", "max_pooling2d")


@pytest.mark.once
@pytest.mark.parametrize("name", THEIRS)
def test_a_layer_of_keras_applications_is_found_and_gives_a_map_of_its_shape(name):
    options = {"include_top": False, "input_shape": (64, 64, 3), "weights": None}
    theirs, ours = THEIRS[name](**options), keras_resnet.build(name, **options)
    for layer in theirs.layers:
        if not any(word in layer.name for word in WITHOUT):
            found = ours.get_layer(layer.name)
            assert found.output.shape == layer.output.shape, layer.name
    assert ours.get_layer("conv3_1").name == "conv3_1", "the paper's names come first"


@pytest.mark.once
@pytest.mark.parametrize("layers", ["fast", "keras"])
def test_the_head_and_the_pool_are_found_by_their_names_too(layers):
    model = keras_resnet.build("cifar_resnet8", layers=layers)
    assert model.get_layer("avg_pool") is model.get_layer("pool")
    assert model.get_layer("predictions") is model.get_layer("fc") is model.get_layer(index=-1)
    with pytest.raises(ValueError, match="No such layer: conv9_block1_out"):
        model.get_layer("conv9_block1_out")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.filterwarnings("ignore:Compiled the loaded model")
def test_an_h5_file_of_a_whole_model_loads_again(tmp_path):
    model = fill(keras_resnet.build(Architecture("basic", (1, 1), 4, "cifar", "A"), classes=5))
    x = images(2, 32, 32, 3)
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5", compile=False)
    assert isinstance(again, keras_resnet.Network)
    expected = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again(x, training=False)), expected, atol=1e-6
    )


@pytest.mark.once
def test_preprocessing_and_decoding_take_one_argument():
    x = np.full((1, 4, 4, 3), 100, "uint8")
    expected = keras_resnet.preprocess_input(x, "resnet50.a1")
    np.testing.assert_array_equal(keras_resnet.preprocess_input(x), expected)
    assert len(keras_resnet.decode_predictions(np.eye(1000)[[281]])[0]) == 5
