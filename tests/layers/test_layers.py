"""Layers of keras_resnet do what their namesakes in Keras do, forwards, backwards and after."""

import contextlib

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import BACKEND, images
from support.layers import as_array, assert_close, op_by_op, run, unsupported_errors

from keras_resnet import layers
from keras_resnet.layers import replicas

# To float rounding: half precision keeps 11 or 8 bits, and rounds once where Keras may twice.
TOLERANCE = {"float32": 2e-5, "float64": 2e-5, "mixed_float16": 2**-10, "mixed_bfloat16": 2**-7}
POLICIES = ["float32", "mixed_float16", "mixed_bfloat16"]
SIDES = st.integers(1, 6)
# JAX compiles every shape anew.
EXAMPLES = settings(max_examples=settings().max_examples // (4 if BACKEND == "jax" else 1))
BOTH = (False, True)
AXES = [-1, 3, 1]
NORMALIZATIONS = layers.BatchNormalization, keras.layers.BatchNormalization
CONVOLUTIONS = layers.Conv2D, keras.layers.Conv2D
POOLS = {
    "max": (layers.MaxPooling2D, keras.layers.MaxPooling2D),
    "average": (layers.AveragePooling2D, keras.layers.AveragePooling2D),
}


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


def assert_twins_agree(ours, stock, x, tolerance, gradient_tolerance=None, **call):
    """Both do the same, or raise the same: a CPU may lack what a dtype and data format need."""
    output_shape = stock.compute_output_shape(x.shape)
    probe = images(*output_shape, label="probe")
    try:
        theirs, their_gradients = run(stock, x, probe, **call)
    except unsupported_errors() as error:
        with pytest.raises(type(error)):
            run(ours, x, probe, **call)
        return
    mine, my_gradients = run(ours, x, probe, **call)
    assert_close(mine, theirs, tolerance, "outputs")
    for number, pair in enumerate(zip(my_gradients, their_gradients, strict=True)):
        allowed = 4 * tolerance if gradient_tolerance is None else gradient_tolerance
        assert_close(*pair, allowed, f"gradient {number}")
    for my_variable, their_variable in zip(ours.variables, stock.variables, strict=True):
        values = as_array(my_variable.value), as_array(their_variable.value)
        assert_close(*values, 2e-5, my_variable.name)  # which are kept in float32


def assert_normalizes_as_keras(shape, axis, scale, center, training, trainable, policy):
    options = {"axis": axis, "scale": scale, "center": center, "momentum": 0.9, "epsilon": 1e-3}
    ours, stock = twins(*(cls(**options, dtype=policy) for cls in NORMALIZATIONS), shape)
    ours.trainable = stock.trainable = trainable
    # Channels of zero mean and of one that is large beside their spread.
    mean = np.linspace(0, 4, shape[axis], dtype="float32")
    x = np.moveaxis(np.moveaxis(images(*shape), axis, -1) + mean, -1, axis)
    assert_twins_agree(ours, stock, x, TOLERANCE[policy], training=training)


@pytest.mark.parametrize("trainable", BOTH)
@pytest.mark.parametrize("training", BOTH)
@pytest.mark.parametrize("center", BOTH)
@pytest.mark.parametrize("scale", BOTH)
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("policy", POLICIES)
def test_batch_normalization_is_that_of_keras_in_every_mode(
    policy, axis, scale, center, training, trainable
):
    with op_by_op():
        shape = 3, 5, 4, 7
        assert_normalizes_as_keras(shape, axis, scale, center, training, trainable, policy)


@EXAMPLES
@given(
    shape=st.tuples(st.integers(2, 4), SIDES, SIDES, st.integers(1, 9)),
    axis=st.sampled_from(AXES),
    scale=st.booleans(),
    center=st.booleans(),
    training=st.booleans(),
    trainable=st.booleans(),
    policy=st.sampled_from(POLICIES),
)
def test_batch_normalization_of_any_shape_is_that_of_keras(**modes):
    assert_normalizes_as_keras(**modes)


@pytest.mark.parametrize("shape", [(8, 5), (4, 6, 5), (2, 3, 4, 2, 5)])
def test_batch_normalization_of_other_ranks_is_that_of_keras(shape):
    ours, stock = twins(*(cls() for cls in NORMALIZATIONS), shape)
    assert_twins_agree(ours, stock, images(*shape), 2e-5, training=True)


def test_batch_normalization_of_another_axis_is_that_of_keras():
    ours, stock = twins(*(cls(axis=2) for cls in NORMALIZATIONS), (2, 3, 4, 5))
    assert_twins_agree(ours, stock, images(2, 3, 4, 5), 2e-5, training=True)


def test_batch_renormalization_is_that_of_keras():
    ours, stock = twins(*(cls(renorm=True) for cls in NORMALIZATIONS), (4, 3, 3, 5))
    assert_twins_agree(ours, stock, images(4, 3, 3, 5), 2e-5, training=True)


def test_a_mask_leaves_masked_values_out_of_the_statistics():
    ours, stock = twins(*(cls() for cls in NORMALIZATIONS), (4, 3, 3, 5))
    mask = keras.ops.convert_to_tensor(images(4, 3, 3) > 0)
    assert_twins_agree(ours, stock, images(4, 3, 3, 5), 2e-5, training=True, mask=mask)


def doubles():
    """With float64 switched on where a backend needs that: JAX does."""
    if BACKEND != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def test_float64_is_float64_to_the_last_digits():
    """Not with stock layers on torch and JAX: of float64 and float32 Keras makes float32 there."""
    x = images(4, 3, 3, 5, dtype="float64") + 2
    kernel = images(3, 3, 5, 2, dtype="float64")
    with doubles():
        norm, conv = (
            layers.BatchNormalization(dtype="float64"),
            layers.Conv2D(2, 3, dtype="float64"),
        )
        found = [as_array(norm(x, training=mode)) for mode in (True, False)]
        statistics = [as_array(v.value) for v in (norm.moving_mean, norm.moving_variance)]
        conv.build(x.shape)
        conv.kernel.assign(kernel)
        found += [as_array(conv(x)), as_array(layers.MaxPooling2D(3, dtype="float64")(x))]
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    moved = 0.01 * mean, 0.99 + 0.01 * variance
    right = [(x - m) / np.sqrt(v + 1e-3) for m, v in ((mean, variance), moved)]
    right += [np.einsum("bhwi,hwio->bo", x, kernel)[:, None, None], x.max((1, 2), keepdims=True)]
    for mine, exact in zip([*found, *statistics], [*right, *moved], strict=True):
        assert mine.dtype == "float64"
        np.testing.assert_allclose(mine, exact, 1e-12, 1e-12)


def test_the_moving_variance_is_biased_as_that_of_keras():
    layer = layers.BatchNormalization(momentum=0.0)
    layer(np.array([0.0, 2.0], "float32").reshape(1, 2, 1, 1), training=True)
    np.testing.assert_allclose(as_array(layer.moving_variance.value), [1.0], rtol=1e-5)


@pytest.mark.parametrize("replicated", [False] if BACKEND == "jax" else BOTH)
@pytest.mark.parametrize("mean", [10, 100, 1000, 4096])
def test_a_mean_that_is_large_beside_the_spread_costs_no_digits(mean, replicated, monkeypatch):
    if replicated:  # two with the same part of the batch
        monkeypatch.setattr(replicas, "sum_over_replicas", lambda x: 2 * x)
    x = np.random.default_rng(0).normal(mean, 1, (8, 16, 16, 4)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0, epsilon=0.0)
    y = as_array(layer(x, training=True))
    exact = x.astype("float64")
    right = exact.mean((0, 1, 2)), exact.var((0, 1, 2))
    found = as_array(layer.moving_mean.value), as_array(layer.moving_variance.value)
    np.testing.assert_allclose(found[0], right[0], rtol=5e-6)
    np.testing.assert_allclose(found[1], right[1], rtol=2e-5)
    np.testing.assert_allclose(y, (exact - right[0]) / np.sqrt(right[1]), atol=5e-3)


def assert_convolves_as_keras(
    sides, channels, groups, kernel, geometry, padding, bias, policy, data_format
):
    # Of fewer channels the gradient of Keras' 1x1 convolution with strides corrupts memory on
    # torch 2.13, where the CPU has AVX2 and no AVX512.
    channels = 8 if (kernel, groups, BACKEND) == (1, 1, "torch") else channels * groups
    last = data_format == "channels_last"
    shape = (2, *sides, channels) if last else (2, channels, *sides)
    strides, dilation = geometry
    options = {"use_bias": bias, "dtype": policy}
    arguments = 4, kernel, strides, padding, data_format, dilation, groups
    ours, stock = twins(*(cls(*arguments, **options) for cls in CONVOLUTIONS), shape)
    assert_twins_agree(ours, stock, images(*shape), TOLERANCE[policy])


# Strides and dilation: Keras takes one or the other.
GEOMETRIES = [(1, 1), (2, 1), ((1, 2), 1), (1, 2), (1, (2, 1))]
# Which XLA compiles one by one.
GROUPED = pytest.param((2, 3), 2, marks=[] if BACKEND == "torch" else pytest.mark.slow)
PADDINGS = ["valid", "same"]
FORMATS = ["channels_last", "channels_first"]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("geometry", [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), GROUPED])
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("policy", POLICIES)
def test_convolution_is_that_of_keras_in_every_mode(
    policy, data_format, kernel, groups, geometry, padding
):
    with op_by_op():
        map_and_groups = (6, 7), 2, groups
        assert_convolves_as_keras(
            *map_and_groups, kernel, geometry, padding, True, policy, data_format
        )


