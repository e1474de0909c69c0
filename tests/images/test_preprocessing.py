"""What networks are given of an image, against PIL's own resizing, which torchvision uses."""

import io
import random
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image
from support import BACKEND

import keras_resnet
from keras_resnet import Preprocessing, preprocess_input
from keras_resnet.images.preprocessing import whole_levels
from keras_resnet.weights import ImageRule, record_named

RULES = ["resnet50.tv", "resnet50.tv2", "resnet50.a1", "resnet50.a1h"]


def photographs(shared_data, count):
    with zipfile.ZipFile(shared_data / "imagenet-sample.zip") as archive:
        names = random.Random(0).sample(sorted(archive.namelist()), count)
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def pil_resize_and_crop(picture, rule):
    """torchvision's Resize and CenterCrop, written down: they resize with PIL."""
    from PIL import Image

    shorter = min(picture.size)
    width, height = (int(rule.resize * side / shorter) for side in picture.size)
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    resized = picture.resize((width, height), filters[rule.interpolation])
    left, top = round((width - rule.size) / 2), round((height - rule.size) / 2)
    return np.asarray(resized.crop((left, top, left + rule.size, top + rule.size)), "int32")


def levels(layer, picture):
    return keras.ops.convert_to_numpy(layer(np.asarray(picture))).astype("int32")


def agreement(pictures, name, expected):
    rule = record_named(name).image
    layer = Preprocessing(name, normalize=False)
    differences = [np.abs(levels(layer, p) - expected(p, rule)) for p in pictures]
    return np.concatenate([d.ravel() for d in differences])


@pytest.mark.once  # noise, below, is resized on every backend
@pytest.mark.parametrize("name", RULES)
def test_resizing_agrees_with_pil_on_photographs(name, shared_data):
    difference = agreement(photographs(shared_data, 20), name, pil_resize_and_crop)
    print(f"{name}: {np.mean(difference == 0):.3%} equal, {np.mean(difference <= 1):.3%} within 1")
    assert np.mean(difference <= 1) >= 0.999
    assert np.mean(difference == 0) >= 0.99


SHAPES = [(300, 401), (97, 75), (224, 224), (501, 333)]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        # Each rule and each shape once; the rest of the product is slow.
        pytest.param(name, shape, marks=[] if i == j else pytest.mark.slow)
        for i, name in enumerate(RULES)
        for j, shape in enumerate(SHAPES)
    ],
)
def test_resizing_agrees_with_pil_on_noise(name, shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), "uint8")
    difference = agreement([Image.fromarray(noise)], name, pil_resize_and_crop)
    assert np.mean(difference <= 1) >= 0.999


@pytest.mark.parametrize("name", RULES)
def test_transforms_of_torchvision_give_the_same_input(name, shared_data):
    from support.parity import import_peer

    transforms = import_peer("torchvision.transforms")
    rule = record_named(name).image
    theirs = transforms.Compose(
        [
            transforms.Resize(rule.resize, transforms.InterpolationMode(rule.interpolation)),
            transforms.CenterCrop(rule.size),
            transforms.ToTensor(),
            transforms.Normalize([m / 255 for m in rule.mean], [s / 255 for s in rule.std]),
        ]
    )
    layer = Preprocessing(name)
    level = 1 / min(rule.std)
    for picture in photographs(shared_data, 5):
        wanted = theirs(picture).numpy().transpose(1, 2, 0)
        ours = keras.ops.convert_to_numpy(layer(np.asarray(picture)))
        assert np.mean(np.abs(ours - wanted) <= 1.01 * level) >= 0.999


@pytest.mark.parametrize("name", ["resnet50.tv", "resnet50.keras", "resnet50.msra"])
def test_preprocess_input_normalizes_and_leaves_its_input_alone(name):
    x = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), "uint8")
    before = x.copy()
    y = preprocess_input(x, name)
    rule = record_named(name).image
    np.testing.assert_allclose(
        y, (x - np.array(rule.mean)) / np.array(rule.std), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_array_equal(x, before)
    first = preprocess_input(x.transpose(0, 3, 1, 2), name, data_format="channels_first")
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), y, rtol=1e-6)
    tensor = preprocess_input(keras.ops.convert_to_tensor(x), name)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), y, rtol=1e-5, atol=1e-5)


