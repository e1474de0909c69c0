"""Layers of keras_resnet do what their namesakes in Keras do, forwards, backwards and after."""

import subprocess
import sys
import textwrap
from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import BACKEND, fill, images
from support_layers import as_array, assert_close, run

import keras_resnet
from keras_resnet import layers

# To float rounding; half precision keeps 8 or 11 bits, and rounds once where Keras may twice.
TOLERANCE = {"float32": 2e-5, "float64": 2e-5, "mixed_float16": 4e-3, "mixed_bfloat16": 3e-2}
POLICIES = ["float32", "mixed_float16", "mixed_bfloat16"]
SIDES = st.integers(1, 6)
# JAX compiles every shape anew.
EXAMPLES = settings(max_examples=6 if BACKEND == "jax" else 25)


def twins(ours, stock, shape):
    """Both layers built on `shape`, with the same weights."""
    ours.build(shape)
    stock.build(shape)
    assert [v.name for v in ours.variables] == [v.name for v in stock.variables]
    generator = np.random.default_rng(1)
    for mine, theirs in zip(ours.variables, stock.variables, strict=True):
        assert mine.shape == theirs.shape
        value = generator.uniform(0.5, 1.5, mine.shape)
        mine.assign(value)
        theirs.assign(value)
    return ours, stock


def assert_twins_agree(ours, stock, x, tolerance, **call):
    output_shape = stock.compute_output_shape(x.shape)
    probe = images(*output_shape, label="probe")
    mine, my_gradients = run(ours, x, probe, **call)
    theirs, their_gradients = run(stock, x, probe, **call)
    assert_close(mine, theirs, tolerance, "outputs")
    for number, pair in enumerate(zip(my_gradients, their_gradients, strict=True)):
        assert_close(*pair, 4 * tolerance, f"gradient {number}")
    for my_variable, their_variable in zip(ours.variables, stock.variables, strict=True):
        values = as_array(my_variable.value), as_array(their_variable.value)
        assert_close(*values, tolerance, my_variable.name)


@EXAMPLES
@given(
    shape=st.tuples(st.integers(2, 4), SIDES, SIDES, st.integers(1, 9)),
    axis=st.sampled_from([-1, 3, 1]),
    scale=st.booleans(),
    center=st.booleans(),
    training=st.booleans(),
    trainable=st.booleans(),
    policy=st.sampled_from(POLICIES),
    mean=st.sampled_from([0.0, 3.0]),
)
def test_batch_normalization_is_that_of_keras(
    shape, axis, scale, center, training, trainable, policy, mean
):
    options = {"axis": axis, "scale": scale, "center": center, "momentum": 0.9, "epsilon": 1e-3}
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls(**options, dtype=policy) for cls in kind), shape)
    ours.trainable = stock.trainable = trainable
    x = images(*shape) + np.float32(mean)
    assert_twins_agree(ours, stock, x, TOLERANCE[policy], training=training)


@pytest.mark.parametrize("shape", [(8, 5), (4, 6, 5), (2, 3, 4, 2, 5)])
def test_batch_normalization_of_other_ranks_is_that_of_keras(shape):
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls() for cls in kind), shape)
    assert_twins_agree(ours, stock, images(*shape), 2e-5, training=True)


def test_batch_normalization_of_another_axis_is_that_of_keras():
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls(axis=2) for cls in kind), (2, 3, 4, 5))
    assert_twins_agree(ours, stock, images(2, 3, 4, 5), 2e-5, training=True)


def test_batch_renormalization_is_that_of_keras():
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls(renorm=True) for cls in kind), (4, 3, 3, 5))
    assert_twins_agree(ours, stock, images(4, 3, 3, 5), 2e-5, training=True)


def test_a_mask_leaves_masked_values_out_of_the_statistics():
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls() for cls in kind), (4, 3, 3, 5))
    mask = keras.ops.convert_to_tensor(images(4, 3, 3) > 0)
    assert_twins_agree(ours, stock, images(4, 3, 3, 5), 2e-5, training=True, mask=mask)


def test_float64_is_computed_in_at_least_the_precision_of_keras():
    if BACKEND == "jax":
        pytest.skip("JAX has no float64 unless told so at its start")
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = twins(*(cls(dtype="float64") for cls in kind), (4, 3, 3, 5))
    assert_twins_agree(ours, stock, images(4, 3, 3, 5, dtype="float64"), 2e-5, training=True)


def test_the_moving_variance_is_biased_as_that_of_keras():
    layer = layers.BatchNormalization(momentum=0.0)
    layer(np.array([0.0, 2.0], "float32").reshape(1, 2, 1, 1), training=True)
    np.testing.assert_allclose(as_array(layer.moving_variance.value), [1.0], rtol=1e-5)


def test_a_large_mean_costs_no_digits_once_it_is_known():
    x = 1 + images(8, 4, 4, 3) / 1000
    layer = layers.BatchNormalization(momentum=0.0, epsilon=1e-9)
    layer(x, training=True)
    layer(x, training=True)
    np.testing.assert_allclose(
        as_array(layer.moving_variance.value), x.astype("float64").var((0, 1, 2)), rtol=1e-3
    )


@EXAMPLES
@given(
    sides=st.tuples(st.integers(3, 9), st.integers(3, 9)),
    channels=st.integers(1, 3),
    groups=st.integers(1, 2),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["valid", "same"]),
    bias=st.booleans(),
    policy=st.sampled_from(["float32", "mixed_bfloat16"]),
)
def test_convolution_is_that_of_keras(
    sides, channels, groups, kernel, stride, padding, bias, policy
):
    groups = 1 if BACKEND == "tensorflow" and policy != "float32" else groups
    shape = (2, *sides, channels * groups)
    options = {"strides": stride, "padding": padding, "use_bias": bias, "groups": groups}
    kind = layers.Conv2D, keras.layers.Conv2D
    ours, stock = twins(*(cls(4, kernel, **options, dtype=policy) for cls in kind), shape)
    assert_twins_agree(ours, stock, images(*shape), TOLERANCE[policy])


