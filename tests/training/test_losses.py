"""Losses and statistics beside NumPy."""

import keras
import numpy as np
import pytest
from support import filled, images, random

import keras_resnet
from keras_resnet.training import (
    BinaryCrossentropy,
    SparseCategoricalCrossentropy,
    recompute_batch_norm,
)

LOGITS = random("logits").standard_normal((6, 5)).astype("float32") * 3
LABELS = np.array([0, 4, 2, 2, 1, 3])


def value(loss, labels, logits=LOGITS):
    return float(keras.ops.convert_to_numpy(loss(labels, logits)))


def log_softmax(x):
    x = x.astype("float64") - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_integer_labels_are_smoothed(smoothing, shape):
    targets = np.eye(5)[LABELS] * (1 - smoothing) + smoothing / 5
    expected = -(targets * log_softmax(LOGITS)).sum(axis=1).mean()
    loss = SparseCategoricalCrossentropy(label_smoothing=smoothing)
    assert value(loss, LABELS.reshape(shape)) == pytest.approx(expected, rel=1e-5)
    of_one_hot = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    assert value(of_one_hot, np.eye(5)[LABELS]) == pytest.approx(expected, rel=1e-5)


def test_probabilities_may_be_given():
    loss = SparseCategoricalCrossentropy(label_smoothing=0.1, from_logits=False)
    probabilities = np.exp(log_softmax(LOGITS)).astype("float32")
    expected = value(SparseCategoricalCrossentropy(label_smoothing=0.1), LABELS)
    assert value(loss, LABELS, probabilities) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("threshold", [None, 0.2])
@pytest.mark.parametrize("mixed", [True, False])
def test_each_class_is_asked_for_by_itself(smoothing, threshold, mixed):
    one_hot = np.eye(5)[LABELS]
    targets = 0.7 * one_hot + 0.3 * one_hot[::-1] if mixed else one_hot
    labels = targets.astype("float32") if mixed else LABELS
    targets = targets * (1 - smoothing) + smoothing / 5
    targets = targets if threshold is None else targets > threshold
    x = LOGITS.astype("float64")
    expected = np.mean(np.logaddexp(0, x) - targets * x)
    loss = BinaryCrossentropy(smoothing, threshold)
    assert value(loss, labels) == pytest.approx(expected, rel=1e-5)


@pytest.mark.once
def test_a_label_at_the_threshold_is_not_above_it():
    labels = np.array([[0.75, 0.25, 0.0]], "float32")
    above = value(BinaryCrossentropy(threshold=0.25), labels, LOGITS[:1, :3])
    assert above == value(BinaryCrossentropy(), np.array([0]), LOGITS[:1, :3])
    both = value(BinaryCrossentropy(), np.array([[1.0, 1.0, 0.0]], "float32"), LOGITS[:1, :3])
    assert value(BinaryCrossentropy(threshold=0.125), labels, LOGITS[:1, :3]) == both != above


@pytest.mark.parametrize(
    "loss", [SparseCategoricalCrossentropy(0.1), BinaryCrossentropy(0.1, 0.2)], ids=lambda x: x.name
)
def test_a_loss_is_saved_with_its_model(loss, tmp_path):
    model = keras_resnet.build(
        "cifar_resnet8", input_shape=(8, 8, 3), classes=5, classifier_activation=None
    )
    model.compile("sgd", loss)
    model.fit(images(6, 8, 8, 3), LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is type(loss)
    assert loaded.loss.get_config() == loss.get_config()


def test_a_bad_argument_of_a_loss_is_named():
    with pytest.raises(ValueError, match=r"label_smoothing=1\.5"):
        SparseCategoricalCrossentropy(1.5)
    with pytest.raises(ValueError, match="threshold=2"):
        BinaryCrossentropy(threshold=2)


# ---- statistics ---------------------------------------------------------------------------


def network(name="cifar_resnet8", **options):
    return filled(name, input_shape=(16, 16, 3), classes=4, **options)


@pytest.mark.parametrize("layers", ["fast", "keras"])
def test_statistics_are_those_of_all_that_a_layer_is_given(layers):
    model = network(layers=layers)
    sizes = (6, 6, 4)
    batches = [images(n, 16, 16, 3, label=f"{i}") + i for i, n in enumerate(sizes)]
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables}
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    inside = keras.Model(model.input, [x.input for x in norms])
    kept = [np.array(w) for w in model.get_weights()]
    given = [
        [keras.ops.convert_to_numpy(y) for y in inside(batch, training=True)] for batch in batches
    ]
    model.set_weights(kept)
    assert recompute_batch_norm(model, [(batch, None) for batch in batches]) == sum(sizes)
    for index, norm in enumerate(norms):
        x = np.concatenate([outputs[index] for outputs in given]).astype("float64")
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
        np.testing.assert_allclose(norm.moving_mean.numpy(), mean, 1e-4, 1e-5)
        np.testing.assert_allclose(norm.moving_variance.numpy(), variance, 1e-4, 1e-5)
        assert norm.momentum == 0.9
    for v in model.trainable_variables:
        assert np.array_equal(before[v.path], keras.ops.convert_to_numpy(v))


def test_frozen_statistics_stay():
    model = network()
    keras_resnet.freeze_batch_norm(model)
    kept = [np.array(w) for w in model.get_weights()]
    recompute_batch_norm(model, [images(4, 16, 16, 3)])
    assert all(map(np.array_equal, kept, model.get_weights()))


def test_statistics_that_were_lost_are_found_again():
    model = network()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.full(layer.moving_mean.shape, np.nan))
    recompute_batch_norm(model, [images(4, 16, 16, 3)])
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "Received: none"),
        ([np.zeros((2, 16, 16, 3)), np.zeros((2, 8, 8, 3))], r"\(8, 8, 3\) after \(16, 16, 3\)"),
        ([np.full((2, 16, 16, 3), np.nan)], "conv1_bn are not finite"),
    ],
)
def test_an_error_leaves_the_old_statistics(batches, message):
    model = network()
    kept = [np.array(w) for w in model.get_weights()]
    with pytest.raises(ValueError, match=message):
        recompute_batch_norm(model, [batch.astype("float32") for batch in batches])
    assert all(map(np.array_equal, kept, model.get_weights()))


def test_renormalization_is_refused():
    inputs = keras.Input((4, 4, 3))
    norm = keras.layers.BatchNormalization(renorm=True, name="of_its_own")
    with pytest.raises(ValueError, match="of_its_own"):
        recompute_batch_norm(keras.Model(inputs, norm(inputs)), [np.zeros((2, 4, 4, 3))])