@EXAMPLES
@given(
    sides=st.tuples(st.integers(5, 9), st.integers(5, 9)),
    channels=st.integers(1, 3),
    groups=st.integers(1, 2),
    kernel=st.integers(1, 3),
    geometry=st.sampled_from(GEOMETRIES),
    padding=st.sampled_from(PADDINGS),
    bias=st.booleans(),
    policy=st.sampled_from(POLICIES),
    data_format=st.sampled_from(FORMATS),
)
def test_convolution_of_any_shape_is_that_of_keras(**modes):
    assert_convolves_as_keras(**modes)


def assert_pools_as_keras(sides, size, stride, padding, policy, data_format, kind="max"):
    last = data_format == "channels_last"
    x = images(2, *sides, 3) if last else images(2, 3, *sides)
    ours, stock = (cls(size, stride, padding, data_format, dtype=policy) for cls in POOLS[kind])
    # Where windows overlap, ours on JAX adds their gradients in another order.
    exact = kind == "max" and BACKEND != "jax"
    bound = 0 if kind == "max" else TOLERANCE[policy]
    assert_twins_agree(ours, stock, x, bound, 0 if exact else TOLERANCE[policy])


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("size", "stride"), [(1, 2), (3, 2), ((2, 3), 1)])
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", POOLS if BACKEND == "torch" else ["max"])  # the rest are Keras'
def test_pooling_is_that_of_keras_in_every_mode(kind, policy, data_format, size, stride, padding):
    with op_by_op():
        assert_pools_as_keras((6, 7), size, stride, padding, policy, data_format, kind)


@EXAMPLES
@given(
    sides=st.tuples(st.integers(3, 9), st.integers(3, 9)),
    size=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.sampled_from(PADDINGS),
    policy=st.sampled_from(POLICIES),
    data_format=st.sampled_from(FORMATS),
)
def test_max_pooling_of_any_shape_is_that_of_keras(**modes):
    assert_pools_as_keras(**modes)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(4, 3, name="a", kernel_regularizer="l2"),
        layers.BatchNormalization(momentum=0.8, name="b"),
        layers.MaxPooling2D(3, 2, name="c"),
        layers.AveragePooling2D(2, padding="same", name="d"),
    ],
)
def test_a_layer_has_the_config_of_its_namesake(layer):
    stock = type(layer).__mro__[1].from_config(layer.get_config())
    assert stock.get_config() == layer.get_config()
    copied = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copied) is type(layer)
