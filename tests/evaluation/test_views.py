"""What a protocol shows to a network: crops, scales, and the network that slides."""

import dataclasses
import io
import zipfile

import keras
import numpy as np
import pytest
from keras import layers
from support import fill, filled, images
from support.evaluation import in_format, picture, small_rule, softmax

import keras_resnet
from keras_resnet.evaluation import PROTOCOLS, Geometry, Protocol, fully_convolutional, views
from keras_resnet.evaluation.contenders import Contender
from keras_resnet.evaluation.dense import logits_model
from keras_resnet.evaluation.progress import refuse_other_results
from keras_resnet.evaluation.protocols import as_dict
from keras_resnet.layers import SpatialPyramidPooling

pytestmark = pytest.mark.portable


def geometry(protocol, size=224, resize=256, interpolation="bilinear"):
    return Geometry(PROTOCOLS[protocol], size, resize, interpolation)


@pytest.mark.once
@pytest.mark.parametrize(
    ("protocol", "count"), [("1-crop", 1), ("10-crop", 10), ("144-crop", 144), ("multi-scale", 10)]
)
def test_a_protocol_has_as_many_views_as_its_paper_says(protocol, count):
    found = views(picture(300, 400), geometry(protocol))
    assert len(found) == count
    if protocol != "multi-scale":
        assert {view.shape for view in found} == {(224, 224, 3)}


@pytest.mark.once
def test_multi_scale_has_the_five_scales_of_the_paper():
    sides = [min(view.shape[:2]) for view in views(picture(300, 400), geometry("multi-scale"))]
    assert sides == [224, 224, 256, 256, 384, 384, 480, 480, 640, 640]


@pytest.mark.once
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_ten_crops_are_torchvisions_bit_for_bit(interpolation, shared_data):
    from support.parity import import_peer

    transforms = import_peer("torchvision.transforms")
    image = pytest.importorskip("PIL.Image")
    mode = transforms.InterpolationMode(interpolation)
    theirs = transforms.Compose([transforms.Resize(256, mode), transforms.TenCrop(224)])
    one = transforms.Compose([transforms.Resize(256, mode), transforms.CenterCrop(224)])
    with zipfile.ZipFile(shared_data / "imagenet-sample.zip") as archive:
        for name in sorted(archive.namelist())[::25]:
            opened = image.open(io.BytesIO(archive.read(name))).convert("RGB")
            pixels = np.asarray(opened)
            ours = views(pixels, geometry("10-crop", interpolation=interpolation))
            for mine, crop in zip(ours, theirs(opened), strict=True):
                np.testing.assert_array_equal(mine, np.asarray(crop), err_msg=name)
            (mine,) = views(pixels, geometry("1-crop", interpolation=interpolation))
            np.testing.assert_array_equal(mine, np.asarray(one(opened)), err_msg=name)


@pytest.mark.once
def test_the_144_crops_are_those_that_googlenets_paper_describes():
    pixels = picture(300, 400)
    found = views(pixels, geometry("144-crop"))
    assert len({view.tobytes() for view in found}) == 144
    from keras_resnet.evaluation.geometry import resize

    small = resize(pixels, 256)
    # The first 36 are of the scale 256: of the left square its first corner, and mirrored.
    np.testing.assert_array_equal(found[0], small[:224, :224])
    np.testing.assert_array_equal(found[6], found[0][:, ::-1])
    np.testing.assert_array_equal(found[27], small[-224:, -224:])
    upright = views(np.ascontiguousarray(pixels.transpose(1, 0, 2)), geometry("144-crop"))
    np.testing.assert_array_equal(upright[27], resize(pixels.transpose(1, 0, 2), 256)[-224:, -224:])


@pytest.mark.once
def test_an_image_smaller_than_the_crop_is_enlarged():
    for shape in ((1, 1), (3, 5), (100, 20)):
        for protocol in PROTOCOLS:
            assert len(views(picture(*shape), geometry(protocol, 32, 37)))


@pytest.mark.once
def test_an_image_that_would_become_too_large_is_refused():
    with pytest.raises(ValueError, match=r"20000x1 pixels would become one of 5120000x256"):
        views(np.zeros((1, 20_000, 3), "uint8"), geometry("1-crop"))


