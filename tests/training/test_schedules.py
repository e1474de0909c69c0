"""Schedules, step by step, and the warm-up that ends when a network has begun to learn."""

import keras
import numpy as np
import pytest
from support import images

from keras_resnet.training import (
    SGD,
    EndWarmUp,
    WarmUp,
    WarmUpUntil,
    cosine,
    distribution,
    fit,
    linear_scaling,
    step_drops,
)
from keras_resnet.training.processes import Distribution

pytestmark = pytest.mark.portable


def rates(schedule, *steps):
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def test_the_rate_drops_at_the_step_that_is_named():
    schedule = step_drops(0.1, (32_000, 48_000))
    found = rates(schedule, 0, 31_999, 32_000, 47_999, 48_000, 63_999)
    assert found == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_the_optimizer_sees_the_drop_at_that_step():
    optimizer = SGD(step_drops(1.0, (3,)), momentum=0.0, weight_decay=0.0)
    variable = keras.Variable(np.zeros(1, "float32"), name="kernel")
    seen = []
    for _ in range(5):
        before = keras.ops.convert_to_numpy(variable).copy()
        optimizer.apply([keras.ops.ones(1)], [variable])
        seen.append(float((before - keras.ops.convert_to_numpy(variable))[0]))
    assert seen == pytest.approx([1, 1, 1, 0.1, 0.1], rel=1e-5)


@pytest.mark.parametrize("drops", [(0,), (5, 5), (7, 6)])
def test_drops_rise(drops):
    with pytest.raises(ValueError, match="must be steps"):
        step_drops(0.1, drops)


def test_gradual_warm_up_is_goyals():
    schedule = WarmUp(step_drops(3.2, (1000,)), steps=100, start=0.1)
    expected = [0.1, 0.1 + 3.1 / 100, 1.65, 3.2, 3.2, 0.32]
    assert rates(schedule, 0, 1, 50, 100, 999, 1000) == pytest.approx(expected)
    assert rates(WarmUp(0.5, 0), 0, 1) == [0.5, 0.5]


def test_a_cosine_begins_after_its_warm_up():
    schedule = cosine(0.8, 100, warmup_steps=20, start=0.1, final=0.01)
    assert rates(schedule, 0, 10, 20, 100, 200) == pytest.approx([0.1, 0.45, 0.8, 0.01, 0.01])
    assert rates(cosine(0.8, 100), 0, 50, 100) == pytest.approx([0.8, 0.4, 0], abs=1e-6)
    with pytest.raises(ValueError, match="warmup_steps=100"):
        cosine(0.1, 100, warmup_steps=100)


def test_more_images_take_longer_steps():
    assert linear_scaling(0.1, 64) == 0.025


def model_with(schedule, optimizer=SGD):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="fc")(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(schedule), loss, metrics=["accuracy"])
    return model


class Batches:
    """Of the second class in the first four steps and of the first class after them."""

    batch_size, steps_per_epoch = 16, 12

    def batches(self, start, stop=None):
        for step in range(start, stop):
            yield images(16, 8, label=f"{step}"), np.full(16, int(step < 4))


def test_warm_up_ends_when_the_training_error_is_low_enough():
    """At a rate of 0 a network of zeros says "the first class": right from step 4 on."""
    schedule = WarmUpUntil(step_drops(0.1, (20,)), warmup=0.0)
    model = model_with(schedule)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rate = self.model.optimizer.learning_rate
            seen.append(round(float(keras.ops.convert_to_numpy(rate)), 4))

    callbacks = [EndWarmUp(schedule, error=0.4, every=4), Look()]
    fit(model, Batches(), epochs=2, callbacks=callbacks, progress=False)
    assert seen == [0.0] * 8 + [0.1] * 12 + [0.01] * 4


@pytest.mark.parametrize(("others", "seen"), [(0.0, 0.0), (1.0, 0.1)])
def test_a_warm_up_ends_by_the_mean_error_of_all_processes(monkeypatch, others, seen):
    class OfTwo(Distribution):
        def mean(self, numbers):
            return {name: (value + others) / 2 for name, value in numbers.items()}

    monkeypatch.setattr(distribution, "_active", [OfTwo()])
    schedule = WarmUpUntil(0.1, warmup=0.0)
    model = model_with(schedule)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    callbacks = [EndWarmUp(schedule, error=0.25, every=4)]
    fit(model, Batches(), epochs=1, callbacks=callbacks, progress=False)
    assert rates(schedule, 12) == pytest.approx([seen])  # alone it ends: no error from step 4 on


def test_a_warm_up_is_saved_with_the_optimizer(tmp_path):
    schedule = WarmUpUntil(WarmUp(0.1, 4), warmup=0.01)
    model = model_with(schedule)
    model.optimizer.build(model.trainable_variables)
    schedule.over.assign(1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    restored = loaded.optimizer._learning_rate
    assert int(restored.over) == 1
    assert restored.get_config()["warmup"] == 0.01
    assert rates(restored, 2, 8) == pytest.approx([0.05, 0.1])


def test_a_warm_up_of_another_optimizer_is_refused():
    schedule = WarmUpUntil(0.1)
    model = model_with(schedule, keras.optimizers.SGD)
    with pytest.raises(ValueError, match=r"one of keras_resnet\.training"):
        fit(model, Batches(), epochs=1, callbacks=[EndWarmUp(schedule)], progress=False)


def test_a_plateau_lowers_a_rate_that_is_a_number_also_in_a_run_that_is_continued(tmp_path):
    def rows(epochs, out):
        plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=2, min_delta=100.0)
        callbacks = [plateau]
        return fit(
            model_with(0.1), Batches(), epochs=epochs, out=out, callbacks=callbacks, progress=False
        )

    whole = [row["learning_rate"] for row in rows(6, tmp_path / "whole")]
    assert whole == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01, 0.001], rel=1e-3)
    rows(2, tmp_path / "parts")  # ends with one epoch of patience spent
    assert [row["learning_rate"] for row in rows(6, tmp_path / "parts")] == whole
