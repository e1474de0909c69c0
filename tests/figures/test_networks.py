"""Pictures of what networks do: responses, feature maps, filters, where a class is seen."""

import dataclasses

import keras
import numpy as np
import pytest
from support import filled, images

import keras_resnet
from keras_resnet import figures
from keras_resnet.networks.family import network_row

pytestmark = pytest.mark.portable

pytest.importorskip("matplotlib", reason='matplotlib comes with the extra "recipes"')


@pytest.fixture(scope="module")
def model():
    return filled("cifar_resnet8", classifier_activation=None)


def responses_by_hand(model, x):
    """Standard deviation of every BN's output but shortcuts', each from a model of its own."""
    found = {}
    for layer in model.layers:
        if layer.name.endswith("_bn") and "shortcut" not in layer.name:
            outputs = keras.Model(model.input, layer.output).predict(x, verbose=0)
            found[layer.name[:-3]] = float(np.std(outputs.astype("float64")))
    return found


def test_responses_are_the_deviation_after_bn_and_before_relu(model):
    x = images(5, 32, 32, 3)
    found = figures.layer_responses(model, x, batch_size=2)
    assert len(found) == 7  # 6n + 1
    expected = responses_by_hand(model, x)
    assert list(found) == list(expected)
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-4)


@pytest.mark.once
def test_responses_need_a_network_and_images(model):
    with pytest.raises(ValueError, match=r"Received: 'cifar_resnet8' and 0 images"):
        figures.layer_responses(model, np.zeros((0, 32, 32, 3)))
    image = keras.Input((4, 4, 3))
    with pytest.raises(ValueError, match="must be a plain or residual network"):
        figures.layer_responses(
            keras.Model(image, keras.layers.ReLU()(image)), np.zeros((1, 4, 4, 3))
        )
    with pytest.raises(ValueError, match=r"must hold a network. Received: \{\}"):
        figures.responses_figure({})


@pytest.mark.once
def test_fig_7_has_the_layers_in_order_and_sorted():
    responses = {"plain-8": {"a": 1.0, "b": 3.0, "c": 2.0}, "ResNet-8": {"a": 0.5, "b": 0.4}}
    above, below = figures.responses_figure(responses).axes
    assert list(above.lines[0].get_ydata()) == [1.0, 3.0, 2.0]
    assert list(below.lines[0].get_ydata()) == [3.0, 2.0, 1.0]
    assert above.lines[0].get_linestyle() != above.lines[1].get_linestyle()
    assert above.get_ylim()[0] <= 0.4
    assert above.get_ylim()[1] >= 3.0


@pytest.mark.once
def test_every_channel_of_a_layer_has_a_picture(model):
    x = images(32, 32, 3)
    figure = figures.feature_maps(model, x, "conv3_1_a")
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 32
    expected = keras.Model(model.input, model.get_layer("conv3_1_a").output)(x[None])
    expected = keras.ops.convert_to_numpy(expected)[0]
    np.testing.assert_allclose(shown[5].images[0].get_array(), expected[..., 5], atol=1e-5)
    assert "32 channels of 16x16" in figure.get_suptitle()
    assert "4 of them shown" in figures.feature_maps(model, x, "conv1", 4).get_suptitle()
    with pytest.raises(ValueError, match=r"one of \d+ layers .* such as conv.*layer='conv9'"):
        figures.feature_maps(model, x, "conv9")
    with pytest.raises(ValueError, match=r"no map. Received: shape \(10,\)"):
        figures.feature_maps(model, x, "fc")
    with pytest.raises(ValueError, match=r"one image of 3 axes. Received: shape \(1, 32, 32, 3\)"):
        figures.feature_maps(model, x[None], "conv1")


@pytest.mark.once
def test_one_picture_goes_from_conv1_to_the_last_stage(model):
    figure = figures.stages_figure(model, images(32, 32, 3), np.zeros((32, 32, 3), "uint8"))
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert words[0] == "image"
    assert words[2::2] == ["conv1", "conv2_x", "conv3_x", "conv4_x"]
    assert words[-1] == "64 channels\nof 8x8"


@pytest.mark.once
def test_every_first_filter_has_a_picture(model):
    figure = figures.first_layer_filters(model)
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(shown) == 16
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in shown)
    with pytest.raises(
        ValueError, match=r"layer='conv2_1_a' with a kernel of shape \(3, 3, 16, 16\)"
    ):
        figures.first_layer_filters(model, "conv2_1_a")