@pytest.mark.once
def test_dense_views_may_be_cut_to_a_multiple():
    protocol = dataclasses.replace(PROTOCOLS["dense"], multiple=32)
    found = views(picture(300, 400), Geometry(protocol, 224, 256))
    assert [view.shape[:2] for view in found] == [(256, 320), (256, 320)]


@pytest.mark.once
def test_results_of_version_01_spell_the_center_otherwise():
    protocol = PROTOCOLS["1-crop"]
    assert dataclasses.replace(protocol, views="centre") == protocol
    saved = {"protocol": as_dict(protocol) | {"views": "centre"}}
    refuse_other_results("r.json", saved, {"protocol": as_dict(protocol)})
    with pytest.raises(ValueError, match="views"):
        refuse_other_results("r.json", saved, {"protocol": as_dict(PROTOCOLS["10-crop"])})


@pytest.mark.once
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"views": "five"}, r"`views` must be one of .*Received: views='five'"),
        ({"scales": (0,)}, r"`scales` must be at least 1. Received: scales=\(0,\)"),
        ({"scales": (200,)}, r"at least 224.*Received: \[200\]"),
        ({"scales": ()}, r"`scales` may be empty.*Received: views='dense'"),
        ({"multiple": 0}, r"Received: multiple=0"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PROTOCOLS["dense"], **change)


NARROW = keras_resnet.Architecture("basic", (1, 1, 1, 1), 8, "imagenet", "B")


def small_network(activation="softmax", name=NARROW, size=64):
    shape = in_format(np.zeros((size, size, 3))).shape
    return fill(
        keras_resnet.build(name, classes=7, input_shape=shape, classifier_activation=activation)
    )


@pytest.mark.parametrize(("name", "activation"), [(NARROW, "softmax"), ("cifar_resnet8", None)])
def test_a_network_that_slides_is_the_network_at_the_size_of_the_crop(name, activation):
    model = small_network(activation, name)
    x = images(2, 64, 64, 3)
    scores = fully_convolutional(model).predict(x, verbose=0)
    assert scores.shape == (2, 1, 1, 7)
    np.testing.assert_allclose(scores[:, 0, 0], model.predict(x, verbose=0), atol=2e-5)


def head(image, x, kind):
    """Fully connected layers behind a map, as VGG, GoogLeNet and the PReLU-net have them."""
    if kind == "vgg":
        x = layers.Flatten()(x)
        x = layers.Dropout(0.5)(layers.Dense(11, "relu", name="fc6")(x))
        x = layers.Dense(5, "softmax", name="fc8")(x)
    elif kind == "googlenet":
        x = layers.Flatten()(layers.Dropout(0.4)(layers.AveragePooling2D(4)(x)))
        x = layers.Dense(5, name="fc")(x)
    else:
        x = layers.Dense(11, name="fc6")(layers.Flatten()(x))
        x = layers.BatchNormalization()(layers.PReLU()(x))
        x = layers.Softmax()(layers.Dense(5)(x))
    return keras.Model(image, x)


@pytest.mark.parametrize("kind", ["vgg", "googlenet", "prelu"])
def test_flattened_maps_and_full_layers_slide_too(kind):
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(6, 3, 2, padding="same", activation="relu")(image)
    model = head(image, layers.MaxPooling2D(2)(x), kind)
    for variable in model.weights:
        variable.assign(np.abs(images(*variable.shape, label=variable.path)) / 3)
    dense = fully_convolutional(model)
    x = images(2, 16, 16, 3)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(dense.predict(x, verbose=0)[:, 0, 0], expected, rtol=1e-5, atol=1e-6)
    # A larger image has neighbors: here the last map is 5 x 4, and a window 4 x 4 of it.
    assert dense.predict(images(1, 20, 16, 3), verbose=0).shape == (1, 2, 1, 5)


def test_a_pyramid_of_the_map_slides_as_one_of_every_window():
    image = keras.Input((8, 8, 3))
    x = SpatialPyramidPooling((3, 1))(layers.Conv2D(4, 1)(image))
    x = layers.PReLU()(layers.Dense(6)(x))
    model = keras.Model(image, layers.Dense(5, "softmax")(x))
    for variable in model.weights:
        variable.assign(images(*variable.shape, label=variable.path))
    x = images(2, 10, 9, 3)
    scores = fully_convolutional(model).predict(x, verbose=0)
    assert scores.shape == (2, 3, 2, 5)
    for row in range(3):
        for column in range(2):
            expected = model.predict(x[:, row : row + 8, column : column + 8], verbose=0)
            np.testing.assert_allclose(scores[:, row, column], expected, atol=1e-5)


