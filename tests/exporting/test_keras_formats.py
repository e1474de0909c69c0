"""What Keras' own `model.export` does of a network is what it does of one of stock layers."""

import pytest
from support import fill, images
from support.layers import as_array, assert_close

import keras_resnet
from keras_resnet.exporting import open_exported

NAMES = {
    "tf_saved_model": "model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
    "openvino": "model.xml",
    "torch": "model.pt2",
}
STATES = ("new", "compiled", "called", "trained")


def exported(layers, format, state, folder):
    """What the exported file computes, and the network; or the kind of error that Keras raises."""
    net = {"input_shape": (8, 8, 3), "classes": 3, "layers": layers}
    model = fill(keras_resnet.build("cifar_resnet8", **net))
    x = images(1, 8, 8, 3)
    if state in ("compiled", "trained"):
        model.compile("sgd", "mse")
    if state == "called":
        model(x)
    if state == "trained":
        model.fit(x, images(1, 3), verbose=0)
        model.predict(x, verbose=0)
    try:
        model.export(folder / layers / NAMES[format], format=format, verbose=False)
    except Exception as error:
        return type(error), None
    return open_exported(folder / layers / NAMES[format], format)(x)[0], model(x)


@pytest.mark.slow  # JAX, TensorFlow and OpenVINO take seconds for each
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("format", NAMES)
def test_keras_exports_a_network_where_it_exports_one_of_stock_layers(format, state, tmp_path):
    for layers in ("keras", "fast"):
        (tmp_path / layers).mkdir()
    theirs, _ = exported("keras", format, state, tmp_path)
    found, wanted = exported("fast", format, state, tmp_path)
    if isinstance(theirs, type):
        assert found is theirs
        return
    assert_close(found, as_array(wanted), 1e-5)
