"""Evaluation of odd and wrong images, labels, models and arguments."""

import io

import keras
import numpy as np
import pytest
from keras import layers
from support import fill, images
from support.evaluation import (
    CLASSES,
    Collection,
    collection,
    encoded,
    picture,
    run,
    small_network,
    small_rule,
)

import keras_resnet
from keras_resnet.evaluation import evaluate
from keras_resnet.weights import ImageRule

pytestmark = pytest.mark.portable


@pytest.fixture(scope="module")
def small():
    return small_network()


# ---- Images as they come -----------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_images_of_any_colors_are_taken(mode, small):
    kind = {"CMYK": "JPEG"}.get(mode, "PNG")
    data = Collection([encoded(picture(40, 50), kind, mode)], [1], "abcdefg")
    assert run(small, data).images == 1


def test_tiny_and_narrow_images_are_taken(small):
    files = [encoded(picture(*shape)) for shape in ((1, 1), (5, 3), (32, 2_000))]
    assert run(small, Collection(files, [0, 1, 2], "abcdefg"), "10-crop").images == 3


def damaged():
    return encoded(picture(40, 50), "JPEG")[:400]


def deep_grey():
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), "uint16")).save(file, "PNG")
    return file.getvalue()


def huge():
    """20,000 pixels along each side, in a few kilobytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.once
@pytest.mark.parametrize("make", [damaged, deep_grey, huge, bytes, lambda: b"no image"])
def test_a_file_that_is_no_image_to_us_is_named(make, small):
    data = Collection([encoded(picture(40, 50)), make()], [0, 1], "abcdefg")
    with pytest.raises(ValueError, match=r"folder/1.jpg cannot be read as an image"):
        run(small, data)


@pytest.mark.once
def test_an_image_that_would_grow_too_large_is_named():
    data = Collection([encoded(np.zeros((1, 20_000, 3), "uint8"))], [0], "abcdefg")
    with pytest.raises(ValueError, match=r"folder/0.jpg: An image of 20000x1 pixels would become"):
        run(
            keras_resnet.build("cifar_resnet8", classes=7, input_shape=(None, None, 3)),
            data,
            record=ImageRule(size=256),
        )


@pytest.mark.once
def test_an_image_of_another_size_than_the_network_takes_is_named(small):
    data = Collection([encoded(picture(30, 31))], [0], "abcdefg")
    with pytest.raises(ValueError, match=r"folder/0.jpg does not fit 'cifar_resnet8'.*30, 31"):
        run(small, data, record=small_rule(None))


@pytest.mark.once
@pytest.mark.parametrize("label", [-1, CLASSES])
def test_a_label_outside_the_classes_is_named(label, small):
    data = Collection([encoded(picture(40, 50))] * 2, [0, label], "abcdefg")
    with pytest.raises(ValueError, match=rf"folder/1.jpg must be from 0 to 6. Received: {label}"):
        run(small, data)
    with pytest.raises(ValueError, match=rf"image 1 must be from 0 to 6. Received: {label}"):
        run(small, (np.zeros((2, 32, 32, 3), "uint8"), [0, label]))


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Collection([], [], "abcdefg"), "no images to evaluate on"),
        (Collection([b""], [0], "abc"), "has 7 classes and the data has 3"),
        ("folder", r"`data` must be a collection.*Received: str"),
        ((np.zeros((0, 32, 32, 3), "uint8"), []), r"n at least 1.*\(0, 32, 32, 3\)"),
        ((np.zeros((2, 32, 32, 3), "uint8"), [1]), r"shapes \(2, 32, 32, 3\) and \(1,\)"),
        ((np.zeros((1, 32, 32, 3), "int64"), [1]), r"uint8 RGB images.*Received: int64"),
        ((np.zeros((1, 32, 32, 1), "uint8"), [1]), r"must be RGB.*\(1, 32, 32, 1\)"),
        ((np.zeros((1, 32, 32, 3), "uint8"), [1.0]), r"integers. Received: labels of float64"),
    ],
)
def test_data_that_cannot_be_evaluated_is_refused(data, message, small):
    with pytest.raises(ValueError, match=message):
        run(small, data)


@pytest.mark.once
def test_some_of_imagenets_folders_get_imagenets_labels():
    from keras_resnet.evaluation.images import source_of
    from keras_resnet.images.classification import imagenet_classes

    names = [imagenet_classes()[label][0] for label in (3, 281)]
    source = source_of(Collection([b"", b""], [1, 0], names), 1000)
    assert source.labels.tolist() == [281, 3]
    assert source.class_names[281] == "tabby"
    with pytest.raises(ValueError, match=r"Not among ImageNet's.*n99999999"):
        source_of(Collection([b""], [0], ["n99999999"]), 1000)


# ---- Models and arguments ----------------------------------------------------


@pytest.mark.once
def test_networks_of_other_classes_are_no_ensemble(small):
    other = keras_resnet.build("cifar_resnet8", classes=5, name="five")
    with pytest.raises(
        ValueError, match=r"have the same classes. Received: cifar_resnet8: 7, five: 5"
    ):
        run([small, other], collection(1))
    with pytest.raises(ValueError, match=r"one for each of 2 models. Received: 1"):
        run([small, small], collection(1), record=[small_rule()])
    with pytest.raises(ValueError, match=r"Received: an empty list"):
        run([], collection(1))


def ending_in(layer):
    image = keras.Input((32, 32, 3))
    x = layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(image))
    return keras.Model(image, layer(x))


def test_logits_are_not_taken_for_probabilities(small):
    linear = keras_resnet.build("cifar_resnet8", classes=CLASSES, classifier_activation=None)
    with pytest.raises(ValueError, match=r"must give probabilities.*outputs='logits'.*Received"):
        run(fill(linear), collection(2), outputs="probabilities")
    with pytest.raises(ValueError, match=r"ends in a softmax.*Received: outputs='logits'"):
        run(small, collection(2), outputs="logits")
    unknown = ending_in(layers.Rescaling(1.0))
    with pytest.raises(ValueError, match=r"say with outputs=.*Received: outputs='auto'"):
        run(unknown, collection(2))
    assert run(unknown, collection(2), outputs="logits").images == 2


def test_a_network_that_does_not_give_numbers_is_refused(small):
    model = ending_in(layers.Softmax())
    model.layers[-2].bias.assign([np.nan] * CLASSES)
    with pytest.raises(ValueError, match="scores that are not finite numbers"):
        run(model, collection(1))


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"protocol": "5-crop"},
            r"`protocol` must be one of '1-crop'.*Received: protocol='5-crop'",
        ),
        ({"average": "max"}, r"`average` must be one of 'softmax', 'logits'"),
        ({"outputs": "scores"}, r"`outputs` must be one of"),
        ({"batch_size": 0}, r"Received: batch_size=0"),
        ({"workers": 0}, r"Received: workers=0"),
        ({"record": "tv9"}, r"Received: weights='tv9'"),
        ({"out": "runs/resnet50.tv2"}, r"path of a .json file. Received: out='runs/resnet50.tv2'"),
        ({"protocol": "dense", "record": small_rule(None)}, r"only the protocol '1-crop'"),
    ],
)
def test_arguments_that_cannot_be_are_refused(options, message, small):
    with pytest.raises(ValueError, match=message):
        run(small, collection(1), **options)


@pytest.mark.once
def test_what_a_network_expects_of_an_image_is_not_guessed(small):
    with pytest.raises(ValueError, match=r"pass weights_record=.*Received: weights_record=None"):
        evaluate(small, collection(1), verbose=0)
    with pytest.raises(ValueError, match=r"taken as they are, by '1-crop' only"):
        evaluate(small, (images(1, 32, 32, 3), [0]), "10-crop", verbose=0)
    with pytest.raises(TypeError, match=r"a keras.Model .* Received: model='resnet50'"):
        run("resnet50", collection(1))
    headless = keras_resnet.build("cifar_resnet8", include_top=False)
    with pytest.raises(ValueError, match=r"one vector of scores.*Received: 'cifar_resnet8'"):
        run(headless, collection(1))