def test_networks_slide_with_channels_first(channels_first):
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow on a CPU has no channels_first convolution")
    model = small_network("softmax", "cifar_resnet8", size=32)
    dense = fully_convolutional(model)
    x = in_format(images(1, 32, 32, 3))
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(dense.predict(x, verbose=0)[:, 0, 0], expected, atol=1e-5)
    wide = dense.predict(in_format(images(1, 32, 40, 3)), verbose=0)
    assert wide.shape == (1, 1, 3, 7)
    np.testing.assert_allclose(wide.sum(-1), 1, atol=1e-5)


def test_a_network_of_unknown_sides_slides_when_its_crop_is_given():
    model = filled("cifar_resnet8", input_shape=(None, None, 3))
    with pytest.raises(ValueError, match=r"pass input_shape.*Received: \(None, None, 3\)"):
        fully_convolutional(model)
    dense = fully_convolutional(model, (32, 32, 3))
    assert dense.predict(images(1, 36, 32, 3), verbose=0).shape == (1, 2, 1, 10)


@pytest.mark.once
def test_a_network_that_cannot_slide_is_refused():
    image = keras.Input((8, 8, 3))
    x = layers.Reshape((192,))(image)
    with pytest.raises(ValueError, match=r"'reshape.*' \(Reshape\) cannot slide"):
        fully_convolutional(keras.Model(image, layers.Dense(3)(x)))
    with pytest.raises(TypeError, match=r"`model` must be a keras.Model\."):
        fully_convolutional("resnet50")


@pytest.mark.once
def test_the_network_itself_stays_as_it_was():
    model = small_network(name="cifar_resnet8", size=32)
    before, output = model.get_weights(), model.layers[-1].output
    fully_convolutional(model)
    logits_model(model)
    assert model.layers[-1].output is output
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("scale", [32, 91])
def test_dense_scores_are_the_mean_over_explicit_windows(scale):
    """91 of 32 is 640 of 224: the last map's windows, one at a time, in NumPy."""
    size = 32
    model = small_network("softmax", "resnet18", size)
    protocol = Protocol("dense", "dense", (round(scale * 224 / size),), "")
    contender = Contender(model, protocol, small_rule(size))
    pixels = picture(120, 150)
    shown = views(pixels, contender.geometry)
    assert min(shown[0].shape[:2]) == scale
    found = contender.scores(shown, len(shown)).mean(axis=0)
    np.testing.assert_allclose(found, by_windows(model, pixels, scale, size), atol=1e-4)


def by_windows(model, pixels, scale, size):
    """Mean probabilities over all windows of the last map of the image and its mirror image."""
    from PIL import Image

    shape = pixels.shape[:2]
    sides = [scale * side // min(shape) for side in shape]
    resized = np.asarray(Image.fromarray(pixels).resize(sides[::-1], Image.Resampling.BILINEAR))
    base = keras_resnet.build(model.name, False, input_shape=(*sides, 3))
    base.set_weights(model.get_weights()[:-2])
    kernel, bias = model.get_layer("fc").get_weights()
    window = size // 32
    scores = []
    for view in (resized, resized[:, ::-1]):
        x = keras_resnet.preprocess_input(view[None], "tv").astype("float32")
        (last_map,) = base.predict(x, verbose=0)
        rows, columns = (side - window + 1 for side in last_map.shape[:2])
        scores += [
            softmax(last_map[i : i + window, j : j + window].mean((0, 1)) @ kernel + bias)
            for i in range(rows)
            for j in range(columns)
        ]
    assert len(scores) >= 2
    return np.mean(scores, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_multi_scale_on_a_large_image_is_the_mean_over_explicit_windows(name):
    """The paper's five scales, at the paper's size, of an image of 640 pixels."""
    model = small_network("softmax", name, 224)
    contender = Contender(model, PROTOCOLS["multi-scale"], small_rule(224))
    pixels = picture(640, 700)
    found = [contender.scores([view], 1)[0] for view in views(pixels, contender.geometry)]
    expected = [by_windows(model, pixels, scale, 224) for scale in (224, 256, 384, 480, 640)]
    np.testing.assert_allclose(np.mean(found, 0), np.mean(expected, 0), atol=1e-4)