def test_keras_preprocessing_gives_the_same_numbers_in_another_order():
    x = np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3)).astype("float32")
    bgr = keras.applications.resnet.preprocess_input(x.copy())
    rgb = preprocess_input(x, "resnet50.keras")
    np.testing.assert_allclose(rgb, bgr[..., ::-1], rtol=1e-5, atol=1e-4)
    v2 = keras.applications.resnet_v2.preprocess_input(x.copy())
    np.testing.assert_allclose(preprocess_input(x, "resnet50v2.keras"), v2, rtol=1e-5, atol=1e-4)
    with pytest.raises(ValueError, match=r"expect different images: pass one of 'resnet50\.keras'"):
        preprocess_input(x, "keras")


def test_images_that_are_not_rgb_and_unknown_formats_are_refused():
    with pytest.raises(ValueError, match="3 channels"):
        preprocess_input(np.zeros((1, 8, 8, 1)), "tv")
    with pytest.raises(ValueError, match="`data_format`"):
        preprocess_input(np.zeros((1, 8, 8, 3)), "tv", data_format="nhwc")
    with pytest.raises(ValueError, match="Images must be"):
        Preprocessing("tv")(np.zeros((1, 8, 8, 4)))
    with pytest.raises(ValueError, match="`size`"):
        Preprocessing("tv", size=0)


def test_a_batch_is_its_images():
    x = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), "uint8")
    layer = Preprocessing("tv", size=32)
    batch = keras.ops.convert_to_numpy(layer(x))
    assert batch.shape == (2, 32, 32, 3)
    np.testing.assert_allclose(batch[1], keras.ops.convert_to_numpy(layer(x[1])), atol=1e-5)


def test_channels_first_gives_the_same_image(channels_first):
    x = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), "uint8")
    first = keras.ops.convert_to_numpy(Preprocessing("a1", 32)(x.transpose(0, 3, 1, 2)))
    last = keras.ops.convert_to_numpy(Preprocessing("a1", 32, data_format="channels_last")(x))
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, atol=1e-4)


def test_the_layer_comes_back_from_its_config_and_from_a_saved_model(tmp_path):
    image = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(image, Preprocessing("resnet50.a1")(image))
    assert model.output.shape == (None, 224, 224, 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).integers(0, 256, (1, 250, 300, 3), "uint8")
    one, other = model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    np.testing.assert_array_equal(one, other)
    eager = keras.ops.convert_to_numpy(Preprocessing("resnet50.a1")(x))
    level = 1 / 57.0
    assert np.mean(np.abs(one - eager) <= 1.01 * level) >= 0.999


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.data runs layers of TensorFlow alone")
def test_the_layer_runs_in_tf_data_on_images_of_any_size():
    import tensorflow as tf

    layer = Preprocessing("tv", size=32)
    sizes = [(40, 60), (75, 50)]
    pictures = [
        np.random.default_rng(n).integers(0, 256, (*s, 3), "uint8") for n, s in enumerate(sizes)
    ]
    data = tf.data.Dataset.from_generator(
        lambda: iter(pictures), output_signature=tf.TensorSpec((None, None, 3), tf.uint8)
    ).map(layer)
    for picture, got in zip(pictures, data, strict=True):
        np.testing.assert_allclose(got, layer(picture), atol=1.01 / 57)


def test_a_rule_of_ones_own_is_taken():
    rule = ImageRule(mean=(127.5,) * 3, std=(127.5,) * 3, size=16, crop_pct=1.0)
    y = Preprocessing(rule)(np.full((20, 30, 3), 255, "uint8"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), 1.0)
    cifar = Preprocessing(keras_resnet.list_weights("cifar_resnet20")[1])
    assert cifar(np.zeros((40, 30, 3))).shape == (40, 30, 3)


def test_the_old_spelling_of_normalize_is_accepted():
    """As an argument, and in the configuration of files that older versions saved."""
    x = np.full((20, 30, 3), 255, "uint8")
    old = Preprocessing("tv", size=16, normalise=False)
    assert not old.normalize
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(old(x)), 255)
    config = old.get_config()
    config["normalise"] = config.pop("normalize")
    assert not Preprocessing.from_config(config).normalize
    assert not Preprocessing("tv", 16, False).normalize
    assert Preprocessing("tv", 16).normalize


def test_halves_are_rounded_up_on_whichever_side_float_rounding_leaves_them():
    exact = np.array([0.5, 1.5, 127.5, 254.5], "float32")
    for noise in (-1e-4, 0.0, 1e-4):
        levels = keras.ops.convert_to_numpy(
            whole_levels(keras.ops.convert_to_tensor(exact + noise))
        )
        np.testing.assert_array_equal(levels, [1, 2, 128, 255])
    others = keras.ops.convert_to_tensor(np.array([-1.0, 0.49, 1.51, 300.0], "float32"))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(whole_levels(others)), [0, 0, 2, 255])