@EXAMPLES
@given(
    sides=st.tuples(st.integers(3, 9), st.integers(3, 9)),
    size=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
)
def test_max_pooling_is_that_of_keras(sides, size, stride, padding):
    x = images(2, *sides, 3)
    ours = layers.MaxPooling2D(size, stride, padding)
    stock = keras.layers.MaxPooling2D(size, stride, padding)
    assert_twins_agree(ours, stock, x, 0)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(4, 3, name="a", kernel_regularizer="l2"),
        layers.BatchNormalization(momentum=0.8, name="b"),
        layers.MaxPooling2D(3, 2, name="c"),
    ],
)
def test_a_layer_has_the_config_of_its_namesake(layer):
    stock = type(layer).__mro__[1].from_config(layer.get_config())
    assert stock.get_config() == layer.get_config()
    copied = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copied) is type(layer)


def call(model, x, training):
    """The outputs of a model, whose statistics move; compiled on JAX."""
    if BACKEND != "jax":
        return as_array(model(keras.ops.convert_to_tensor(x), training=training))
    import jax

    states = [
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    ]
    outputs, after = jax.jit(partial(model.stateless_call, training=training))(*states, x)
    for variable, value in zip(model.non_trainable_variables, after, strict=True):
        variable.assign(value)
    return as_array(outputs)


# Every kind of block, stem and shortcut, in the fewest layers.
ROWS = {
    "bottleneck": keras_resnet.Architecture("bottleneck", (2, 1, 1), 8, "imagenet", "B"),
    "basic": keras_resnet.Architecture("basic", (1, 2), 8, "cifar", "A"),
    "plain": keras_resnet.Architecture("basic", (1, 1), 8, "imagenet", None),
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("training", [False, True])
def test_a_network_of_fast_layers_is_that_of_stock_layers(row, training):
    options = {"weights": None, "input_shape": (64, 64, 3), "classes": 5}
    ours = fill(keras_resnet.build(ROWS[row], **options))
    stock = keras_resnet.build(ROWS[row], **options, layers="keras")
    assert [v.path for v in ours.weights] == [v.path for v in stock.weights]
    assert [layer.name for layer in ours.layers] == [layer.name for layer in stock.layers]
    stock.set_weights(ours.get_weights())
    x = keras.ops.convert_to_tensor(images(8, 64, 64, 3))
    assert_close(as_array(ours(x, training=training)), as_array(stock(x, training=training)), 1e-3)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_close(mine, theirs, 1e-3)


def test_fit_moves_the_weights_as_with_stock_layers():
    options = {"weights": None, "input_shape": (32, 32, 3), "classes": 5}
    ours = fill(keras_resnet.build("cifar_resnet8", **options))
    stock = keras_resnet.build("cifar_resnet8", **options, layers="keras")
    stock.set_weights(ours.get_weights())
    x, y = images(16, 32, 32, 3), np.arange(16) % 5
    for model in (ours, stock):
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_close(mine, theirs, 1e-3)
    assert_close(ours.predict(x, verbose=0), stock.predict(x, verbose=0), 1e-3)


def test_an_unknown_kind_of_layers_is_refused():
    with pytest.raises(ValueError, match=r"`layers` must be one of 'fast', 'keras'"):
        keras_resnet.build("cifar_resnet8", layers="slow")


def test_a_model_of_stock_layers_is_loaded_without_this_package(tmp_path):
    model = fill(keras_resnet.build("cifar_resnet8", layers="keras"))
    assert type(model) is type(keras.Model(model.input, model.output))
    x = images(2, 32, 32, 3)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "pair.npz", x=x, y=model.predict(x, verbose=0))
    script = """
        import sys
        sys.modules["keras_resnet"] = None  # an import of it fails
        import keras, numpy as np
        pair = np.load("pair.npz")
        y = keras.saving.load_model("model.keras").predict(pair["x"], verbose=0)
        np.testing.assert_allclose(y, pair["y"], atol=1e-5)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, check=True)


@pytest.mark.parametrize("kit", ["fast", "keras"])
def test_weights_files_move_between_the_kinds_of_layers(tmp_path, kit):
    source = fill(keras_resnet.build("cifar_resnet8", layers=kit))
    source.save_weights(tmp_path / "a.weights.h5")
    target = keras_resnet.build("cifar_resnet8", layers={"fast": "keras", "keras": "fast"}[kit])
    target.load_weights(tmp_path / "a.weights.h5")
    for mine, theirs in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_maps_in_the_middle_are_right_beside_what_follows_them():
    """A map that is asked for must not be overwritten by the layer behind it."""
    model = fill(keras_resnet.build("cifar_resnet8"))
    names = ["conv1_bn", "conv1_relu", "conv2_1_a_bn", "conv2_1_b_bn", "conv2_1_add", "conv2_1"]
    outputs = [model.get_layer(name).output for name in names]
    x = keras.ops.convert_to_tensor(images(2, 32, 32, 3))
    fused = layers.FusedNetwork(model.input, outputs)(x)
    plain = keras.Model(model.input, outputs)(x)
    for mine, theirs in zip(fused, plain, strict=True):
        assert_close(as_array(mine), as_array(theirs), 1e-5)
    assert as_array(fused[0]).min() < 0 == as_array(fused[1]).min()
