"""What the layers promise on JAX: few passes over the map, on any number of devices."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.layers import as_array, assert_close

from keras_resnet import layers

if BACKEND != "jax":
    pytest.skip("these tests are about JAX", allow_module_level=True)

import jax


def reduces(cls, *, backward):
    """How many reductions a training step of one layer asks XLA for."""
    layer = cls()
    layer.build((8, 14, 14, 16))

    def step(x, probe):
        trainable, state = [[v.value for v in values] for values in layers_of(layer)]

        def loss(x, trainable):
            y, state_after = layer.stateless_call(trainable, state, x, training=True)
            return (y * probe).sum(), (y, state_after)

        if backward:
            return jax.grad(loss, (0, 1), has_aux=True)(x, trainable)
        return loss(x, trainable)[1]

    x = images(8, 14, 14, 16)
    return jax.jit(step).lower(x, x).as_text().count("stablehlo.reduce")


def layers_of(layer):
    return layer.trainable_variables, layer.non_trainable_variables


def test_statistics_take_no_more_passes_than_those_of_keras():
    for backward in (False, True):
        ours = reduces(layers.BatchNormalization, backward=backward)
        assert ours <= reduces(keras.layers.BatchNormalization, backward=backward)


def lowered(function, *arguments, platform="cpu"):
    """The program of a function for one kind of device, whichever is at hand."""
    return jax.export.export(jax.jit(function), platforms=[platform])(*arguments).mlir_module()


@pytest.mark.parametrize(("platform", "products"), [("cpu", 3), ("cuda", 0), ("tpu", 0)])
@pytest.mark.parametrize("strides", [1, 2, (3, 1)])
def test_on_a_cpu_a_1x1_convolution_and_its_gradients_are_products(strides, platform, products):
    layer = layers.Conv2D(8, 1, strides=strides)
    layer.build((2, 7, 6, 4))

    def loss(x, kernel):
        y, _ = layer.stateless_call([kernel, layer.bias.value], [], x)
        return (y * y).sum()

    kernel = layer.kernel.value
    asked = lowered(jax.grad(loss, (0, 1)), images(2, 7, 6, 4), kernel, platform=platform)
    assert asked.count("stablehlo.dot_general") == products
    assert asked.count("stablehlo.convolution") == 3 - products


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_on_a_cpu_a_pool_asks_for_no_windows(platform):
    layer = layers.MaxPooling2D(3, 2)
    asked = lowered(jax.grad(lambda x: layer(x).sum()), images(2, 7, 6, 4), platform=platform)
    assert ("select_and_scatter" in asked) == (platform != "cpu")


@pytest.mark.parametrize("size", [2, 3, (3, 2)])
def test_of_equal_values_a_pool_takes_the_first_as_keras_does(size):
    x = np.round(images(2, 9, 8, 3))  # the whole numbers from -3 to 3
    probe = images(*layers.MaxPooling2D(size, 2)(x).shape, label="probe")
    pools = layers.MaxPooling2D(size, 2), keras.layers.MaxPooling2D(size, 2)
    ours, theirs = (jax.grad(lambda x, pool=pool: (pool(x) * probe).sum())(x) for pool in pools)
    assert_close(as_array(ours), as_array(theirs), 1e-6)


def test_a_pool_hides_nothing_that_is_not_a_number():
    x = images(1, 7, 7, 2)
    x[0, 2, 2, 0] = np.nan
    ours, theirs = layers.MaxPooling2D(3, 2)(x), keras.layers.MaxPooling2D(3, 2)(x)
    assert np.isnan(theirs).sum() == 4
    np.testing.assert_array_equal(ours, theirs)


def test_gradients_of_gradients_are_those_of_keras():
    x, probe = images(3, 4, 4, 2), images(3, 4, 4, 2, label="probe")

    def second(layer):
        layer.build(x.shape)
        trainable, state = [[v.value for v in values] for values in layers_of(layer)]

        def first(x):
            y = layer.stateless_call(trainable, state, x, training=True)[0]
            return jax.numpy.sin(y).sum()

        return jax.grad(lambda x: (jax.grad(first)(x) * probe).sum())(x)

    ours = second(layers.BatchNormalization())
    assert_close(as_array(ours), as_array(second(keras.layers.BatchNormalization())), 1e-4)


def test_many_devices_normalize_the_whole_batch(tmp_path):
    np.save(tmp_path / "x.npy", images(8, 4, 4, 3) + 2)
    script = """
        import keras, numpy as np
        from keras_resnet import layers
        assert len(keras.distribution.list_devices()) == 4
        x = np.load("x.npy")
        one = keras.Sequential([keras.Input((4, 4, 3)), layers.BatchNormalization(momentum=0.5)])
        one.compile("sgd", "mse")
        one.fit(x, x, epochs=2, verbose=0)
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        many = keras.Sequential([keras.Input((4, 4, 3)), layers.BatchNormalization(momentum=0.5)])
        many.compile("sgd", "mse")
        many.fit(x, x, epochs=2, verbose=0)
        for a, b in zip(one.get_weights(), many.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    """
    flags = "--xla_force_host_platform_device_count=4"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    subprocess.run(command, cwd=tmp_path, check=True, env=environment)


def test_jax2tf_traces_a_network():
    tf = pytest.importorskip("tensorflow")
    from jax.experimental import jax2tf

    model = filled("cifar_resnet8")
    trainable, state = [[v.value for v in values] for values in layers_of(model)]

    def infer(x):
        return model.stateless_call(trainable, state, x, training=False)[0]

    x = images(2, 32, 32, 3)
    converted = tf.function(jax2tf.convert(infer), autograph=False)
    assert_close(converted(x).numpy(), as_array(model(x)), 1e-5)


def per_example_gradients(loss, weights, x):
    return jax.vmap(jax.grad(loss), (None, 0))(weights, x[:, None])


def forward_mode(loss, weights, x):
    return jax.jvp(lambda x: loss(weights, x), (x,), (x,))


def gradient_of_gradient(loss, weights, x):
    return jax.grad(lambda x: (jax.grad(lambda x: loss(weights, x))(x) * x).sum())(x)


@pytest.mark.slow  # compiles six programs
@pytest.mark.parametrize("way", [per_example_gradients, forward_mode, gradient_of_gradient])
def test_a_network_is_as_one_of_stock_layers_under(way):
    found = []
    for kind in ("fast", "keras"):
        model = filled("cifar_resnet8", input_shape=(8, 8, 3), classes=3, layers=kind)
        weights, state = [[v.value for v in values] for values in layers_of(model)]

        def loss(weights, x, model=model, state=state):
            y, _ = model.stateless_call(weights, state, x, training=True)
            return jax.numpy.sin(y).sum()

        parts = jax.tree.leaves(
            jax.jit(lambda *a, loss=loss: way(loss, *a))(weights, images(2, 8, 8, 3))
        )
        found.append(np.concatenate([np.ravel(part) for part in parts]))
    assert_close(*found, 1e-4)
