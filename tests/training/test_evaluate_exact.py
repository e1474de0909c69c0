"""Evaluation counts every image once, and leaves the model as it was."""

import keras
import numpy as np
import pytest
from support import BACKEND, images

import keras_resnet
from keras_resnet import training
from keras_resnet.training.validation import measured


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=7)


def examples(count):
    labels = np.random.default_rng(0).integers(0, 7, count)
    return images(count, 8, 8, 3), labels


class Padded:
    """Batches with weights, as `keras_resnet.data.EvaluationBatches` gives them."""

    def __init__(self, x, y, batch_size):
        self.x, self.y, self.batch_size = x, y, batch_size

    def batches(self):
        for start in range(0, len(self.x), self.batch_size):
            x, y = self.x[start:][: self.batch_size], self.y[start:][: self.batch_size]
            weights = np.resize(np.ones(len(x), "float32"), self.batch_size)
            weights[len(x) :] = 0
            yield np.resize(x, (self.batch_size, *x.shape[1:])), np.resize(y, len(weights)), weights


@pytest.mark.parametrize("batch_size", [1, 8, 19, 64])
def test_every_image_counts_once_with_any_batch_size(model, batch_size):
    x, y = examples(19)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(x, y, batch_size=19, verbose=0)
    for data in ((x, y), Padded(x, y, batch_size)):
        found = training.evaluate(model, data, batch_size=batch_size)
        assert found["loss"] == pytest.approx(loss, rel=1e-5)
        assert found["top1_error"] == pytest.approx(100 * (1 - accuracy), abs=1e-4)
        assert found["images"] == 19


def test_a_network_that_has_diverged_is_not_measured_and_where_it_begins_is_said(model):
    x, y = examples(8)
    x[5, 2, 2, 1] = np.nan
    with pytest.raises(training.NonFiniteLossError, match=r"gave 1 of 8 .* begin in the images"):
        training.evaluate(model, (x, y), batch_size=8)
    x[5] = np.where(x[5] > 0, 3e38, -3e38)
    with pytest.raises(training.NonFiniteLossError, match=r"in the output of conv1"):
        training.evaluate(model, (x, y), batch_size=8)
    x[5] = 0
    layer = model.get_layer("conv3_1_a")
    before = layer.get_weights()
    layer.set_weights([np.full_like(before[0], np.nan)])
    try:
        assert np.isnan(model.predict(x, verbose=0)).all()  # compiled, too
        with pytest.raises(training.NonFiniteLossError, match=r"8 of 8 .* weight conv3_1_a/kernel"):
            training.evaluate(model, (x, y), batch_size=8)
    finally:
        layer.set_weights(before)


def test_the_loss_of_a_saturated_softmax_keeps_its_size():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    found = training.evaluate(model, (np.array([[0.0, 40.0]], "float32"), np.array([0])))
    assert found["loss"] == pytest.approx(40.0, rel=1e-5)


def test_an_exception_leaves_the_weights_in_the_model(model):
    x, y = examples(8)

    class Torn:
        batch_size = 4

        def batches(self):
            yield x[:4], y[:4], np.ones(4)
            raise OSError("the disk is gone")

    before = model.get_weights()
    with pytest.raises(OSError, match="the disk is gone"):
        training.evaluate(model, Torn())
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert training.evaluate(model, (x, y))["images"] == 8


def test_weights_that_change_are_seen_by_the_next_evaluation(model):
    x, y = examples(8)
    before = training.evaluate(model, (x, y))["loss"]
    kernel = model.trainable_variables[-2]
    kept = keras.ops.convert_to_numpy(kernel)
    kernel.assign(kernel + 1.0 * np.arange(7))
    after = training.evaluate(model, (x, y))["loss"]
    kernel.assign(kept)  # other tests measure the same model
    assert after != before


def test_logits_are_told_from_probabilities():
    x, y = examples(8)
    keras.utils.set_random_seed(0)
    network = {"input_shape": (8, 8, 3), "classes": 7}
    probable = keras_resnet.build("cifar_resnet8", **network)
    logits = keras_resnet.build("cifar_resnet8", classifier_activation=None, **network)
    logits.set_weights(probable.get_weights())
    one, other = (training.evaluate(model, (x, y)) for model in (probable, logits))
    assert one == pytest.approx(other, rel=1e-5)


def test_mirror_images_count_half():
    keras.utils.set_random_seed(0)
    model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=7)
    x, y = examples(6)
    outputs = [np.asarray(model.predict(side, verbose=0)) for side in (x, x[:, :, ::-1].copy())]
    sums = measured(sum(outputs) / 2, y, np.ones(6), False)
    for batch_size in (4, 6):
        found = training.evaluate(model, (x, y), batch_size=batch_size, mirrored=True)
        assert found["loss"] == pytest.approx(sums[0] / 6, rel=1e-5)
        assert found["top1_error"] == pytest.approx(100 * sums[1] / 6)
        assert found["images"] == 6
    assert training.evaluate(model, (x, y))["loss"] != pytest.approx(sums[0] / 6, rel=1e-5)


@pytest.mark.once
def test_ties_rank_as_in_argmax_and_what_is_not_a_number_is_wrong():
    outputs = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [np.nan, 1.0, 0.0]])
    sums = [measured(outputs[[n]], np.array([label]), np.ones(1), False) for n, label in
            ((0, 0), (1, 1), (2, 1))]  # fmt: skip
    assert [one[1] for one in sums] == [0, 1, 1]
    assert [one[2] for one in sums] == [0, 0, 1]


@pytest.mark.once
def test_top_5_is_the_first_five():
    outputs = np.eye(8)[[0]] * 0 + np.arange(8.0)[::-1]
    wrong = [measured(outputs, np.array([n]), np.ones(1), True)[2] for n in range(8)]
    assert wrong == [0, 0, 0, 0, 0, 1, 1, 1]


@pytest.mark.once
def test_what_weighs_nothing_may_hold_anything():
    outputs = np.array([[0.5, 0.5], [np.nan, np.nan]])
    found = measured(outputs, np.array([0, 0]), np.array([1.0, 0.0]), False)
    assert found.tolist() == [-np.log(0.5), 0, 0, 1]


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [
        (0, {}, "at least one image"),
        (4, {"batch_size": 0}, "`batch_size` must be a positive integer. Received: batch_size=0"),
    ],
)
def test_bad_arguments_are_named(model, count, options, message):
    with pytest.raises(ValueError, match=message):
        training.evaluate(model, examples(count), **options)


def test_labels_outside_of_the_classes_are_refused(model):
    x, _ = examples(4)
    with pytest.raises(ValueError, match=r"Labels must be from 0 to 6\. Received: 0 to 7"):
        training.evaluate(model, (x, np.array([0, 1, 2, 7])))


@pytest.mark.skipif(BACKEND != "torch", reason="modules of torch alone have a mode")
def test_evaluation_puts_the_mode_of_a_module_back(model):
    for mode in (True, False):
        model.train(mode)
        training.evaluate(model, examples(4))
        assert model.training is mode
