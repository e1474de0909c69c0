"""ResNet-1202: as any other network, in spite of Python's recursion limit."""

import contextlib
import sys
import threading

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images, logits, without_values

import keras_resnet
from keras_resnet.graph import deep_graph

pytestmark = pytest.mark.portable


@pytest.fixture(autouse=True)
def limit():
    """The recursion limit is the same after every test as it was before."""
    before = sys.getrecursionlimit()
    yield before
    assert sys.getrecursionlimit() == before


def test_the_deepest_network_predicts(limit):
    model = filled("cifar_resnet1202", input_shape=(8, 8, 3))
    assert sys.getrecursionlimit() == limit
    assert keras_resnet.count(model).trainable == 19_421_274
    assert np.isfinite(logits(model, images(2, 8, 8, 3))).all()


@pytest.mark.parametrize("depth", [302, pytest.param(1202, marks=pytest.mark.slow)])
def test_a_deep_network_does_all_that_others_do(depth, tmp_path, limit):
    model = filled(f"cifar_resnet{depth}", input_shape=(8, 8, 3))
    assert sys.getrecursionlimit() == limit
    x = images(2, 8, 8, 3)
    before = logits(model, x)
    assert np.isfinite(before).all()

    clone = keras.models.clone_model(model)
    assert sys.getrecursionlimit() == limit
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(logits(clone, x), before)
    del clone

    # Eagerly: compiling a step of so many layers takes minutes (docs/reading.md says how many).
    model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy", run_eagerly=True)
    loss = model.train_on_batch(x, np.eye(10, dtype="float32")[:2])
    assert np.isfinite(float(loss))
    assert sys.getrecursionlimit() == limit
    after = logits(model, x)
    assert abs(after - before).max() > 0

    model.save(tmp_path / "deep.keras")
    loaded = keras.saving.load_model(tmp_path / "deep.keras")
    assert sys.getrecursionlimit() == limit
    np.testing.assert_array_equal(logits(loaded, x), after)


@pytest.mark.slow
def test_the_deepest_network_is_trained_and_asked_compiled():
    model = filled("cifar_resnet1202", input_shape=(8, 8, 3))
    model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy", jit_compile=False)
    x = images(2, 8, 8, 3)
    expected = logits(model, x)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-3, atol=1e-5)
    assert np.isfinite(float(model.train_on_batch(x, np.eye(10, dtype="float32")[:2])))


def test_a_failure_leaves_the_recursion_limit_as_it_was(limit):
    image = keras.Input((8, 8, 3))
    with deep_graph():
        assert sys.getrecursionlimit() > limit
    with pytest.raises(ValueError, match=r"(?s)connected|path"):
        keras_resnet.Network(image, keras.layers.ReLU()(keras.Input((8, 8, 3))))


def test_two_threads_build_deep_networks_at_once(limit):
    built, failed = [], []

    def build():
        try:
            built.append(keras_resnet.build("cifar_resnet302"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    with without_values() if BACKEND != "torch" else contextlib.nullcontext():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert [len(model.layers) for model in built] == [len(built[0].layers)] * 2


def test_a_deep_network_is_part_of_a_larger_model():
    with without_values():
        base = keras_resnet.build("cifar_resnet302", include_top=False, pooling="avg")
        model = keras.Sequential([keras.Input((32, 32, 3)), base, keras.layers.Dense(3)])
    assert model.output_shape == (None, 3)
