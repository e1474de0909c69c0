"""What several tests need: cheap models, weights that do not depend on the backend, gradients."""

import contextlib
import dataclasses
import os
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import keras
import numpy as np

import keras_resnet
from keras_resnet.networks.family import network_row

BACKEND = keras.backend.backend()
# tests/conftest.py says when; processes that tests start draw the same.
if BACKEND == "jax" and os.environ.get("JAX_DISABLE_MOST_OPTIMIZATIONS") == "1":
    from support import draws

    draws.by_numpy()
EVERY = keras_resnet.list_models()
# Deep enough to have every kind of block, small enough to compile in seconds.
SMALL = ["resnet18", "resnet50", "plain18", "cifar_resnet20", "cifar_plain20"]


def row(name: str):
    """The row behind a name."""
    return network_row(name)


def narrow(name: str):
    """The row behind a name, of few filters: cheap where width does not matter."""
    return dataclasses.replace(network_row(name), width=8)


# The paper's own networks, those that normalize before they convolve, and those of its tables.
NAMES = [name for name in EVERY if row(name).family == "resnet" and not row(name).preactivated]
PREACTIVATED = [name for name in EVERY if row(name).preactivated]
SYSTEMS = [name for name in EVERY if row(name).family != "resnet"]


@contextlib.contextmanager
def without_values():
    """Models whose values do not matter are built on torch's meta device, or of zeros."""
    with keras.device("meta") if BACKEND == "torch" else undrawn():
        yield


@contextlib.contextmanager
def undrawn():
    """Models that get other values at once are built of zeros: to draw takes longer.

    Arrays of numpy: JAX compiles a program for every shape that it fills.
    """
    initializers = keras.initializers
    drawn = (initializers.VarianceScaling, initializers.RandomNormal, initializers.Zeros)
    with contextlib.ExitStack() as stack:
        for initializer in drawn:

            def instead(self, shape, dtype=None, **kwargs):
                return np.zeros(shape, keras.backend.standardize_dtype(dtype))

            stack.enter_context(mock.patch.object(initializer, "__call__", instead))

        def ones(self, shape, dtype=None, **kwargs):
            return np.ones(shape, keras.backend.standardize_dtype(dtype))

        stack.enter_context(mock.patch.object(initializers.Ones, "__call__", ones))
        yield


def filled(network, **options) -> keras.Model:
    """What `keras_resnet.build` builds, filled."""
    with undrawn():
        model = keras_resnet.build(network, **options)
    return fill(model)


@contextlib.contextmanager
def layers_made():
    """Collects the class names of all layers that are made."""
    made, start = [], keras.layers.Layer.__init__

    def counted(self, *args, **kwargs):
        made.append(type(self).__name__)
        start(self, *args, **kwargs)

    keras.layers.Layer.__init__ = counted
    try:
        yield made
    finally:
        keras.layers.Layer.__init__ = start


def at_once(function, threads: int = 4) -> list:
    """What a function returns in each of several threads, which start together."""
    start = threading.Barrier(threads)

    def run(_):
        start.wait()
        return function()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def random(label: str) -> np.random.Generator:
    """A generator that depends on nothing but the label."""
    return np.random.default_rng(zlib.crc32(label.encode()))


def images(*shape: int, label: str = "images", dtype="float32") -> np.ndarray:
    """Standard normal images, the same on every backend."""
    return random(label).standard_normal(shape).astype(dtype)


def fill(model: keras.Model) -> keras.Model:
    """Gives every variable a value that its path alone decides, of the scale training gives it.

    The last BN of n residual branches gets a gamma of about 1 / sqrt(n): signals neither
    vanish nor explode, however deep the network is.
    """
    names = {layer.name for layer in model.layers}
    blocks = [name.removesuffix("_add") for name in names if name.endswith("_add")]
    last = {f"{block}_c_bn" if f"{block}_c_bn" in names else f"{block}_b_bn" for block in blocks}
    for variable in model.weights:
        value = value_of(variable.path, tuple(variable.shape))
        if variable.path.split("/")[-2] in last and variable.path.endswith("/gamma"):
            value /= np.sqrt(len(last))
        # Rounded once, so that double precision starts from the same weights.
        variable.assign(value.astype("float32"))
    return model


def value_of(path: str, shape: tuple[int, ...]) -> np.ndarray:
    layer, kind = path.split("/")[-2:]
    noise = random(f"{layer}/{kind}").standard_normal(shape)
    if kind == "kernel":
        # A convolution keeps the variance of what comes through a ReLU.
        return noise * np.sqrt((2 if len(shape) == 4 else 1) / np.prod(shape[:-1]))
    if kind == "gamma":
        return 1 + 0.1 * noise
    if kind == "moving_variance":
        return 1 + 0.2 * np.tanh(noise)
    return 0.1 * noise


def logits(model: keras.Model, x: np.ndarray, training: bool = False) -> np.ndarray:
    """What the model says of x: layer by layer, on JAX as one program.

    JAX compiles every operation for every shape: a network's program takes a fifth of that.
    """
    called = one_program if BACKEND == "jax" else type(model).__call__
    return keras.ops.convert_to_numpy(called(model, x, training=training))


def one_program(model, x, training):
    import jax

    def call(trainable, frozen, x):
        return model.stateless_call(trainable, frozen, x, training=training)

    trained = [variable.value for variable in model.trainable_variables]
    kept = model.non_trainable_variables
    outputs, after = jax.jit(call)(trained, [variable.value for variable in kept], x)
    for variable, value in zip(kept, after, strict=True):
        variable.assign(value)
    return outputs


def gradients(model: keras.Model, x: np.ndarray, training: bool) -> dict[str, np.ndarray]:
    """The gradient of a fixed weighting of the logits with respect to every trainable variable."""
    weighting = random("loss").standard_normal((len(x), model.output.shape[-1])).astype(x.dtype)
    taken = {"tensorflow": tape, "jax": grad, "torch": backward}[BACKEND]
    found = taken(model, x, weighting, training)
    return {
        variable.path: keras.ops.convert_to_numpy(value)
        for variable, value in zip(model.trainable_variables, found, strict=True)
    }


def tape(model, x, weighting, training):
    import tensorflow as tf

    with tf.GradientTape() as recorded:
        loss = tf.reduce_sum(model(x, training=training) * weighting)
    return recorded.gradient(loss, [variable.value for variable in model.trainable_variables])


def grad(model, x, weighting, training):
    import jax

    def loss(trainable):
        frozen = [variable.value for variable in model.non_trainable_variables]
        outputs, _ = model.stateless_call(trainable, frozen, x, training=training)
        return (outputs * weighting).sum()

    # As one program: to compile every operation for every shape takes several times as long.
    return jax.jit(jax.grad(loss))([variable.value for variable in model.trainable_variables])


def backward(model, x, weighting, training):
    model.zero_grad()
    loss = (model(x, training=training) * keras.ops.convert_to_tensor(weighting)).sum()
    loss.backward()
    return [variable.value.grad for variable in model.trainable_variables]
