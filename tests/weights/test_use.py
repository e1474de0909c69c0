"""Classifying an image, and training a network that has been trained before."""

import keras
import numpy as np
import pytest
from support import filled, without_values

import keras_resnet
from keras_resnet import freeze_batch_norm, new_head, unfreeze_from
from keras_resnet.images.classification import imagenet_classes


def test_predictions_are_named_likeliest_first():
    scores = np.zeros((2, 1000))
    scores[0, [1, 281]] = 0.2, 0.7
    scores[1, 999] = 0.9
    first, second = keras_resnet.decode_predictions(scores, top=2)
    assert first == [("n02123045", "tabby", 0.7), ("n01443537", "goldfish", 0.2)]
    assert second[0][0] == "n15075141"
    tensor = keras.ops.convert_to_tensor(scores)
    assert keras_resnet.decode_predictions(tensor, top=1)[0][0][:2] == ("n02123045", "tabby")


def test_class_names_are_in_the_order_of_labels(shared_data):
    import zipfile

    classes = imagenet_classes()
    synsets = [synset for synset, _ in classes]
    assert len(set(synsets)) == 1000
    assert synsets == sorted(synsets)
    with zipfile.ZipFile(shared_data / "imagenet-sample.zip") as archive:
        for name in archive.namelist():
            synset, _, words = name.removesuffix(".JPEG").partition("_")
            assert dict(classes)[synset].lower() == words.lower()


def test_predictions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"must be \(images, 1000\)"):
        keras_resnet.decode_predictions(np.zeros((2, 10)))
    with pytest.raises(ValueError, match="`top`"):
        keras_resnet.decode_predictions(np.zeros((2, 1000)), top=0)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_an_image_is_classified_in_one_line(data_format, shared_data, tmp_path, monkeypatch):
    """With trained weights on real images: four of the CIFAR-10 test set."""
    import zipfile

    from support import BACKEND

    if BACKEND == "tensorflow" and data_format == "channels_first":
        pytest.skip("TensorFlow on a CPU has no channels_first convolution")
    pytest.importorskip("torch", reason="these weights are a torch pickle")
    keras.config.set_image_data_format(data_format)
    monkeypatch.setattr(
        "keras_resnet.models.fetch", lambda record: shared_data / "cifar-resnet20.th"
    )
    right = 0
    kinds = ["airplane", "automobile", "ship", "truck"]
    with zipfile.ZipFile(shared_data / "cifar10-jpeg.zip") as archive:
        for kind in kinds:
            (tmp_path / "image.jpg").write_bytes(archive.read(f"test/{kind}/0003.jpg"))
            best = keras_resnet.classify(tmp_path / "image.jpg", "cifar_resnet20", "akamaster")
            assert len(best) == 5
            assert best[0][2] > best[1][2]
            right += best[0][1] == kind
    assert right >= 3


def test_what_is_no_image_or_has_no_preprocessing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not say what it expects"):
        keras_resnet.classify("cat.jpg", weights=None)
    with pytest.raises(ValueError, match="`image` must be"):
        keras_resnet.classify(np.zeros((8, 8)))


def network(**options):
    return filled("cifar_resnet8", weights=None, **options)


def test_frozen_batch_normalization_keeps_its_statistics_while_training():
    model = network()
    assert freeze_batch_norm(model) == 7
    before = model.get_layer("conv3_1_a_bn").get_weights()
    kernel = model.get_layer("conv3_1_a").get_weights()[0]
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    x = np.random.default_rng(0).standard_normal((4, 32, 32, 3)).astype("float32")
    model.fit(x, np.arange(4), verbose=0)
    for one, other in zip(before, model.get_layer("conv3_1_a_bn").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(kernel, model.get_layer("conv3_1_a").get_weights()[0])


def test_stages_are_unfrozen_from_one_on():
    model = network()
    assert unfreeze_from(model, "fc") == ["fc"]
    assert unfreeze_from(model, "conv4") == ["conv4_1_a", "conv4_1_b", "fc"]
    trained = unfreeze_from(model, "conv3", batch_norm=True)
    assert trained[:2] == ["conv3_1_a", "conv3_1_a_bn"]
    assert "conv2_1_b" not in trained
    names = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    assert names == set(trained)
    assert len(unfreeze_from(model, "conv1", batch_norm=True)) == 15
    with pytest.raises(ValueError, match="`stage` must be one of 'conv1'"):
        unfreeze_from(model, "conv5")


def test_stages_are_unfrozen_inside_a_model_built_around_the_network():
    image = keras.Input((32, 32, 3))
    features = network(include_top=False, pooling="avg")
    features.trainable = False
    model = keras.Model(image, keras.layers.Dense(3, name="mine")(features(image)))
    assert unfreeze_from(model, "conv4") == ["conv4_1_a", "conv4_1_b", "mine"]
    assert len(model.trainable_variables) == 4


TWO = {"name": "first"}, {"name": "second"}


@pytest.fixture(scope="module")
def around():
    """A network without top, and a user's models around it, one in the other."""
    inner = network(include_top=False, pooling="avg", input_shape=(16, 16, 3))
    middle = keras.Sequential([inner, keras.layers.Dropout(0.1), keras.layers.Dense(4)])
    scaled = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Rescaling(2.0), middle])
    image = keras.Input((16, 16, 3))
    outer = keras.Model(image, keras.layers.Activation("softmax", name="scores")(scaled(image)))
    return inner, middle, scaled, outer


