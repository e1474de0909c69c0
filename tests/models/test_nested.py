"""What can be asked of a network can be asked of a user's model that holds it, at any depth."""

import keras
import numpy as np
import pytest
from support import fill, filled, images

import keras_resnet
from keras_resnet.figures import feature_maps, first_layer_filters, layer_responses

SHAPE = (32, 32, 3)


def network(name="net"):
    return filled("cifar_resnet8", include_top=False, pooling="avg", input_shape=SHAPE, name=name)


def in_sequential(net):
    return keras.Sequential([keras.Input(SHAPE), net, keras.layers.Dense(4, name="own")])


def two_deep(net):
    image = keras.Input(SHAPE)
    scaled = keras.layers.Rescaling(2.0)
    inner = keras.Sequential([keras.Input(SHAPE), scaled, net], name="inner")
    return keras.Model(image, keras.layers.Dense(4, name="own")(inner(image)))


def siamese(net):
    pair = [keras.Input(SHAPE, name="left"), keras.Input(SHAPE, name="right")]
    apart = keras.ops.abs(net(pair[0]) - net(pair[1]))
    return keras.Model(pair, keras.layers.Dense(1, name="own")(apart))


MODELS = {function.__name__: function for function in (in_sequential, two_deep, siamese)}


@pytest.fixture(params=MODELS)
def made(request):
    net = network()
    return net, fill(MODELS[request.param](net))


@pytest.mark.portable
def test_weights_of_the_network_alone_are_loaded_into_a_model_around_it(made, tmp_path):
    net, model = made
    other = network()
    other.set_weights([0.5 * value for value in other.get_weights()])
    keras_resnet.save_weights(other, tmp_path / "net.safetensors")
    own = model.get_layer("own").get_weights()
    assert keras_resnet.load_weights(model, tmp_path / "net.safetensors") == ()
    for loaded, value in zip(net.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, value)
    for kept, value in zip(model.get_layer("own").get_weights(), own, strict=True):
        np.testing.assert_array_equal(kept, value)


@pytest.mark.portable
def test_a_file_that_lacks_a_layer_of_the_network_itself_is_refused(tmp_path):
    keras_resnet.save_weights(network(), tmp_path / "net.npz", "keras_resnet")
    with np.load(tmp_path / "net.npz") as arrays:
        part = {name: array for name, array in arrays.items() if "conv3_1_a/" not in name}
    model = in_sequential(network())
    with pytest.raises(ValueError, match=r"missing \(1\): conv3_1_a/kernel"):
        keras_resnet.load_weights(model, part)


def test_endpoints_of_a_network_that_is_called_twice_are_those_of_its_first_call():
    net = network()
    model = siamese(net)
    ends = keras.Model(model.input, keras_resnet.endpoints(model))
    left, right = images(2, *SHAPE), 3 * images(2, *SHAPE)
    alone = keras.Model(net.input, keras_resnet.endpoints(net))(left, training=False)
    found = ends([left, right], training=False)
    assert list(found) == list(alone) == ["conv1", "conv2_x", "conv3_x", "conv4_x"]
    for name in found:
        given, expected = map(keras.ops.convert_to_numpy, (found[name], alone[name]))
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.portable
@pytest.mark.parametrize("around", [in_sequential, two_deep])
def test_pictures_of_layers_are_drawn_of_the_network_inside(around):
    net = network()
    model = around(net)
    x = images(3, *SHAPE)
    seen = x if around is in_sequential else 2 * x
    assert layer_responses(model, x) == pytest.approx(layer_responses(net, seen), rel=1e-4)
    assert "conv2_1_a" in feature_maps(model, x[0], "conv2_1_a")._suptitle.get_text()
    assert "conv1" in first_layer_filters(model)._suptitle.get_text()
    with pytest.raises(ValueError, match=r"such as .*conv2_1.*Received: layer='conv2_1_z'"):
        feature_maps(model, x[0], "conv2_1_z")


@pytest.mark.portable
def test_two_networks_inside_are_named():
    image = keras.Input(SHAPE)
    model = keras.Model(image, keras.layers.add([network("one")(image), network("two")(image)]))
    with pytest.raises(ValueError, match=r"Received: 'one' and 'two' in"):
        layer_responses(model, images(1, *SHAPE))
