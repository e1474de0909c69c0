"""Averages of weights: what they are, and that the weights they stand in for are never lost."""

import keras
import numpy as np
import pytest
from support import BACKEND, images

import keras_resnet
from keras_resnet.data.arrays import ArrayBatches
from keras_resnet.training import SGD, WeightAverages, fit

X = images(12, 8, 8, 3)
Y = np.arange(12) % 4


def network(**options):
    keras.utils.set_random_seed(0)
    model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=4)
    model.compile(SGD(0.1, **options), "sparse_categorical_crossentropy")
    return model


class Record(keras.callbacks.Callback):
    """The weights after every step."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())


def train(model, *callbacks, epochs=2):
    model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)


def averages_of(averages):
    return [keras.ops.convert_to_numpy(v) for v in averages.variables]


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, 1e-5, 1e-6)


def exponential(seen, initial, decay):
    average = initial
    for count, weights in enumerate(seen):
        kept = min(decay, (1 + count) / (10 + count))
        average = [kept * a + (1 - kept) * w for a, w in zip(average, weights, strict=True)]
    return average


def test_weights_and_statistics_are_averaged_after_each_step():
    model = network()
    initial, record = model.get_weights(), Record()
    averages = WeightAverages(model, decay=0.3)
    train(model, record, averages)
    close(averages_of(averages), exponential(record.weights, initial, 0.3))


@pytest.mark.portable
def test_the_average_does_not_change_the_training():
    plain, averaged = network(), network()
    train(plain)
    callback = WeightAverages(averaged)
    train(averaged, callback)
    for one, other in zip(plain.get_weights(), averaged.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.portable
def test_without_decay_the_mean_of_some_is_kept():
    model, record = network(), Record()
    averages = WeightAverages(model, decay=None, every=2, start=2)
    train(model, record, averages)
    seen = zip(record.weights[3], record.weights[5], strict=True)
    close(averages_of(averages), [(one + other) / 2 for one, other in seen])


@pytest.mark.portable
def test_batches_that_make_up_one_update_count_once():
    model, record = network(gradient_accumulation_steps=3), Record()
    initial = model.get_weights()
    averages = WeightAverages(model, decay=0.3)
    train(model, record, averages)
    close(averages_of(averages), exponential(record.weights[2::3], initial, 0.3))


def test_evaluation_and_files_see_the_averages_and_training_does_not(tmp_path):
    model = network()
    averages = WeightAverages(model, decay=0.5)
    train(model, averages)
    own = model.get_weights()
    with averages.applied():
        lent = model.get_weights()
        close(lent, averages_of(averages))
        loss = model.evaluate(X, Y, verbose=0)
        with pytest.raises(RuntimeError, match="does not nest"), averages.applied():
            pass
    assert all(map(np.array_equal, own, model.get_weights()))
    averages.save(tmp_path / "averaged.keras")
    assert all(map(np.array_equal, own, model.get_weights()))
    loaded = keras.saving.load_model(tmp_path / "averaged.keras")
    assert loaded.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-5)
    train(model, averages)
    assert averages.count == 12


@pytest.mark.portable
def test_an_error_while_they_are_lent_loses_nothing():
    model = network()
    averages = WeightAverages(model, decay=0.5)
    train(model, averages)
    own, kept = model.get_weights(), averages_of(averages)

    def broken():
        yield X[:4], Y[:4]
        raise OSError("no more images")

    with pytest.raises(Exception, match="no more images"), averages.applied():
        model.evaluate(broken(), verbose=0)
    assert all(map(np.array_equal, own, model.get_weights()))
    assert all(map(np.array_equal, kept, averages_of(averages)))
    train(model, averages)


class KilledError(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Ends a run before its fifth step: in the second epoch, after one step of it."""

    def __init__(self, step=5):
        super().__init__()
        self.left = step

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KilledError

    def get_state(self):
        return {}

    def set_state(self, state):
        """Nothing is restored."""


@pytest.mark.portable
def test_a_run_that_was_killed_is_continued_with_its_averages(tmp_path):
    data = ArrayBatches(X, Y, 4)

    def run(*callbacks, out):
        model = network()
        averages = WeightAverages(model, decay=0.5)
        fit(
            model,
            data,
            epochs=3,
            out=out,
            checkpoint_every=1,
            callbacks=[averages, *callbacks],
            progress=False,
        )
        return [*averages_of(averages), *model.get_weights()]

    whole = run(out=tmp_path / "whole")
    with pytest.raises(KilledError):
        run(Kill(), out=tmp_path / "killed")
    assert all(map(np.array_equal, whole, run(Kill(step=100), out=tmp_path / "killed")))


@pytest.mark.portable
def test_a_loss_scale_may_be_around_the_optimizer():
    keras.config.set_dtype_policy("mixed_float16")
    model = network()
    averages = WeightAverages(model, decay=0.5)
    train(model, averages)
    with averages.applied():
        close(model.get_weights(), averages_of(averages))


@pytest.mark.portable
@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"decay": 1.0}, "decay=1.0"), ({"every": 0}, "every=0"), ({"start": -1}, "start=-1")],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightAverages(network(), **arguments)


@pytest.mark.portable
def test_averages_belong_to_one_model_and_one_compilation():
    model = network()
    with pytest.raises(ValueError, match="compiled"):
        WeightAverages(keras_resnet.build("cifar_resnet8"))
    averages = WeightAverages(model)
    with pytest.raises(ValueError, match="a training of"):
        train(network(), averages)
    model.compile(SGD(0.1), "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="compiled again"):
        train(model, averages)


@pytest.mark.skipif(BACKEND != "jax", reason="of JAX")
def test_on_jax_steps_stay_asynchronous():
    model = network()
    assert keras.callbacks.CallbackList([WeightAverages(model)], model=model)._async_train