def test_the_mean_of_a_class_activation_map_is_the_logit_without_its_bias(model):
    x = images(32, 32, 3)
    logits = model.predict(x[None], verbose=0)[0]
    bias = model.get_layer("fc").get_weights()[1]
    for label in (None, 3):
        found, which = figures.class_activation_map(model, x, label)
        assert which == (logits.argmax() if label is None else label)
        assert found.mean() + bias[which] == pytest.approx(logits[which], abs=1e-4)
    assert len(figures.activation_figure(np.zeros((32, 32, 3)), found, "cat").axes) == 3


@pytest.mark.once
def test_the_class_activation_map_of_a_network_within_models():
    inner = filled("cifar_resnet8", include_top=False, pooling="avg")
    head = keras.Sequential([inner, keras.layers.Dropout(0.5), keras.layers.Dense(4)])
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(2.0), head])
    x = images(32, 32, 3)
    found, _ = figures.class_activation_map(model, x, 3)
    bias = head.layers[-1].get_weights()[1][3]
    logit = model.predict(x[None], verbose=0)[0, 3]
    assert found.mean() + bias == pytest.approx(logit, abs=1e-4)


@pytest.mark.once
def test_a_class_activation_map_needs_a_class_and_a_pooled_map(model):
    with pytest.raises(ValueError, match=r"from 0 to 9. Received: 10"):
        figures.class_activation_map(model, images(32, 32, 3), 10)
    with pytest.raises(ValueError, match="global average pooling and a fully connected"):
        figures.class_activation_map(
            keras_resnet.build("cifar_resnet8", include_top=False), images(32, 32, 3)
        )


@pytest.mark.once
@pytest.mark.parametrize("name", ["googlenet", "vgg11", "prelu_net_a", "preact_resnet18"])
def test_the_systems_compared_have_pictures_too(name):
    row = network_row(name)
    small = {"width": 8} if hasattr(row, "width") else {"filters": (8, 8, 8), "conv1": 8}
    if hasattr(row, "units"):
        small["units"] = 16
    row = dataclasses.replace(row, **small)
    model = filled(row, classes=7, classifier_activation=None)
    x = images(224, 224, 3)
    for figure in (figures.stages_figure(model, x), figures.first_layer_filters(model)):
        assert all(axes.images[0].get_array().ndim > 1 for axes in figure.axes if axes.images)
    if name in ("vgg11", "prelu_net_a"):
        with pytest.raises(ValueError, match="global average pooling and a fully connected"):
            figures.class_activation_map(model, x)
    else:
        logits = model.predict(x[None], verbose=0)[0]
        bias = model.get_layer("fc").get_weights()[1]
        found, _ = figures.class_activation_map(model, x, 3)
        assert found.mean() + bias[3] == pytest.approx(logits[3], abs=1e-3)
    with pytest.raises(ValueError, match="plain or residual network of the paper"):
        figures.layer_responses(model, x[None])


def test_maps_are_drawn_with_channels_first(channels_first):
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow on a CPU has no channels_first convolution")
    model = filled("cifar_resnet8")
    x = images(3, 32, 32)
    assert "16 channels of 32x32" in figures.feature_maps(model, x, "conv1").get_suptitle()
    assert figures.class_activation_map(model, x)[0].shape == (8, 8)


@pytest.mark.once
def test_a_figure_is_written_as_png_and_svg(tmp_path):
    figure = figures.responses_figure({"ResNet-8": {"conv1": 1.0, "conv2_1_a": 0.5}})
    paths = figures.save(figure, tmp_path / "deep" / "fig7.1")
    assert [path.name for path in paths] == ["fig7.1.png", "fig7.1.svg"]
    assert paths[0].read_bytes()[:4] == b"\x89PNG"
    assert b"<svg" in paths[1].read_bytes()
    assert len(list(paths[0].parent.iterdir())) == 2


@pytest.mark.once
def test_errors_may_be_drawn_against_iterations():
    history = {"training_error": [9.0, 5.0], "test_error": [9.0, 6.0], "step": [391, 782]}
    (axes,) = figures.training_curves({"ResNets": {"ResNet-20": history}}, most=20).axes
    assert axes.get_xlabel() == "iterations"
    assert list(axes.lines[0].get_xdata()) == [391, 782]
    assert axes.get_ylim() == (0, 20)
    bare = {name: history[name] for name in ("training_error", "test_error")}
    with pytest.raises(ValueError, match=r"all histories have 'step' or none. Received: 1 of 2"):
        figures.training_curves({"ResNets": {"a": history, "b": bare}})
    with pytest.raises(ValueError, match="'step' as many or none"):
        figures.training_curves({"ResNets": {"a": history | {"step": [1]}}})
