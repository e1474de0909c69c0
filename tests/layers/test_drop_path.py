"""Stochastic depth: what is drawn, what is left out, and what a file says of it."""

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.layers import as_array, assert_close, run

import keras_resnet
from keras_resnet import exporting
from keras_resnet.exporting.copying import stock
from keras_resnet.layers import DropPath, PathDraws

DROPPING = {"drop_path_rate": 0.6, "input_shape": (8, 8, 3), "classes": 5}


def drawn(layer, count=500):
    return as_array(layer(np.zeros((count, 1), "float32"), training=True))[:, 0, 0]


def test_draws_are_uniform_and_have_nothing_to_do_with_each_other():
    layer = PathDraws(40, seed=0)
    first, second = drawn(layer), drawn(layer)
    for numbers in (first, second):
        assert numbers.min() >= 0
        assert numbers.max() < 1
        share = np.histogram(numbers, 20, (0, 1))[0] / numbers.size
        assert np.abs(share - 0.05).max() < 0.006  # its standard deviation is 0.0015
    pairs = [(first, second), (first[1:], first[:-1]), (first[:, 1:], first[:, :-1])]
    pairs += [(first[1:], second[:-1]), (first, drawn(PathDraws(40, seed=1)))]
    for one, other in pairs:  # 0.007
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.03


def test_the_same_seed_draws_the_same():
    one, other = PathDraws(3, seed=7), PathDraws(3, seed=7)
    np.testing.assert_array_equal(drawn(one, 4), drawn(other, 4))
    np.testing.assert_array_equal(drawn(one, 4), drawn(other, 4))
    keras.utils.set_random_seed(3)
    one = PathDraws(3)
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(drawn(one, 4), drawn(PathDraws(3), 4))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_kept_branch_is_rounded_once(policy):
    layer = DropPath(0.05, 1, dtype=policy)
    x = keras.ops.cast(images(64, 2, 2, 3), layer.compute_dtype)
    draws = np.linspace(0, 1, 128, dtype="float32").reshape(64, 1, 1, 2)
    outputs = as_array(keras.ops.cast(layer([x, draws], training=True), "float32"))
    kept = draws[..., 1:] >= np.float32(0.05)
    wide = as_array(keras.ops.cast(x, "float32")) * kept * np.float32(1 / 0.95)
    expected = as_array(keras.ops.cast(keras.ops.cast(wide, layer.compute_dtype), "float32"))
    assert_close(outputs, expected, 1e-6 if policy == "float32" else 2**-9)
    assert 0 < (outputs == 0).all((1, 2, 3)).mean() < 0.1
    np.testing.assert_array_equal(
        as_array(layer([images(2, 2, 2, 3), draws[:2]])), images(2, 2, 2, 3)
    )


def same_state(one, other):
    for mine, theirs in zip(one.variables, other.variables, strict=True):
        theirs.assign(mine)


@pytest.mark.skipif(BACKEND != "torch", reason="these units are PyTorch's")
@pytest.mark.parametrize("trainable", [True, False])
def test_a_unit_that_drops_does_what_its_layers_do(trainable):
    model, other = filled("cifar_resnet8", **DROPPING), filled("cifar_resnet8", **DROPPING)
    for norm in [layer for layer in other.layers + model.layers if layer.name.endswith("_b_bn")]:
        norm.trainable = trainable
    same_state(model, other)
    x, probe = images(16, 8, 8, 3), images(16, 5, label="probe")
    ours = run(model, x, probe, training=True)
    theirs = run(keras.Model(other.input, other.output), x, probe, training=True)
    assert_close(ours[0], theirs[0], 1e-5)
    for mine, reference in zip(ours[1], theirs[1], strict=True):
        assert_close(mine, reference, 1e-4)


@pytest.mark.portable
def test_a_network_drops_other_branches_in_every_step_and_none_in_inference():
    model = filled("cifar_resnet8", **DROPPING)
    x = images(8, 8, 8, 3)
    steps = [as_array(model(x, training=True)) for _ in range(2)]
    assert np.abs(steps[0] - steps[1]).max() > 1e-3
    np.testing.assert_array_equal(as_array(model(x)), as_array(model(x)))


@pytest.mark.portable
def test_what_is_exported_drops_nothing_and_plain_keras_drops_likewise(tmp_path):
    model = filled("cifar_resnet8", **DROPPING)
    x = images(2, 8, 8, 3)
    folded = exporting.fold_batch_norm(model)
    assert not [layer.name for layer in folded.layers if "drop_path" in layer.name]
    assert_close(as_array(folded(x)), as_array(model(x)), 1e-5)
    plain = stock(model)
    drops = [layer for layer in plain.layers if "drop_path" in layer.name]
    assert [type(layer) for layer in drops] == 3 * [keras.layers.Dropout]
    np.testing.assert_allclose([layer.rate for layer in drops], [0.2, 0.4, 0.6])
    assert {layer.noise_shape for layer in drops} == {(None, 1, 1, 1)}
    assert_close(as_array(plain(x)), as_array(model(x)), 1e-5)
    # Files of networks that dropped with Keras' own layer.
    plain.save_weights(tmp_path / "plain.weights.h5")
    other = keras_resnet.build("cifar_resnet8", **DROPPING)
    other.load_weights(tmp_path / "plain.weights.h5")
    assert_close(as_array(other(x)), as_array(model(x)), 1e-5)