def test_a_network_within_models_is_fine_tuned(around):
    inner, middle, scaled, outer = around
    for model in (middle, scaled, outer):
        assert unfreeze_from(model, "conv4") == ["conv4_1_a", "conv4_1_b", middle.layers[-1].name]
        changed = new_head(model, 3)
        assert changed.output.shape == (None, 3)
        x = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
        features = inner.predict(x * (1 if model is middle else 2), verbose=0)
        expected = keras.ops.softmax(features @ changed.get_layer("fc").get_weights()[0])
        found = changed.predict(x, verbose=0)
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), rtol=1e-4)


def test_endpoints_of_a_network_within_models_are_tensors_of_the_outermost(around):
    inner, _, _, outer = around
    x = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    ends = keras_resnet.endpoints(outer)
    assert list(ends) == list(keras_resnet.endpoints(inner))
    found = keras.Model(outer.input, ends["conv4_x"]).predict(x, verbose=0)
    expected = keras.Model(inner.input, inner.get_layer("conv4_1").output).predict(2 * x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.once
def test_of_two_networks_in_a_model_none_is_chosen():
    image = keras.Input((32, 32, 3))
    features = [network(include_top=False, pooling="avg", **name)(image) for name in TWO]
    y = keras.layers.Dense(3)(keras.layers.Concatenate()(features))
    model = keras.Model(image, y)
    for use in (
        keras_resnet.endpoints,
        lambda model: unfreeze_from(model, "fc"),
        lambda model: new_head(model, 3),
        lambda model: keras_resnet.figures.class_activation_map(model, np.zeros((32, 32, 3))),
    ):
        with pytest.raises(ValueError, match="Received: 'first' and 'second'"):
            use(model)
    with pytest.raises(ValueError, match=r"or hold one. Received: 'mine' with layers"):
        unfreeze_from(keras.Sequential([keras.layers.Dense(2)], name="mine"), "fc")


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "last_stage", "before"),
    [
        ("vgg11", "fc7", {"fc7_drop": 0.5}),
        ("prelu_net_a", "fc2", {"fc2_drop": 0.5}),
        ("googlenet", "inception_5b", {"pool_drop": 0.4}),
        ("bn_inception", "inception_5b", {"pool": None}),
        ("preact_resnet18", "conv5", {"pool": None}),
        ("resnet50v2", "conv5", {"pool": None}),
    ],
)
def test_every_family_has_stages_and_a_head(name, last_stage, before):
    with without_values():
        model = keras_resnet.build(name)
        changed = new_head(model, 5)
    assert unfreeze_from(model, "fc") == ["fc"]
    batch_norm = any("_bn" in layer.name for layer in model.layers)
    trained = unfreeze_from(model, last_stage, batch_norm=batch_norm)
    assert trained[-1] == "fc"
    assert all(n.startswith((last_stage, "post_bn", "fc")) for n in trained)
    assert ("post_bn" in trained) == (name in ("preact_resnet18", "resnet50v2"))
    assert {changed.layers[-2].name: getattr(changed.layers[-2], "rate", None)} == before
    assert changed.output.shape == (None, 5)


@pytest.mark.once
def test_a_new_head_keeps_the_pooling():
    model = network(include_top=False, pooling="max")
    assert isinstance(new_head(model, 3).layers[-2], keras.layers.GlobalMaxPooling2D)


@pytest.mark.parametrize("options", [{}, {"include_top": False}])
def test_a_new_head_is_for_other_classes_and_the_features_stay(options):
    model = network(**options)
    changed = new_head(model, 3)
    assert changed.output.shape == (None, 3)
    assert changed.get_layer("conv4_1_b") is model.get_layer("conv4_1_b")
    x = np.zeros((2, 32, 32, 3), "float32")
    np.testing.assert_allclose(changed.predict(x, verbose=0).sum(1), 1, rtol=1e-5)


def test_a_model_without_a_map_gets_no_new_head():
    with pytest.raises(ValueError, match="end in a map of features"):
        new_head(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]), 3)
