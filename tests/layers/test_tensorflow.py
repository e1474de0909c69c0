"""What the layers promise on TensorFlow: one operation for a normalization, in every mode."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.layers import as_array, assert_close

from keras_resnet import layers

if BACKEND != "tensorflow":
    pytest.skip("these tests are about TensorFlow", allow_module_level=True)

import tensorflow as tf

STOCK = {"Rsqrt", "SquaredDifference"}


def small(**options):
    return filled("cifar_resnet8", **options)


def operations(function, *signature):
    """How often every operation occurs in the graph of a function."""
    graph = tf.function(function).get_concrete_function(*signature).graph
    names = [operation.type for operation in graph.get_operations()]
    return {name: names.count(name) for name in set(names)}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_every_normalization_is_one_operation(training, policy):
    keras.config.set_dtype_policy(policy)
    model = small()
    normalizations = sum(isinstance(x, layers.BatchNormalization) for x in model.layers)
    image = tf.TensorSpec((None, 32, 32, 3))
    found = operations(lambda x: model(x, training=training), image)
    assert found["FusedBatchNormV3"] == normalizations
    assert not STOCK & set(found)


@pytest.mark.parametrize(("training", "trainable"), [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [("float32", 1e-5), ("mixed_bfloat16", 3e-2), ("mixed_float16", 3e-3)],
)
def test_compiled_by_xla_every_mode_is_that_of_keras(policy, tolerance, training, trainable):
    kind = layers.BatchNormalization, keras.layers.BatchNormalization
    ours, stock = (cls(momentum=0.5, dtype=policy) for cls in kind)
    x = tf.constant(images(4, 3, 5, 6) + 2)

    @tf.function(jit_compile=True)
    def step(layer, x):
        wanted = [x, layer.gamma.value, layer.beta.value]
        with tf.GradientTape() as tape:
            tape.watch(wanted)
            y = layer(x, training=training)
            loss = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32)))
        return y, *tape.gradient(loss, wanted)

    for layer in (ours, stock):
        layer.build(x.shape)
        layer.trainable = trainable
    for mine, theirs in zip(step(ours, x), step(stock, x), strict=True):
        assert_close(as_array(mine), as_array(theirs), tolerance)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        assert_close(mine, theirs, 1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_of_gradients_are_those_of_the_formula(training):
    """Not those of Keras: tf.nn.moments stops a gradient that only first derivatives lack."""
    x, probe = tf.constant(images(3, 4, 4, 2)), tf.constant(images(3, 4, 4, 2, label="probe"))
    layer = layers.BatchNormalization(epsilon=1e-3)

    def formula(x):
        mean = tf.reduce_mean(x, (0, 1, 2)) if training else 0.0
        variance = tf.reduce_mean((x - mean) ** 2, (0, 1, 2)) if training else 1.0
        return (x - mean) / tf.sqrt(variance + 1e-3)

    def second(function):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.sin(function(x)))
            first = tf.reduce_sum(inner.gradient(y, x) * probe)
        return outer.gradient(first, x)

    ours = second(lambda x: layer(x, training=training))
    assert_close(as_array(ours), as_array(second(formula)), 1e-4)


def test_replicas_normalize_as_those_of_keras(tmp_path):
    x = images(8, 4, 4, 3)
    x[4:] += 3
    np.save(tmp_path / "x.npy", x)
    script = """
        import keras, numpy as np, tensorflow as tf
        from keras_resnet import layers
        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        x = np.load("x.npy")

        def train(cls, synchronized):
            with strategy.scope():
                layer = cls(momentum=0.5, synchronized=synchronized)
                model = keras.Sequential([keras.Input((4, 4, 3)), layer])
                model.compile("sgd", "mse")
            model.fit(x, x, batch_size=8, epochs=2, shuffle=False, verbose=0)
            return model.get_weights()

        for synchronized in (False, True):
            ours = train(layers.BatchNormalization, synchronized)
            theirs = train(keras.layers.BatchNormalization, synchronized)
            for a, b in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_a_saved_model_computes_the_same(tmp_path):
    model = small()
    x = images(2, 32, 32, 3)
    model.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    assert_close(as_array(loaded.serve(x)), as_array(model(x)), 1e-5)


def test_a_single_pixel_has_no_variance():
    layer = layers.BatchNormalization(momentum=0.0)
    y = layer(np.ones((1, 1, 1, 2), "float32"), training=True)
    np.testing.assert_array_equal(as_array(layer.moving_variance.value), [0, 0])
    np.testing.assert_array_equal(as_array(y), np.zeros((1, 1, 1, 2)))


@pytest.mark.slow  # a graph of each layer's gradient
def test_jacobians_and_forward_mode_are_those_of_stock_layers():
    x, found = tf.constant(images(2, 8, 8, 3)), []
    for kind in ("fast", "keras"):
        model = small(input_shape=(8, 8, 3), classes=3, layers=kind)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=True)
        jacobian = tape.jacobian(y, x)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
            y = model(x, training=True)
        found.append([as_array(jacobian), as_array(forward.jvp(y))])
    for mine, theirs in zip(*found, strict=True):
        assert_close(mine, theirs, 1e-4)
