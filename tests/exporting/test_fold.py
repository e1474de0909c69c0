"""Batch normalization folded away: the same outputs, and a reason where it cannot be."""

import zlib

import keras
import numpy as np
import pytest
from keras import layers
from support import fill, filled, images, logits
from support.golden_cases import TINY

import keras_resnet
from keras_resnet import fold_batch_norm
from keras_resnet.graph import all_layers

pytestmark = pytest.mark.portable


def norms(model):
    return [x.name for x in all_layers(model) if isinstance(x, layers.BatchNormalization)]


def drawn(model):
    """Every weight drawn, by its path; variances positive."""
    for variable in model.weights:
        rng = np.random.default_rng(zlib.crc32(variable.path.encode()))
        value = 0.3 * rng.standard_normal(tuple(variable.shape))
        positive = "variance" in variable.path or "gamma" in variable.path
        variable.assign((0.5 + np.abs(value) if positive else value).astype("float32"))
    return model


def assert_same(model, folded, x, bound=1e-5):
    """Outputs agree, as a part of the largest."""
    expected, found = model(x, training=False), folded(x, training=False)
    for one, other in zip(*map(keras.tree.flatten, (expected, found)), strict=True):
        one, other = map(keras.ops.convert_to_numpy, (one, other))
        assert np.abs(one - other).max() <= bound * np.abs(one).max()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cifar_resnet20", {}),
        ("cifar_resnet8", {"shortcut": "C", "zero_init_residual": True}),
        ("cifar_resnet8", {"layers": "keras", "drop_path_rate": 0.2}),
        ("cifar_plain20", {}),
        ("resnet18", {"shortcut": "A", "zero_channels": "center"}),
        ("resnet50", {"stride_on": "3x3", "pool1": "caffe", "include_preprocessing": True}),
    ],
)
def test_a_folded_network_says_what_the_network_says(name, options):
    side = 16 if name.startswith("cifar") else 32
    model = fill(
        keras_resnet.build(
            name, input_shape=(side, side, 3), classes=7, classifier_activation=None, **options
        )
    )
    before = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert type(folded) is type(model)
    assert folded.name == model.name
    assert len(folded.layers) == len(model.layers) - len(norms(model))
    assert_same(model, folded, images(2, side, side, 3))
    for weight, value in zip(model.weights, before, strict=True):
        assert (keras.ops.convert_to_numpy(weight) == value).all(), "the model was changed"


@pytest.mark.parametrize("kind", TINY)
def test_every_kind_of_network_is_folded(kind):
    """VGG, GoogLeNet, PReLU-net and BN-Inception; pre-activation, V2, ResNet-C and -D."""
    options = {"stride_on": "3x3", "downsample": "avg"} if kind == "d" else {}
    side = 2 * TINY[kind].stride
    model = fill(
        keras_resnet.build(
            TINY[kind],
            input_shape=(side, side, 3),
            classes=4,
            classifier_activation=None,
            **options,
        )
    )
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert type(folded) is type(model)
    if norms(model):  # others are copies
        x = images(2, side, side, 3)
        expected, found = (one.predict_on_batch(x) for one in (model, folded))
        assert np.abs(expected - found).max() <= 1e-5 * np.abs(expected).max()


def test_a_network_of_channels_first_is_folded(channels_first):
    model = filled("cifar_resnet8", input_shape=(3, 8, 8), layers="keras")
    folded = fold_batch_norm(model)
    assert not norms(folded)
    if keras.backend.backend() != "tensorflow":  # which has no such convolution on processors
        assert_same(model, folded, images(2, 3, 8, 8))


@pytest.mark.once
def test_a_deep_network_is_folded():
    model = keras_resnet.build("cifar_resnet110", input_shape=(4, 4, 3))
    assert not norms(fold_batch_norm(model))


def shared_by_two(norm):
    image = keras.Input((8, 8, 4))
    sides = [norm(layers.Conv2D(4, 3)(image)), norm(layers.Conv2D(4, 3)(image))]
    return drawn(keras.Model(image, layers.Add()(sides)))


def image_model(*steps):
    x = image = keras.Input((8, 8, 4))
    for step in steps:
        x = step(x)
    return drawn(keras.Model(image, x))


USERS_OWN = {
    "a convolution with a bias, without scale and center": lambda: image_model(
        layers.Conv2D(5, 3), layers.BatchNormalization(scale=False, center=False)
    ),
    "groups and dilation": lambda: image_model(
        layers.Conv2D(6, 3, groups=2, dilation_rate=2), layers.BatchNormalization()
    ),
    "depthwise": lambda: image_model(
        layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), layers.BatchNormalization()
    ),
    "separable": lambda: image_model(
        layers.SeparableConv2D(6, 3, use_bias=False), layers.BatchNormalization()
    ),
    "transposed": lambda: image_model(
        layers.Conv2DTranspose(6, 3, 2, use_bias=False), layers.BatchNormalization()
    ),
    "fully connected": lambda: image_model(
        layers.Flatten(), layers.Dense(5, use_bias=False), layers.BatchNormalization()
    ),
    "dropout between": lambda: image_model(
        layers.Conv2D(5, 3), layers.Dropout(0.5), layers.BatchNormalization()
    ),
    "before a convolution that pads nothing": lambda: image_model(
        layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(5, 3)
    ),
    "before a pointwise convolution, and one after it": lambda: image_model(
        layers.ReLU(),
        layers.BatchNormalization(),
        layers.Conv2D(5, 1, 2, padding="same", use_bias=False),
        layers.BatchNormalization(),
    ),
    "after a ReLU, before a ReLU": lambda: image_model(
        layers.ReLU(), layers.BatchNormalization(), layers.ReLU()
    ),
    "after a ReLU, as the output": lambda: image_model(layers.ReLU(), layers.BatchNormalization()),
    "after a convolution with a ReLU": lambda: image_model(
        layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization()
    ),
    "before a convolution that pads": lambda: image_model(
        layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(4, 3, padding="same")
    ),
    "before a fully connected layer": lambda: image_model(
        layers.GlobalAveragePooling2D(), layers.BatchNormalization(), layers.Dense(3)
    ),
    "of maps that several layers make": lambda: shared_by_two(layers.BatchNormalization()),
    "one dimension": lambda: image_model(
        layers.Reshape((16, 16)), layers.Conv1D(5, 3), layers.BatchNormalization()
    ),
}


@pytest.mark.parametrize("case", USERS_OWN)
def test_a_users_own_layers_are_folded(case):
    model = USERS_OWN[case]()
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert_same(model, folded, images(3, 8, 8, 4))


def test_operations_without_a_layer_stay():
    image = keras.Input((8, 8, 4))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(image * 2))
    model = drawn(keras.Model(image, keras.ops.relu(x) + image))
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert_same(model, folded, images(2, 8, 8, 4))


def test_a_sequential_model_is_folded():
    model = drawn(
        keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.BatchNormalization()])
    )
    assert_same(model, fold_batch_norm(model), images(3, 6))


def test_a_model_around_a_network_is_folded_inside():
    base = keras_resnet.build("cifar_resnet8", include_top=False, pooling="avg")
    image = keras.Input((8, 8, 3))
    x = layers.Dense(4, use_bias=False)(base(layers.Rescaling(1 / 255)(image)))
    model = fill(keras.Model(image, [layers.BatchNormalization()(x), x * 2]))
    with pytest.raises(ValueError, match="others read the output of 'dense"):
        fold_batch_norm(model)
    model = drawn(keras.Model(image, layers.ReLU()(layers.BatchNormalization()(x))))
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert_same(model, folded, images(2, 8, 8, 3))


def test_layers_called_twice_are_folded_once():
    conv, norm = layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()
    image = keras.Input((8, 8, 4))
    model = drawn(keras.Model(image, norm(conv(layers.ReLU()(norm(conv(image)))))))
    folded = fold_batch_norm(model)
    assert not norms(folded)
    assert_same(model, folded, images(2, 8, 8, 4))


class Own(layers.BatchNormalization):
    pass


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (
            lambda: [layers.Flatten(), layers.BatchNormalization(name="bn"), layers.ReLU()],
            r"'bn': it follows 'flatten' \(Flatten\), which is not linear, and 're_lu' \(ReLU\) re",
        ),
        (
            lambda: [layers.Flatten(), layers.BatchNormalization(name="bn")],
            r"'bn': .*, and it is an output of the model",
        ),
        (
            lambda: [layers.Conv2D(4, 3), layers.BatchNormalization(1, name="bn"), layers.ReLU()],
            r"'bn': its axis 1 is not that of the channels of 'conv2d'",
        ),
        (
            lambda: [layers.Conv2D(4, 3), Own(name="bn")],
            r"'bn': its class Own is not Keras' own",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused_by_name_or_kept(steps, reason):
    model = image_model(*steps())
    with pytest.raises(ValueError, match=rf"(?s)cannot be folded:.*{reason}.*strict=False"):
        fold_batch_norm(model)
    kept = fold_batch_norm(model, strict=False)
    assert norms(kept) == ["bn"]
    assert_same(model, kept, images(2, 8, 8, 4))


@pytest.mark.parametrize("model", [None, "resnet18", layers.Dense(3), keras.Sequential([])])
def test_only_graphs_can_be_folded(model):
    wrong = ValueError if isinstance(model, keras.Model) else TypeError
    with pytest.raises(wrong, match=r"`model` must be a (keras.Model|functional).* Received"):
        fold_batch_norm(model)


def test_trained_weights_say_the_same_of_real_images(shared_data):
    from zipfile import ZipFile

    from PIL import Image

    model = keras_resnet.build("cifar_resnet20", zero_channels="center", classifier_activation=None)
    keras_resnet.load_weights(model, shared_data / "cifar-resnet20.th", "akamaster")
    with ZipFile(shared_data / "cifar10-jpeg.zip") as members:
        names = [name for name in members.namelist() if name.startswith("test/")][::600]
        pixels = np.stack([np.asarray(Image.open(members.open(name))) for name in names])
    x = np.asarray(keras_resnet.preprocess_input(pixels, "cifar_resnet20.akamaster"))
    expected, found = logits(model, x), logits(fold_batch_norm(model), x)
    assert np.abs(expected - found).max() <= 1e-5 * np.abs(expected).max()
    assert (expected.argmax(1) == found.argmax(1)).all()
